/** The starter folder, with the framework that ships, must build as it is. */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readStarterParts } from '../../../src/cli/starter-parts.ts';
import { parseMainSite } from '../../../src/config/main-site.ts';
import { parsePartnership } from '../../../src/config/partnership.ts';
import { folderTree } from '../../../src/io/folder-tree.ts';
import { memoryTree } from '../../../src/io/memory-tree.ts';
import { createFiles } from '../../../src/io/new-files.ts';
import { planMainSite } from '../../../src/main-site/init.ts';
import { compileHere } from '../../../src/content/compile-here.ts';
import { loadSite } from '../../../src/main-site/load-site.ts';
import { partnerView } from '../../../src/main-site/partner-view.ts';

const SHIPPED = fileURLToPath(new URL('../../../templates', import.meta.url));

async function starter() {
  const answers = {
    name: 'Northwind Coffee',
    url: 'https://northwind.example/',
    partner: { id: 'harbour', name: 'Harbour Books', url: 'https://harbour.example/' },
    mount: '/with-northwind-coffee/',
    from: '2026-11-23',
  };
  const files = memoryTree();
  await createFiles(files, planMainSite(answers, await readStarterParts(folderTree(SHIPPED), 'plain')));
  const text = async (path: string): Promise<string> => new TextDecoder().decode(await files.read(path, 1_000_000));
  const config = parseMainSite(await text('tieup.yaml'), 'tieup.yaml');
  const partnership = parsePartnership(await text('partners/harbour.yaml'), 'partners/harbour.yaml');
  const at = new Date('2026-11-23T22:00:00Z');
  const memory = { get: () => undefined, put: () => undefined, flush: () => undefined };
  const parts = { config, files, markdown: compileHere, identity: 'test', memory, images: async () => undefined };
  return { site: await loadSite(parts, at), partner: partnerView(partnership) };
}

describe('the starter folder of a main site', () => {
  test('builds without a warning, one page of each inheritance', async () => {
    const { site, partner } = await starter();
    expect(site.warnings).toEqual([]);
    const files = site.filesFor(partner);
    expect(files.map(({ path }) => path)).toEqual([
      expect.stringMatching(/^with-northwind-coffee\/assets\/style\.[0-9a-f]{8}\.css$/),
      'with-northwind-coffee/brewing.html',
      'with-northwind-coffee/feed.xml',
      'with-northwind-coffee/index.html',
      'with-northwind-coffee/news/at-the-counter.html',
      'with-northwind-coffee/news/index.html',
      'with-northwind-coffee/news/new-harvest.html',
      'with-northwind-coffee/story.html',
      'with-northwind-coffee/visit.html',
    ]);
    const kinds = files.flatMap((file) => (file.kind === 'page' ? [file.inherit] : []));
    expect(new Set(kinds)).toEqual(new Set(['full', 'framework', 'link']));
  });

  test('leaves the partner two slots, with words of its own until they are filled', async () => {
    const { site, partner } = await starter();
    const visit = site.filesFor(partner).find(({ path }) => path.endsWith('/visit.html'));
    if (visit?.kind !== 'page') throw new Error('there is no page to visit');
    const { bytes, slots } = visit.render(1);
    expect(slots.map(({ name, required }) => ({ name, required }))).toEqual([
      { name: 'opening-hours', required: false },
      { name: 'tastings', required: false },
    ]);
    const [hours] = slots;
    const fallback = Buffer.from(bytes).subarray(hours?.offset, (hours?.offset ?? 0) + (hours?.length ?? 0));
    expect(fallback.toString()).toContain('ask at the counter');
    expect(fallback.toString()).toContain('href="https://harbour.example/"');
  });

  test('makes a table of a data file, and a list of its news, the newest first', async () => {
    const { site, partner } = await starter();
    const rendered = (name: string) => {
      const file = site.filesFor(partner).find(({ path }) => path === `with-northwind-coffee/${name}`);
      if (file?.kind !== 'page') throw new Error(`there is no ${name}`);
      return Buffer.from(file.render(1).bytes).toString();
    };
    expect(rendered('index.html').match(/<th scope="row">[^<]*/g)).toHaveLength(4);
    expect(rendered('index.html').match(/class="new"/g)).toHaveLength(1);
    expect(rendered('brewing.html')).not.toContain('<table');
    const titles = [...rendered('news/index.html').matchAll(/<li><a href="([^"]*)">[^<]*<\/a>\n/g)];
    expect(titles.map(([, address]) => address)).toEqual(['at-the-counter.html', 'new-harvest.html']);
    expect(rendered('news/new-harvest.html')).toContain('November 11, 2026');
  });

  test('speaks of the partner by its values', async () => {
    const { site, partner } = await starter();
    const index = site.filesFor(partner).find(({ path }) => path.endsWith('/index.html'));
    if (index?.kind !== 'page') throw new Error('there is no index');
    const html = Buffer.from(index.render(1).bytes).toString();
    expect(html).toContain('Our coffee at Harbour Books');
    expect(html).toContain('a flat white with the Harbour blend');
    expect(html).not.toContain('{{');
  });
});
