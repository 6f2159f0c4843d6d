/** Hostile texts and values on their whole way to a visitor, in a real browser: nothing runs, nothing is asked for, nothing else changes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { parseMainSite } from '../../src/config/main-site.ts';
import { parsePartnership } from '../../src/config/partnership.ts';
import { compileHere } from '../../src/content/compile-here.ts';
import { isTieupError } from '../../src/errors.ts';
import { startLoopbackServer, type LoopbackServer } from '../../src/io/loopback-server.ts';
import { memoryTree } from '../../src/io/memory-tree.ts';
import { loadSite } from '../../src/main-site/load-site.ts';
import { partnerView } from '../../src/main-site/partner-view.ts';
import { merge } from '../../src/partner-site/merge.ts';
import { startBrowser, type Browser } from '../support/browser.ts';
import { startCanary, suspiciousVisitor, type Canary, type Visit } from '../support/canary.ts';
import { aimedAt, FETCHING_TEXTS, HOSTILE_TEXTS, HOSTILE_VALUES } from '../support/hostile-texts.ts';
import { mainFixture, type MainFixture } from '../support/partnership-fixture.ts';
import type { PartnerFixture } from '../support/partner-fixture.ts';
import { fill } from '../support/site-fixture.ts';
import { realPart } from '../support/real-parts.ts';
import { refusalOf } from '../support/refusal.ts';
import { changedPaths } from '../support/snapshot.ts';

const chromium = realPart('chromium');

/** The text of a page in one place, what its partner puts into it in another. */
const FRAME = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ page.title }}</title>{{ meta }}</head>
<body><nav>{{ navigation }}</nav><main><div id="text"><slot name="content"></slot></div><div id="slot"><slot name="hours"></slot></div></main>
<footer>{{ partner.name }}</footer></body></html>
`;

/** Every place of a template that may hold a value of anybody. */
const VALUES = [
  'page.title',
  'page.description',
  'page.v',
  'partner.v',
  'partner.name',
  'site.v',
  'data.d.v',
  'item.v',
];
const PLACES = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ partner.v }}</title>
<meta name="description" content="{{ page.description }}">{{ meta }}</head>
<body><nav>{{ navigation }}</nav><nav>{{ breadcrumbs }}</nav><main><slot name="content"></slot>
<template each="item in data.d.list">${VALUES.map(
  (name) => `<p title="{{ ${name} }}" class='{{ ${name} }}' data-x="{{ ${name} }}">{{ ${name} }}
<a href="/x?y={{ ${name} }}#{{ ${name} }}">x</a><a href="/{{ ${name} }}/x">x</a><textarea>{{ ${name} }}</textarea>
<svg><text>{{ ${name} }}</text></svg><select><option value="{{ ${name} }}">{{ ${name} }}</option></select></p>`,
).join('\n')}</template>
<template each="post in collections.all"><a href="{{ post.link }}" title="{{ post.v }}">{{ post.title }}</a></template>
</main></body></html>
`;

/** Elements and names of attributes; what stands in the places of texts is left out. */
const SHAPE_OF_FRAME = `(() => {
  for (const place of document.querySelectorAll('#text, #slot')) place.replaceChildren();
  const shape = (element) => element.localName + '[' + [...element.attributes].map(({ name }) => name) + '](' + [...element.children].map(shape) + ')';
  return shape(document.documentElement);
})()`;
/** The same of a whole file; data blocks are read, so that a broken one is an error. */
const SHAPE_OF_FILE = `async (path) => {
  const text = await (await fetch(path)).text();
  const type = path.endsWith('.xml') ? 'application/xml' : 'text/html';
  const parsed = new DOMParser().parseFromString(text, type);
  if (parsed.querySelector('parsererror')) throw new Error(path + ' is no XML');
  for (const block of parsed.querySelectorAll('script')) JSON.parse(block.textContent);
  const shape = (element) => element.localName + '[' + [...element.attributes].map(({ name }) => name) + '](' + [...element.children].map(shape) + ')';
  return shape(parsed.documentElement);
}`;
const NOW = new Date('2026-11-23T22:00:00Z');

describe.skipIf(chromium === undefined)('hostile content', () => {
  let browser: Browser;
  let open: (address: string) => Promise<Visit>;
  let canary: Canary;
  let server: LoopbackServer;
  let served: ReadonlyMap<string, Uint8Array | string> = new Map();

  beforeAll(async () => {
    canary = await startCanary();
    browser = await startBrowser(chromium ?? '');
    open = suspiciousVisitor(browser.context);
    server = await startLoopbackServer(async ({ path }) => {
      const body = served.get(path);
      return { status: body === undefined ? 404 : 200, name: path, body: body ?? '' };
    });
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    canary?.close();
  });

  const serve = (files: Iterable<readonly [string, string | Uint8Array]>): void => void (served = new Map(files));
  const aimed = (texts: readonly string[]): readonly string[] => aimedAt(canary.origin, texts);
  const visit = (path: string): Promise<Visit> => open(`http://127.0.0.1:${server.port}${path}`);

  test('is noticed when nothing holds it back', async () => {
    // A page that goes elsewhere at once is told from others by that alone.
    const texts = aimed([...HOSTILE_TEXTS, ...FETCHING_TEXTS]).filter((text) => !text.includes('refresh'));
    serve([
      ...texts.map((text, index) => [`/${index}.html`, `<!doctype html><main>${text}</main>`] as const),
      ['/all.html', `<script>console.log('pwned'); alert(1); fetch('${canary.origin}/'); window.__pwned = 1</script>`],
    ]);
    expect((await visit('/all.html')).misdeeds).toEqual([
      'console: pwned',
      'dialog: 1',
      `request: ${canary.origin}/`,
      'ran',
    ]);
    expect(canary.asked.splice(0)).toEqual(['/']);
    let noticed = 0;
    for (const index of texts.keys()) if ((await visit(`/${index}.html`)).misdeeds.length > 0) noticed += 1;
    expect(noticed).toBeGreaterThan(60);
    canary.asked.splice(0);
  });

  describe('in pages and slots', () => {
    /** What a page may not say anyway, because there are no such slots. */
    const forPages = HOSTILE_TEXTS.filter((text) => !text.includes('<slot'));
    let main: MainFixture;
    let shop: PartnerFixture;

    beforeAll(async () => {
      const pages = aimed(forPages).map((text, index) => [`pages/md-${index}.md`, framed(text)]);
      const slots = HOSTILE_TEXTS.flatMap((_, index) => [`pages/slot-md-${index}.md`, `pages/slot-html-${index}.md`]);
      const holding = slots.map((path) => [path, framed('Harmless')]);
      main = await mainFixture({
        'templates/page.html': FRAME,
        'pages/index.md': framed('Harmless'),
        'pages/harmless.md': framed('Harmless'),
        ...Object.fromEntries([...pages, ...holding]),
      });
      shop = await main.join();
      for (const [index, text] of aimed(HOSTILE_TEXTS).entries())
        for (const format of ['md', 'html']) await shop.write(`slots/slot-${format}-${index}/hours.${format}`, text);
      await main.pushed();
      await shop.accept();
    });

    test('does nothing at a partner, and changes nothing around it', async () => {
      serve(Object.entries(await shop.live()).map(([path, body]) => [`/${path}`, body]));
      const frame = await frameOf(await visit('/with-main/harmless.html'));
      const paths = [...served.keys()].filter((path) => /-\d+\.html$/.test(path));
      expect(paths).toHaveLength(forPages.length + 2 * HOSTILE_TEXTS.length);
      for (const path of paths) {
        const visited = await visit(path);
        expect([path, visited.misdeeds]).toEqual([path, []]);
        expect([path, await frameOf(visited)]).toEqual([path, frame]);
      }
      expect(canary.asked).toEqual([]);
    });

    test('is refused before anything is sent when a page shows what comes from elsewhere', async () => {
      const before = await shop.snapshot();
      const paths = aimed(FETCHING_TEXTS).map((text, index) => [`fetching-${index}`, framed(text)] as const);
      for (const [path, text] of paths) await main.write(`pages/${path}.md`, text);
      const [result] = await main.push();
      for (const [path] of paths) await main.remove(`pages/${path}.md`);
      const error = result?.kind === 'failed' ? result.error : undefined;
      expect(error).toMatchObject({ code: 'TIEUP_E_CONTENT' });
      const wrong = isTieupError(error) ? error.problems.map(({ file }) => file) : [];
      expect(new Set(wrong)).toEqual(new Set(paths.map(([path]) => `with-main/${path}.html`)));
      expect(changedPaths(before, await shop.snapshot())).toEqual([]);
    });

    test('is refused, file by file, when slots show what comes from elsewhere', async () => {
      const texts = aimed(FETCHING_TEXTS).map((text) => ({ text, format: text.startsWith('<') ? 'html' : 'md' }));
      const files = texts.map(({ format }, index) => `slots/md-${index}/hours.${format}`);
      for (const [index, file] of files.entries()) await shop.write(file, texts[index]?.text ?? '');
      const { error } = await refusalOf(shop, async () => merge(await shop.open()));
      for (const index of files.keys()) await shop.remove(`slots/md-${index}`);
      expect(new Set(error.problems.map(({ file }) => file))).toEqual(new Set(files));
    });
  });

  describe('in values', () => {
    /** Every file of the partner, by address; or undefined when the value is refused. */
    async function built(value: string, template = PLACES): Promise<ReadonlyMap<string, Uint8Array> | undefined> {
      const line = value.replace(/[\r\n]/g, ' ').slice(0, 200);
      const front = { title: line, description: line, navigation: line, date: '2026-11-20', tags: ['all'] };
      const own = { ...front, values: { v: value }, aliases: ['former.html'] };
      const files = memoryTree();
      await fill(files, {
        'templates/page.html': template,
        'data/d.json': JSON.stringify({ v: value, list: [{ v: value }] }),
        'pages/index.md': `---\n${stringify(own)}---\n\n{{ partner.v }} [x](/y?{{ page.v }}) {{ data.d.v }}\n`,
        'pages/below/page.md': `---\n${stringify({ ...own, aliases: [] })}---\n\nText\n`,
      });
      try {
        const site = { name: line, url: 'https://main.example/', values: { v: value } };
        const config = parseMainSite(stringify({ role: 'main', site }), 'tieup.yaml');
        const contract = { id: 'shop', name: line, url: 'https://shop.example/', mount: '/with-main/' };
        const terms = { ...contract, period: { from: '2026-01-01' }, policy: { search: 'own' }, values: { v: value } };
        const partner = partnerView(parsePartnership(stringify(terms), 'partners/shop.yaml'));
        const memory = { get: () => undefined, put: () => undefined, flush: () => undefined };
        const parts = { config, files, markdown: compileHere, identity: 'test', memory, images: async () => undefined };
        const made = new Map<string, Uint8Array>();
        for (const file of (await loadSite(parts, NOW)).filesFor(partner)) {
          if (file.kind !== 'asset')
            made.set(`/${file.path}`, file.kind === 'page' ? file.render(1).bytes : file.render());
        }
        return made;
      } catch (error) {
        if (isTieupError(error, 'TIEUP_E_CONTENT', 'TIEUP_E_CONFIG')) return undefined;
        throw error;
      }
    }

    async function lookAt(files: ReadonlyMap<string, Uint8Array>): Promise<Look> {
      serve(files);
      const did: string[] = [];
      let shapes: readonly string[] = [];
      for (const path of ['/with-main/index.html', '/with-main/below/page.html']) {
        const { misdeeds, page } = await visit(path);
        did.push(...misdeeds);
        shapes = await page.evaluate<string[]>(
          `Promise.all(${JSON.stringify([...files.keys()])}.map(${SHAPE_OF_FILE}))`,
        );
      }
      return { did, shapes };
    }

    /** What the files are with each of the values that are not refused. */
    async function looks(template?: string): Promise<ReadonlyMap<string, Look>> {
      const found = new Map<string, Look>();
      for (const value of ['teal', ...HOSTILE_VALUES]) {
        const files = await built(value, template);
        if (files !== undefined) found.set(value, await lookAt(files));
      }
      return found;
    }

    test('does nothing wherever a value may stand, and changes no element', async () => {
      const found = await looks();
      const harmless = found.get('teal');
      expect(harmless?.did).toEqual([]);
      expect(harmless?.shapes.length).toBeGreaterThan(4);
      expect(found.size).toBeGreaterThan(30);
      for (const [value, look] of found) expect([value, look]).toEqual([value, harmless]);
      expect(canary.asked).toEqual([]);
    });

    test.each([
      ['an address to follow', '<a href="{{ partner.v }}">x</a>'],
      ['an address of a picture', '<img src="{{ partner.v }}" alt="x">'],
      ['a colour', '<p style="color: {{ partner.v }}">x</p><svg fill="{{ partner.v }}"></svg>'],
      ['a colour of a style', '<style>p { color: {{ partner.v }} }</style>'],
    ])('is refused as %s, or does nothing there', async (_, place) => {
      const found = await looks(FRAME.replace('<main>', `<main>${place}`));
      const harmless = found.get('teal');
      expect(harmless?.did).toEqual([]);
      for (const [value, look] of found) expect([value, look]).toEqual([value, harmless]);
      expect(canary.asked).toEqual([]);
    });
  });
});

interface Look {
  readonly did: readonly string[];
  readonly shapes: readonly string[];
}

function framed(text: string): string {
  return `---\ntitle: Framed\ninherit: framework\nslots: { hours: { description: Hours } }\nnavigation: false\n---\n\n${text}\n`;
}

async function frameOf({ page }: Visit): Promise<string> {
  return page.evaluate<string>(SHAPE_OF_FRAME);
}
