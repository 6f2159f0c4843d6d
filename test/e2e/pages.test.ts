/** What visitors of a partner get: the starter pages as they were pushed, accepted and merged, looked at with a real browser. */
import { createServer, type Server } from 'node:http';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBrowser, violationsOn, type Browser } from '../support/browser.ts';
import { fillSlot, startPartnership, type CliPartnership } from '../support/cli-partnership.ts';
import { realPart } from '../support/real-parts.ts';

const MOUNT = '/with-northwind-coffee';
/** Of each inheritance one, and the partner's own. */
const TIE_UP = ['index', 'brewing', 'visit', 'story', 'news/index'].map((name) => `${MOUNT}/${name}.html`);
const ORIGINAL = ['/index.html', '/visit.html'];
const WIDTHS = [360, 1280] as const;
const SCHEMES = ['light', 'dark'] as const;

const TYPES: Readonly<Record<string, string>> = { html: 'text/html; charset=utf-8', css: 'text/css' };

const chromium = realPart('chromium');

async function serve(root: string): Promise<{ readonly origin: string; readonly server: Server }> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    // Browsers ask for it by themselves; whether there is one is the partner's business.
    if (pathname === '/favicon.ico') return void response.writeHead(204).end();
    const type = TYPES[pathname.split('.').at(-1) ?? ''];
    readFile(join(root, pathname)).then(
      (bytes) => response.writeHead(200, { 'content-type': type ?? 'application/octet-stream' }).end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  return { origin: `http://127.0.0.1:${address.port}`, server };
}

interface Visit {
  readonly page: Page;
  /** Console errors, page errors, answers that are no answer, and requests to anywhere else. */
  readonly faults: readonly string[];
}

describe.skipIf(chromium === undefined)('the starter pages at a partner', () => {
  let partnership: CliPartnership;
  let browser: Browser;
  let server: Server;
  let origin: string;

  beforeAll(async () => {
    partnership = await startPartnership();
    await fillSlot(partnership.shop, 'visit', 'opening-hours', 'Tuesday to Saturday, **10 to 18**.\n');
    await partnership.publish();
    ({ origin, server } = await serve(join(partnership.shop, 'public')));
    browser = await startBrowser(chromium ?? '');
  }, 180_000);

  afterAll(async () => {
    await browser?.close();
    server?.close();
    await partnership?.dispose();
  });

  async function visit(path: string, width: number, colorScheme: 'light' | 'dark' = 'light'): Promise<Visit> {
    const page = await browser.context.newPage();
    const faults: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') faults.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => faults.push(`page: ${error.message}`));
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== origin) faults.push(`request: ${request.url()}`);
    });
    page.on('response', (response) => {
      if (!response.ok()) faults.push(`${response.status()} ${response.url()}`);
    });
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme });
    await page.goto(`${origin}${path}`);
    return { page, faults };
  }

  describe.each([...TIE_UP, ...ORIGINAL])('%s', (path) => {
    test('has no accessibility violation, in light and in dark, on a telephone and on a desk', async () => {
      for (const width of WIDTHS) {
        for (const scheme of SCHEMES) {
          const { page } = await visit(path, width, scheme);
          expect([width, scheme, await violationsOn(page)]).toEqual([width, scheme, []]);
          await page.close();
        }
      }
    });

    test('needs no scrolling to the side, asks no other origin, and raises no error', async () => {
      for (const width of WIDTHS) {
        const { page, faults } = await visit(path, width);
        expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
        expect(faults).toEqual([]);
        await page.close();
      }
    });

    test('lets the keyboard skip to the content', async () => {
      const { page } = await visit(path, 1280);
      await page.keyboard.press('Tab');
      const skip = page.locator(':focus');
      expect(await skip.textContent()).toBe('Skip to the content');
      const place = await skip.boundingBox();
      expect(place?.x).toBeGreaterThanOrEqual(0);
      await page.keyboard.press('Enter');
      expect(await page.evaluate<string>('document.activeElement.tagName')).toBe('MAIN');
      await page.close();
    });

    test('uses other colours in the dark', async () => {
      const colours = new Set<string>();
      for (const scheme of SCHEMES) {
        const { page } = await visit(path, 1280, scheme);
        colours.add(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor'));
        await page.close();
      }
      expect(colours.size).toBe(2);
    });
  });

  test('the framework page shows the partner’s words in one slot and the main site’s in the other', async () => {
    const { page } = await visit(`${MOUNT}/visit.html`, 1280);
    const text = await page.locator('main').innerText();
    expect(text).toContain('Tuesday to Saturday, 10 to 18.');
    expect(text).toContain('No dates yet.');
    expect(text).not.toContain('Please ask at the counter');
    await page.close();
  });

  test('the link page leads to the page at the main site', async () => {
    const { page } = await visit(`${MOUNT}/story.html`, 1280);
    const link = page.locator('main a:not(.breadcrumbs a)');
    expect(await link.count()).toBe(1);
    expect(await link.getAttribute('href')).toBe('https://northwind.example/story.html');
    await page.close();
  });

  test('every tie-up page is reached from the first one, and says where it comes from', async () => {
    const { page } = await visit(`${MOUNT}/index.html`, 1280);
    const addresses = await page.evaluate<string[]>("[...document.querySelectorAll('nav a')].map((link) => link.href)");
    expect(new Set(addresses)).toEqual(new Set(TIE_UP.map((path) => `${origin}${path}`)));
    for (const address of addresses) {
      const name = new URL(address).pathname.slice(MOUNT.length + 1);
      await page.goto(address);
      expect(await page.locator('link[rel=canonical]').getAttribute('href')).toBe(`https://northwind.example/${name}`);
      expect(await page.locator('meta[name=tieup-release]').getAttribute('content')).toBe('harbour 1');
    }
    await page.close();
  });
});
