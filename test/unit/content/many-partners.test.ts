/** Compiling once for all partners must come to what a build of its own for each of them would. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CompiledSite, SiteFile } from '../../../src/content/compiled-site.ts';
import { Scratch } from '../../../src/content/render.ts';
import type { PartnerView, SiteSource } from '../../../src/content/source.ts';
import { compileSource, partner, siteSource, templateWith } from './site-builder.ts';

const TEMPLATE = templateWith(
  `<a href="{{ partner.url }}">{{ partner.name }}</a><nav>{{ navigation }}</nav>{{ breadcrumbs }}
<template if="partner.gold"><p title="{{ partner.gold }}">{{ partner.gold }}</p></template>
<template each="shop in data.shops"><a href="{{ shop.url }}">{{ shop.name }}</a></template>
<template each="entry in collections.news"><a href="{{ entry.link }}">{{ entry.title }}</a></template>`,
  '<link rel="stylesheet" href="{{ mount }}assets/style.css">{{ meta }}',
);

const word = fc.constantFrom('a', 'ü & <b>', '"q"', '{{ x', '&amp;', 'shop', '*s*', '');
const paragraph = fc.constantFrom(
  'Hello {{ partner.name }}.',
  '[shop]({{ partner.url }}) and [next](b.md#x) and [one](a.md)',
  '![p](assets/p.png "{{ partner.name }}")',
  '| a | b |\n|---|---|\n| {{ partner.gold }} | `x` |',
  '```js\nlet a = "{{ partner.name }}";\n```',
  'a[^1]\n\n[^1]: {{ partner.id }}',
  '> [!NOTE]\n> {{ partner.name }}',
  '<div class="x" title="{{ partner.name }}">*b*</div>',
  '- [x] {{ page.title }}\n- b',
  '<slot name="s">\n\nfallback {{ partner.name }}\n\n</slot>',
);

interface Page {
  readonly name: string;
  readonly title: string;
  readonly audience: '' | 'cafe' | 'bar' | 'p1';
  readonly inherit: 'full' | 'framework' | 'link';
  readonly news: boolean;
  readonly language: '' | 'de';
  readonly body: readonly string[];
}

const page: fc.Arbitrary<Page> = fc.record({
  name: fc.constantFrom('a', 'b', 'c', 'd', 'guide/e', 'guide/f'),
  title: fc.constantFrom('A', 'Ü & <i>', 'T "q"'),
  audience: fc.constantFrom('', 'cafe', 'bar', 'p1'),
  inherit: fc.constantFrom('full', 'full', 'framework', 'link'),
  news: fc.boolean(),
  language: fc.constantFrom('', '', 'de'),
  body: fc.array(paragraph, { maxLength: 4 }).map((each) => [...new Set(each)]),
});

function textOf({ title, audience, inherit, news, language, body }: Page): string {
  const front = [
    `title: ${JSON.stringify(title)}`,
    `inherit: ${inherit}`,
    'description: d',
    ...(inherit === 'framework' ? ['slots:', '  s:', '    description: words'] : []),
    ...(audience === '' ? [] : [`partners: [${audience}]`]),
    ...(news ? ['tags: [news]'] : []),
    ...(language === '' ? [] : [`language: ${language}`]),
  ];
  const slotted = body.some((each) => each.startsWith('<slot'));
  const own = inherit === 'framework' && !slotted ? [...body, '<slot name="s">\n\nf\n\n</slot>'] : body;
  const kept = inherit === 'framework' ? own : own.filter((each) => !each.startsWith('<slot'));
  return `---\n${front.join('\n')}\n---\n${inherit === 'link' ? 'Teaser.' : kept.join('\n\n')}\n`;
}

const view = (index: number): fc.Arbitrary<PartnerView> =>
  fc
    .record({
      name: word,
      tags: fc.subarray(['cafe', 'bar']),
      mount: fc.constantFrom('/with-main/', '/m/', '/a/b/'),
      search: fc.constantFrom('canonical-to-main' as const, 'noindex' as const, 'own' as const),
      gold: word,
      shop: fc.constantFrom('https://a.example/', 'https://b.example/x?y=1&z="2"'),
    })
    .map(({ name, tags, mount, search, gold, shop }) =>
      partner({ id: `p${index}`, name, tags, mount, search, url: shop, values: { gold } }),
    );

const world = fc.record({
  pages: fc.uniqueArray(page, { minLength: 1, maxLength: 6, selector: ({ name }) => name }),
  partners: fc
    .integer({ min: 1, max: 4 })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, i) => view(i)))),
  hashAssets: fc.boolean(),
});

function sourceOf(pages: readonly Page[], hashAssets: boolean): SiteSource {
  return siteSource({
    pages: {
      'index.md': '---\ntitle: Start\ntags: [news]\n---\n[a](a.md)\n',
      ...Object.fromEntries(pages.map((each) => [`${each.name}.md`, textOf(each)])),
    },
    templates: { page: TEMPLATE },
    assets: ['style.css', 'p.png'],
    data: {
      shops: [
        { name: 'One', url: 'https://one.example/' },
        { name: 'Zwei & <b>', url: '/zwei' },
      ],
    },
    hashAssets,
  });
}

/** Path, bytes and slots of everything that the partner gets. */
function filesOf(site: CompiledSite, each: PartnerView, scratch?: Scratch): unknown[] {
  return site.filesFor(each).map((file) => [file.path, contentOf(file, scratch)]);
}

function contentOf(file: SiteFile, scratch: Scratch | undefined): unknown {
  if (file.kind === 'asset') return [file.digest, file.bytes && Buffer.from(file.bytes).toString('hex')];
  if (file.kind !== 'page') return Buffer.from(file.render()).toString();
  const { bytes, slots } = file.render(7, scratch);
  return [Buffer.from(bytes).toString(), slots, file.key(7)];
}

describe('rendering for many partners', () => {
  it('gives each of them, byte for byte, what a build for it alone would', () => {
    let rendered = 0;
    fc.assert(
      fc.property(world, ({ pages, partners, hashAssets }) => {
        const shared = compileSource(sourceOf(pages, hashAssets));
        // Rendered into the same room, one after the other, and once more behind all others.
        const scratch = new Scratch();
        const first = partners.map((each) => filesOf(shared, each, scratch));
        const again = partners
          .toReversed()
          .map((each) => filesOf(shared, each))
          .toReversed();
        const alone = partners.map((each) => filesOf(compileSource(sourceOf(pages, hashAssets)), each));
        expect(first).toEqual(alone);
        expect(again).toEqual(alone);
        rendered += alone.flat().length;
      }),
      { numRuns: 40 },
    );
    expect(rendered).toBeGreaterThan(200);
  });
});
