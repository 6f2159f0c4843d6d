/** Which requests count as hits on tie-up files: the question on which a partner's bill depends. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { publishedFiles, type PublishedKind } from '../../../src/logs/published-files.ts';
import { scanLog } from '../../support/scanned-log.ts';

const PUBLISHED = new Map<string, PublishedKind>([
  ['with-main/index.html', 'page'],
  ['with-main/prices.html', 'page'],
  ['with-main/logo.png', 'asset'],
  ['with-main/größe.html', 'page'],
]);

const bytes = (path: string): string => Buffer.from(path).toString('latin1');

function found(path: string, rules = {}): string | undefined {
  const files = publishedFiles(PUBLISHED, rules);
  const raw = Buffer.from(path);
  const index = files.find(bytes(path));
  return files.mayBe(raw, 0, raw.length) ? files.paths[index] : undefined;
}

describe('a partner cannot hide a tie-up page behind a spelling of its address', () => {
  it.each([
    '/with-main/index.html',
    '/with-main/',
    '/with-main',
    '//with-main/',
    '/with-main//',
    '/./with-main/./',
    '/with-main/.',
    '/own/../with-main/',
    '/../../with-main/',
    '/with-main/x/..',
    '/with-main/x/../index.html',
    '/%77ith-main/',
    '/with%2Dmain/',
    '/with-main%2f',
    '/with-main/%2e/',
    '/with-main/%2E%2e/with-main/index.html',
    '/%2e%2e/with-main/index.html',
    '/with-main/#top',
    '/with-main#a/b',
  ])('%s', (path) => {
    expect(found(path)).toBe('with-main/index.html');
  });

  it.each([
    '/with-main/prices.html',
    '/with-main/prices',
    '/with-main/prices/',
    '/with-main//prices',
    '/with-main/%70rices.html',
  ])('%s', (path) => {
    expect(found(path)).toBe('with-main/prices.html');
  });

  it.each(['/with-main/größe.html', '/with-main/gr%C3%B6%C3%9Fe', '/with-main/gr%c3%b6%c3%9fe.html'])('%s', (path) => {
    expect(found(path)).toBe('with-main/größe.html');
  });

  it.each(['/WITH-MAIN/', String.raw`\with-main\index.html`, '/With-Main%5Cprices', '/with-main/PRICES.HTML'])(
    '%s, where case does not count',
    (path) => {
      expect(found(path.replace(/^\\/, '/'), { ignoreCase: true })).toBeDefined();
      expect(found(path.replace(/^\\/, '/'))).toBeUndefined();
    },
  );

  it('below a folder of the host', () => {
    expect(found('/blog/with-main/', { prefix: '/blog/' })).toBe('with-main/index.html');
    expect(found('/blog/with-main', { prefix: '/blog' })).toBe('with-main/index.html');
    expect(found('/with-main/', { prefix: '/blog/' })).toBeUndefined();
  });

  it('in the scanner too, with a query and in absolute form', () => {
    const paths = [
      '/with-main?x',
      '/%77ith-main/?a=/own',
      'http://any.example/with-main/',
      'HTTP://any.example//with-main',
    ];
    const log = paths.map(
      (path) => `192.0.2.1 - - [23/Nov/2026:22:00:00 +0000] "GET ${path} HTTP/1.1" 200 1 "-" "-"\n`,
    );
    expect(
      scanLog(log.join(''))
        .records.slice(1)
        .map(({ class: kind, page }) => `${kind} ${page}`),
    ).toEqual(paths.map(() => 'T with-main/index.html'));
  });
});

describe("a main site gains nothing by pages that are the partner's own", () => {
  it.each([
    '/',
    '/with-main/other.html',
    '/with-main/index.html/x',
    '/with-main/index',
    '/with-main/prices.htm',
    '/with-main/prices.html%00',
    '/with-main/%2569ndex.html',
    '/with-main/..',
    '/with-main/../',
    '/with-main/../own',
    '/own?/with-main/',
    '/own/with-main/',
    '/with-main.html',
    '/with-main/%zz',
    'with-main/',
    '*',
  ])('%s', (path) => {
    expect(found(path.split('?')[0] ?? '')).toBeUndefined();
  });
});

describe("what the partner has of its own beside tie-up files is the partner's own", () => {
  const beside = new Map<string, PublishedKind>([
    ['with-main/tea/index.html', 'page'],
    ['with-main/prices.html', 'page'],
    ['with-main/index.html', 'page'],
  ]);
  const own = [
    'with-main/tea.html',
    'with-main/story.html',
    'with-main/prices/index.html',
    'with-main/index.htm',
    'with-main/prices.html',
  ];
  const files = publishedFiles(beside, { own });

  it.each([
    '/with-main/tea',
    '/with-main/tea.html',
    '/with-main/story.html',
    '/with-main/story',
    '/with-main/prices/',
    '/with-main/prices/index.html',
    '/with-main/index.htm',
  ])('%s', (path) => expect(files.find(path)).toBe(-1));

  it.each([
    ['/with-main/tea/', 'with-main/tea/index.html'],
    ['/with-main/tea/index.html', 'with-main/tea/index.html'],
    // What has exactly the path of a live tie-up file is a hit on it, whatever is said.
    ['/with-main/prices.html', 'with-main/prices.html'],
    ['/with-main/', 'with-main/index.html'],
    ['/with-main', 'with-main/index.html'],
  ])('but not %s', (path, file) => expect(files.paths[files.find(path)]).toBe(file));
});

describe('any spelling', () => {
  const spelt = fc
    .tuple(
      fc.constantFrom(...PUBLISHED.keys()),
      fc.array(fc.tuple(fc.nat(60), fc.constantFrom('/', './', 'x/../', '%'))),
    )
    .map(([path, changes]) => {
      let text = `/${bytes(path)}`;
      for (const [place, change] of changes) {
        const at = place % text.length;
        const byte = text.charCodeAt(at);
        if (change === '%' && !text.slice(Math.max(0, at - 2), at + 3).includes('%')) {
          text = `${text.slice(0, at)}%${byte.toString(16).padStart(2, '0')}${text.slice(at + 1)}`;
        } else if (change !== '%' && text[at] === '/') text = `${text.slice(0, at + 1)}${change}${text.slice(at + 1)}`;
      }
      return { path, text };
    });

  it('of a published path that servers open is a hit on it, quick look included', () => {
    const files = publishedFiles(PUBLISHED);
    fc.assert(
      fc.property(spelt, ({ path, text }) => {
        // The first slash may not be escaped: that is no path.
        fc.pre(text.startsWith('/'));
        const raw = Buffer.from(text, 'latin1');
        expect(files.mayBe(raw, 0, raw.length)).toBe(true);
        expect(files.paths[files.find(text)]).toBe(path);
      }),
    );
  });

  it('of any path is looked for without a fault, and the quick look never denies what is found', () => {
    const files = publishedFiles(PUBLISHED);
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('/', '.', '%', '2', 'e', 'f', 'with-main', 'prices', '\\', '\0') }),
        (text) => {
          const raw = Buffer.from(`/${text}`);
          expect(files.find(`/${text}`) < 0 || files.mayBe(raw, 0, raw.length)).toBe(true);
        },
      ),
    );
  });
});
