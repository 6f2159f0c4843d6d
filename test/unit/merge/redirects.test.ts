import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_CHOICES } from '../../../src/merge/choices.ts';
import { liveRedirects, renderRedirects, WEB_SERVERS } from '../../../src/merge/redirects.ts';
import { pathFault } from '../../../src/protocol/names.ts';

const rules = (from: string, to: string, server: (typeof WEB_SERVERS)[number]): string[] =>
  renderRedirects([{ from, to }], server).trimEnd().split('\n').slice(1);

/** The words of a line as these servers read it: blanks separate, quotes join, a backslash takes the next character. */
function words(line: string): string[] {
  const found = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|([^\s"]+)/gs)];
  return found.map(([, inQuotes, plain = '']) => inQuotes?.replaceAll(/\\(["\\])/g, '$1') ?? plain);
}

const path = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'a',
        '.',
        ' ',
        '$',
        '{',
        '}',
        '${x}',
        '{$HOME}',
        '%',
        '%41',
        '#',
        ';',
        "'",
        '(',
        '[',
        ']',
        '^',
        '+',
        '~',
        'ü',
        '~*',
      ),
      fc.string(),
    ),
    {
      minLength: 1,
      maxLength: 8,
    },
  )
  .map((pieces) => `m/${pieces.join('').normalize('NFC')}.html`)
  .filter((text) => pathFault(text) === undefined);

describe('redirects for a web server', () => {
  it('are one rule each', () => {
    expect(rules('m/old.html', 'm/new page.html', 'nginx')).toEqual([
      'location = "/m/old.html" { return 301 "/m/new%20page.html"; }',
    ]);
    expect(rules('m/old.html', 'm/new page.html', 'apache')).toEqual([
      'RedirectMatch 301 "^/m/old\\\\.html$" "/m/new%20page.html"',
    ]);
    expect(rules('m/old.html', 'm/new page.html', 'caddy')).toEqual(['redir "/m/old.html" "/m/new%20page.html" 301']);
  });

  it('hold every path that can be published as what it is, and nothing else', () => {
    fc.assert(
      fc.property(path, path, (from, to) => {
        for (const server of WEB_SERVERS) expect(rules(from, to, server)).toHaveLength(1);
        const nginx = words(rules(from, to, 'nginx')[0] ?? '');
        expect(nginx).toEqual(['location', '=', `/${from}`, '{', 'return', '301', nginx[6], ';', '}']);
        const apache = words(rules(from, to, 'apache')[0] ?? '');
        expect(apache).toHaveLength(4);
        expect(rules(from, to, 'apache')[0]).not.toContain('${');
        const pattern = new RegExp(apache[2] ?? '');
        expect(pattern.test(`/${from}`)).toBe(true);
        expect(pattern.test(`/${from}x`) || pattern.test(`/x${from}`)).toBe(false);
        const caddy = words(rules(from, to, 'caddy')[0] ?? '');
        expect(caddy).toHaveLength(4);
        expect(caddy[1]).not.toMatch(/[{}]/);
        expect(decodeURIComponent(caddy[1] ?? '')).toBe(`/${from}`);
        for (const text of [nginx[6], apache[3], caddy[2]]) {
          expect(text).toMatch(/^\/[A-Za-z0-9._~%/-]*$/);
          expect(decodeURIComponent(text ?? '')).toBe(`/${to}`);
        }
      }),
    );
  });

  it('lead from what is live to what is live, under the names that the manager chose', () => {
    const files = [
      { path: 'm/new.html' },
      { path: 'm/old.html', redirect: 'm/new.html' },
      { path: 'm/older.html', redirect: 'm/new.html' },
      { path: 'm/gone.html', redirect: 'm/withheld.html' },
    ];
    const entry = { length: 1, digest: 'ab'.repeat(32), release: 1 };
    const live = ['m/shop.html', 'm/old.html', 'm/gone.html'];
    const ledger = { entries: new Map(live.map((each) => [each, { path: each, ...entry }])) };
    const choices = { ...NO_CHOICES, paths: { 'm/new.html': { rename: 'm/shop.html' } } };
    expect(liveRedirects(files, choices, ledger)).toEqual([{ from: 'm/old.html', to: 'm/shop.html' }]);
  });
});
