/** The preview without a network: what a browser would be given. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folderTree } from '../../../src/io/folder-tree.ts';
import type { LoopbackAnswer } from '../../../src/io/loopback-server.ts';
import type { PartnerFolder } from '../../../src/main-site/preview/partner-folder.ts';
import { Preview, type PreviewRequest } from '../../../src/main-site/preview/preview.ts';
import { mainFixture, PAGES, partnership, type MainFixture } from '../../support/partnership-fixture.ts';

const SCRIPT =
  /\n<script src="\/\.tieup\/preview\.js" data-version="([0-9a-f]+)"(?: data-notes="([^"]*)")?><\/script>\n$/;
const PARTNER =
  'id: harbour\nname: Harbour Books\nurl: https://harbour.example/\nmount: /with-main/\nperiod:\n  from: "2026-01-01"\n';
const never = new AbortController().signal;

async function textOf({ body }: LoopbackAnswer): Promise<string> {
  if (typeof body === 'string') return body;
  if (body instanceof Uint8Array) return new TextDecoder().decode(body);
  let text = '';
  for await (const chunk of body) text += typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk);
  return text;
}

interface Shown {
  readonly status: number;
  readonly html: string;
  readonly version: string;
  readonly notes: string;
}

async function previewOf({ site }: Pick<MainFixture, 'site'>, request: Partial<PreviewRequest> = {}) {
  const preview = new Preview(async () => site, { partners: [], at: undefined, folder: undefined, ...request });
  await preview.rebuild();
  const ask = (path: string, query = '', signal = never) =>
    preview.answerAt('harbour', { path, query: new URLSearchParams(query), signal });
  return {
    preview,
    ask,
    start: async () => textOf(await preview.answerStart({ path: '/', query: new URLSearchParams(), signal: never })),
    show: async (path: string): Promise<Shown> => {
      const answer = await ask(path);
      const text = await textOf(answer);
      const [, version = '', notes = ''] = SCRIPT.exec(text) ?? [];
      return { status: answer.status, html: text.replace(SCRIPT, ''), version, notes };
    },
    /** What a browser that shows `version` of a page is told. */
    events: (path: string, version: string, signal = never) =>
      ask('/.tieup/events', `address=${encodeURIComponent(path)}&version=${version}`, signal),
  };
}

function folderOf({ folder }: { readonly folder: string }): PartnerFolder {
  const at = (name: string) => folderTree(join(folder, name));
  return { original: at('original'), slots: at('slots'), slotsName: 'slots' };
}

async function alone(pages: Readonly<Record<string, string>> = {}): Promise<MainFixture> {
  return mainFixture({ ...PAGES, 'partners/harbour.yaml': PARTNER, ...pages });
}

describe('a preview', () => {
  test('shows byte for byte what visitors of the partner get, its own pages and filled slots included', async () => {
    const { main, shop } = await partnership();
    await shop.write('slots/visit/hours.md', 'Ten to **six**.\n');
    await shop.accept();
    const live = await shop.live();
    const { show, ask } = await previewOf(main, { folder: folderOf(shop) });
    const pages = Object.keys(live).filter((path) => path.endsWith('.html'));
    expect(pages).toContain('about/us.html');
    for (const path of pages) expect([path, (await show(`/${path}`)).html]).toEqual([path, live[path]]);
    expect(live['with-main/visit.html']).toContain('Ten to <strong>six</strong>.');
    const style = Object.keys(live).find((path) => path.endsWith('.css')) ?? '';
    const answer = await ask(`/${style}`);
    expect([answer.name, await textOf(answer)]).toEqual([style, live[style]]);
  });

  test('begins with the partners and their pages', async () => {
    const main = await alone({
      'partners/moor.yaml': PARTNER.replace('harbour', 'moor').replace('Harbour Books', 'Moor & Sons <b>'),
    });
    const html = await (await previewOf(main)).start();
    expect(html).toContain('<a href="/to/harbour/with-main/">Harbour Books</a>');
    expect(html).toContain('Moor &amp; Sons &lt;b&gt;');
    expect(html).toContain('<a href="/to/moor/with-main/visit.html">Visit us</a>');
    const only = await (await previewOf(main, { partners: ['moor'] })).start();
    expect(only).not.toContain('Harbour Books');
  });

  test('shows the pictures of the partner', async () => {
    const logo = '<svg xmlns="http://www.w3.org/2000/svg" width="32" height="24"><path d="M0 0h1v1z"/></svg>';
    const main = await alone({
      'partners/harbour.yaml': `${PARTNER}images:\n  logo: logo.svg\n`,
      'partners/harbour/logo.svg': logo,
      'pages/logo.md': '# Logo\n\n![]({{ partner.logo }})\n',
    });
    const { show, ask } = await previewOf(main);
    const [, address = ''] = /<img src="([^"]+)"/.exec((await show('/with-main/logo.html')).html) ?? [];
    expect(address).toMatch(/^\/with-main\/assets\/partner\/logo\.[0-9a-f]{8}\.svg$/);
    expect(await textOf(await ask(address))).toBe(logo);
  });

  test('shows the fallback of a slot, and says that it is one', async () => {
    const { show } = await previewOf(await alone());
    const { html, notes } = await show('/with-main/visit.html');
    expect(html).toContain('Please ask at the counter.');
    expect(notes).toContain('its fallback is shown');
  });

  test('shows what a folder is, and where it is', async () => {
    const { show, ask } = await previewOf(await alone());
    expect((await show('/with-main/')).html).toContain('Our coffee at Harbour Books');
    expect(await ask('/with-main')).toMatchObject({ status: 302, headers: { location: '/with-main/' } });
  });

  test('hands out nothing that no web server would', async () => {
    const { main, shop } = await partnership();
    await shop.write('original/.htpasswd', 'secret');
    const { show } = await previewOf(main, { folder: folderOf(shop) });
    const odd = [
      '/.htpasswd',
      '/../tieup.yaml',
      '/%2e%2e/tieup.yaml',
      '/..%2ftieup.yaml',
      '/%00',
      '/%ff',
      '//index.html',
      '/a%5cb',
    ];
    for (const path of odd) {
      const { status, html } = await show(path);
      expect([path, status, html.includes('secret'), html.includes('role: partner')]).toEqual([
        path,
        404,
        false,
        false,
      ]);
    }
  });

  test('leaves out a page whose slot the partner has to fill, once it shows that partner’s folder', async () => {
    const { main, shop } = await partnership();
    await main.write('pages/visit.md', (PAGES['pages/visit.md'] ?? '').replace('required: false', 'required: true'));
    expect((await (await previewOf(main)).show('/with-main/visit.html')).notes).toContain('left out until');
    const { status, html } = await (await previewOf(main, { folder: folderOf(shop) })).show('/with-main/visit.html');
    expect(status).toBe(404);
    expect(html).toContain('<li><code>hours</code></li>');
  });

  test('says where the partner has a file of its own in the way', async () => {
    const { main, shop } = await partnership();
    await shop.write('original/with-main/new.html', 'mine');
    await main.write('pages/new.md', '---\ntitle: New\n---\n\nNew\n');
    const { html, notes } = await (await previewOf(main, { folder: folderOf(shop) })).show('/with-main/new.html');
    expect(html).toContain('New');
    expect(notes).toContain('a file of its own here');
  });
});

describe('what is wrong', () => {
  test('is shown in place of the page, with its lines, as text', async () => {
    const main = await alone({
      'pages/index.md': '---\ntitle: Bad\n---\n\n<b>one</b>\n\ttwo {{ nonsense.x }}\n\nthree\n',
    });
    const { status, html } = await (await previewOf(main)).show('/with-main/index.html');
    expect(status).toBe(500);
    expect(html).toContain('pages/index.md:6:6: unknown variable `nonsense.x`');
    expect(html).toContain(
      '5 | &lt;b&gt;one&lt;/b&gt;\n<mark>6 | \ttwo {{ nonsense.x }}</mark>\n  | \t    ^\n7 | \n8 | three',
    );
  });

  test('with a slot file is shown with the lines of the partner', async () => {
    const { main, shop } = await partnership();
    await shop.write('slots/visit/hours.md', 'a\n');
    await shop.write('slots/visit/hours.html', 'b\n');
    const { show } = await previewOf(main, { folder: folderOf(shop) });
    expect((await show('/with-main/visit.html')).html).toContain(
      'slots/visit/hours.html: there is an .md and an .html',
    );
    expect((await show('/with-main/index.html')).status).toBe(200);
  });

  test('with one partner leaves the pages of the others', async () => {
    const main = await alone({
      'pages/visit.md': '---\ntitle: Visit\n---\n\n{{ partner.phone }}\n',
      'partners/moor.yaml': `${PARTNER.replace('harbour', 'moor').replace('Harbour', 'Moor')}values:\n  phone: "12"\n`,
    });
    const { show, preview, start } = await previewOf(main);
    expect(await show('/with-main/visit.html')).toMatchObject({ status: 500 });
    const query = new URLSearchParams();
    expect((await preview.answerAt('moor', { path: '/with-main/visit.html', query, signal: never })).status).toBe(200);
    expect(await start()).toContain('the pages for partner "harbour" have a problem');
  });

  test('with the terms is shown too', async () => {
    const main = await alone({
      'templates/page.html':
        '<!doctype html><html><head><title>x</title></head><body><script>1</script><slot name="content"></slot></body></html>',
    });
    const { status, html } = await (await previewOf(main)).show('/with-main/index.html');
    expect(status).toBe(500);
    expect(html).toContain('the terms of harbour do not allow');
  });

  test('is gone once it is mended', async () => {
    const main = await alone();
    const { preview, show } = await previewOf(main);
    await main.write('pages/index.md', '---\ntitle: Bad\n---\n\n{{ nonsense.x }}\n');
    await preview.rebuild();
    expect(preview.error?.code).toBe('TIEUP_E_CONTENT');
    await main.write('pages/index.md', '---\ntitle: Good\n---\n\nAgain\n');
    await preview.rebuild();
    expect(preview.error).toBeUndefined();
    expect((await show('/with-main/index.html')).html).toContain('Again');
  });

  test('with what stands in a page is a note to it', async () => {
    const main = await alone({ 'pages/index.md': '---\ntitle: One\n---\n\n[nowhere](lost.md)\n' });
    const { show } = await previewOf(main);
    expect((await show('/with-main/index.html')).notes).toContain('lost.md');
    expect((await show('/with-main/story.html')).notes).toBe('');
  });
});

describe('the open pages', () => {
  test('are told when they are others now, and left alone when another page is', async () => {
    const main = await alone({ 'pages/other.md': '---\ntitle: Other\n---\n\nx\n' });
    const { preview, show, events } = await previewOf(main);
    const [index, other] = [await show('/with-main/index.html'), await show('/with-main/other.html')];
    const leaving = new AbortController();
    const changed = textOf(await events('/with-main/other.html', other.version));
    const same = textOf(await events('/with-main/index.html', index.version, leaving.signal));
    await main.write('pages/other.md', '---\ntitle: Other\n---\n\ny\n');
    await preview.rebuild();
    expect(await changed).toContain('event: reload');
    leaving.abort();
    expect(await same).toBe('retry: 1000\n\n');
  });

  test('are told when a style sheet changed that keeps its name', async () => {
    const main = await alone();
    const config = { ...main.site.config, assets: { ...main.site.config.assets, hashed: false } };
    const { preview, show, events } = await previewOf({ site: { ...main.site, config } });
    const { version } = await show('/with-main/index.html');
    const told = textOf(await events('/with-main/index.html', version));
    await main.write('assets/style.css', 'main { max-width: 30rem }\n');
    await preview.rebuild();
    expect(await told).toContain('event: reload');
  });

  test('that were opened before the last change are told at once', async () => {
    const { events } = await previewOf(await alone());
    expect(await textOf(await events('/with-main/index.html', 'of-another-run'))).toContain('event: reload');
  });

  test('get the script from the preview, and what it serves leads nowhere else', async () => {
    const { ask } = await previewOf(await alone());
    const answer = await ask('/.tieup/preview.js');
    expect(answer).toMatchObject({ status: 200, name: 'preview.js' });
    expect(await textOf(answer)).not.toMatch(/https?:/);
  });
});
