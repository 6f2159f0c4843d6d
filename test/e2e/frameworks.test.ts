/** The frameworks that ship, with everything that a page may hold, in a real browser. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FRAMEWORKS, readStarterParts, type Framework } from '../../src/cli/starter-parts.ts';
import { parseMainSite } from '../../src/config/main-site.ts';
import { parsePartnership } from '../../src/config/partnership.ts';
import { compileHere } from '../../src/content/compile-here.ts';
import { folderTree } from '../../src/io/folder-tree.ts';
import { startLoopbackServer, type LoopbackServer } from '../../src/io/loopback-server.ts';
import { memoryTree } from '../../src/io/memory-tree.ts';
import { createFiles } from '../../src/io/new-files.ts';
import { planMainSite } from '../../src/main-site/init.ts';
import { loadSite } from '../../src/main-site/load-site.ts';
import { partnerView } from '../../src/main-site/partner-view.ts';
import { startBrowser, violationsOn, type Browser } from '../support/browser.ts';
import { realPart } from '../support/real-parts.ts';

const SHIPPED = fileURLToPath(new URL('../../templates', import.meta.url));
const MAX_CSS = 30 * 1024;
const WIDTHS = [360, 1280] as const;
const SCHEMES = ['light', 'dark'] as const;

/** Beside the pages that come with a framework: all that Markdown can be, and a list over several pages. */
const PAGES = {
  'pages/all/index.md':
    '---\ntitle: All of it\npaginate: { collection: all, size: 1 }\n---\n\n# All of it\n\nA list.\n',
  'pages/all/one.md': `---
title: Everything
tags: [all]
---

# Everything

A paragraph with **strong**, *soft*, ~~gone~~, \`code\`, <kbd>Key</kbd>, <mark>marked</mark> and a note[^one].

## Alerts

${['NOTE', 'TIP', 'IMPORTANT', 'WARNING', 'CAUTION'].map((kind) => `> [!${kind}]\n> Read this, [please](index.md).\n`).join('\n')}
> A quotation.

## Code

\`\`\`js
// A comment.
const name = 'text' + 12 + true;
function call() { return name; }
\`\`\`

\`\`\`diff
- gone
+ come
\`\`\`

A_very_long_word_${'without_an_end_'.repeat(12)}

## Table

| Left | Middle | Right | ${'More | '.repeat(6)}
| :--- | :---: | ---: | ${'--- | '.repeat(6)}
| one | two | 3 | ${'something | '.repeat(6)}

- [x] done
- [ ] to do

1. first
   - inside

<details><summary>More</summary>

Hidden at first.

</details>

[^one]: The note.
`,
  'pages/all/two.md': '---\ntitle: Another\ntags: [all]\n---\n\n# Another\n\nText.\n',
};

const ANSWERS = {
  name: 'Northwind Coffee',
  url: 'https://northwind.example/',
  partner: { id: 'harbour', name: 'Harbour Books', url: 'https://harbour.example/' },
  mount: '/with-main/',
  from: '2026-11-23',
};

/** Every file of the partner, by address. */
async function built(framework: Framework): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = memoryTree();
  const further = Object.entries(PAGES).map(([path, text]) => ({ path, content: Buffer.from(text) }));
  const planned = planMainSite(ANSWERS, await readStarterParts(folderTree(SHIPPED), framework));
  await createFiles(files, [...planned, ...further]);
  const text = async (path: string): Promise<string> => new TextDecoder().decode(await files.read(path, 1e6));
  const config = parseMainSite(await text('tieup.yaml'), 'tieup.yaml');
  const partnership = parsePartnership(await text('partners/harbour.yaml'), 'partners/harbour.yaml');
  const memory = { get: () => undefined, put: () => undefined, flush: () => undefined };
  const parts = { config, files, markdown: compileHere, identity: 'test', memory, images: async () => undefined };
  const site = await loadSite(parts, new Date('2026-11-23T22:00:00Z'));
  expect(site.warnings).toEqual([]);
  const made = new Map<string, Uint8Array>();
  for (const file of site.filesFor(partnerView(partnership))) {
    if (file.kind === 'page') made.set(`/${file.path}`, file.render(1).bytes);
    if (file.kind === 'asset') made.set(`/${file.path}`, file.bytes ?? (await files.read(`assets/${file.asset}`, 1e6)));
  }
  return made;
}

const chromium = realPart('chromium');

describe.skipIf(chromium === undefined).each(FRAMEWORKS)('the framework %s', (framework) => {
  let browser: Browser;
  let files: ReadonlyMap<string, Uint8Array>;
  let server: LoopbackServer;

  beforeAll(async () => {
    files = await built(framework);
    browser = await startBrowser(chromium ?? '');
    server = await startLoopbackServer(async ({ path }) => {
      const body = files.get(path);
      return { status: body === undefined ? 404 : 200, name: path, body: body ?? '' };
    });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  /** Of each kind one: the first page, everything that a text may hold, a list, and its second page. */
  const pages = [
    'index.html',
    'news/index.html',
    'news/new-harvest.html',
    'all/one.html',
    'all/index.html',
    'all/page/2/index.html',
  ].map((path) => `/with-main/${path}`);

  async function open(
    path: string,
    width: number,
    colorScheme: 'light' | 'dark',
    media: 'screen' | 'print' = 'screen',
  ) {
    const page = await browser.context.newPage();
    const asked: string[] = [];
    page.on('request', (request) => void asked.push(new URL(request.url()).origin));
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme, media });
    await page.goto(`http://127.0.0.1:${server.port}${path}`);
    return { page, asked };
  }

  test('has no accessibility violation on any page, in light and in dark, on a telephone and on a desk', async () => {
    for (const path of pages) {
      for (const width of WIDTHS) {
        for (const scheme of SCHEMES) {
          const { page } = await open(path, width, scheme);
          expect([path, width, scheme, await violationsOn(page)]).toEqual([path, width, scheme, []]);
          await page.close();
        }
      }
    }
  }, 300_000);

  test('needs no scrolling to the side, no script and no other origin', async () => {
    for (const path of pages) {
      expect(new TextDecoder().decode(files.get(path))).not.toMatch(/<script(?! type="application\/ld\+json")/);
      for (const width of WIDTHS) {
        const { page, asked } = await open(path, width, 'light');
        const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
        expect([path, wide <= width]).toEqual([path, true]);
        expect(new Set(asked)).toEqual(new Set([`http://127.0.0.1:${server.port}`]));
        await page.close();
      }
    }
  }, 120_000);

  test('has a style sheet of 30 KB at most', () => {
    const styles = [...files].filter(([path]) => path.endsWith('.css'));
    expect(styles).toHaveLength(1);
    for (const [, bytes] of styles) expect(bytes.length).toBeLessThanOrEqual(MAX_CSS);
  });

  test('prints the text, black on white, without the navigation', async () => {
    const { page } = await open('/with-main/all/one.html', 794, 'dark', 'print');
    expect(await page.locator('nav:visible').count()).toBe(0);
    const style = (name: string) => page.evaluate<string>(`getComputedStyle(document.body).${name}`);
    expect([await style('color'), await style('backgroundColor')]).toEqual(['rgb(0, 0, 0)', 'rgb(255, 255, 255)']);
    await page.close();
  });

  test('leads through a list from page to page, and shows the way back', async () => {
    const { page } = await open('/with-main/all/index.html', 1280, 'light');
    expect(await page.locator('.breadcrumbs a[aria-current=page]').textContent()).toBe('All of it');
    await page.locator('a[rel=next]').click();
    await page.waitForURL('**/all/page/2/**');
    expect(await page.locator('a[rel=prev]').count()).toBe(1);
    expect(await page.locator('#page-navigation [aria-current]').textContent()).toBe('All of it');
    await page.close();
  });
});
