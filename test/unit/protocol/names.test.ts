import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkPaths, pathFault } from '../../../src/protocol/names.ts';
import { vectors } from '../../support/vectors.ts';

describe('a path that may be published', () => {
  it.each([
    'with-main/index.html',
    'with-main/über uns.html',
    'a/b/c/style.1a2b.css',
    'with-main/日本語.html',
    'with-main/about_Do.html',
    'with-main/console.html',
  ])('%s passes', (path) => expect(pathFault(path)).toBeUndefined());

  it.each([
    ['', 'empty'],
    ['/etc/passwd', 'absolute'],
    ['../x.html', 'leaves'],
    ['a/../x.html', 'leaves'],
    ['a/./x.html', 'leaves'],
    ['a//x.html', 'empty component'],
    ['a/', 'empty component'],
    ['a\\x.html', 'backslash'],
    ['a\0.html', 'not allowed'],
    ['a\u202ex.html', 'not allowed'],
    ['a\u200bx.html', 'not allowed'],
    ['a:b.html', 'not allowed'],
    ['.htaccess', 'dot'],
    ['a/.well-known/x', 'dot'],
    ['a./x.html', 'dot'],
    ['a /x.html', 'blank'],
    [' a/x.html', 'blank'],
    ['con', 'Windows'],
    ['a/NUL.html', 'Windows'],
    ['a/COM¹.html', 'Windows'],
    ['web.config', 'controls'],
    ['a/Web.Config', 'controls'],
    ['robots.txt', 'controls'],
    ['x.php', 'execute'],
    ['x.PHP7', 'execute'],
    ['x.php.html', 'execute'],
    ['x.phtml', 'execute'],
    ['x.shtml', 'execute'],
    ['x.cgi', 'execute'],
    ['x.aspx', 'execute'],
    ['x.jsp', 'execute'],
    ['u\u0308ber.html', 'NFC'],
    ['\ud800.html', 'Unicode'],
    [`${'a'.repeat(201)}.html`, 'longer'],
    [`${'a/'.repeat(600)}x.html`, 'longer'],
  ])('%j is refused', (path, reason) => expect(pathFault(path)).toContain(reason));

  const names = vectors('names/server-types', z.strictObject({ path: z.string(), allowed: z.boolean() }));

  const placed = (path: string) => ['', 'with-main/', 'with-main/a/'].map((folder) => pathFault(`${folder}${path}`));

  it.each(names.filter(({ allowed }) => !allowed))(
    '$path is refused: some server executes, obeys or hides it',
    (name) => {
      for (const fault of placed(name.path)) expect(fault).toBeDefined();
    },
  );

  it.each(names.filter(({ allowed }) => allowed))('$path passes: it only looks like a program', ({ path }) => {
    expect(placed(path)).toEqual([undefined, undefined, undefined]);
  });

  it('never has an executable type anywhere in its name, whatever stands around it', () => {
    const type = fc.constantFrom('php', 'PHP5', 'phtml', 'Asp', 'jsp', 'cgi', 'pl', 'shtml', 'cer', 'htaccess');
    const word = fc.stringMatching(/^[a-z0-9-]{1,8}$/);
    fc.assert(
      fc.property(word, type, fc.array(word, { maxLength: 3 }), fc.constantFrom('.', ';.', ' .'), (a, b, rest, dot) => {
        expect(pathFault(`${a}.${[b, ...rest].join(dot)}`)).toBeDefined();
      }),
    );
  });

  it('never leaves its folder, whatever it consists of', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('..', '.', '', 'a', 'b.html', '\\', '\0', 'C:'), { maxLength: 6 }),
        (parts) => {
          const path = parts.join('/');
          if (pathFault(path) !== undefined) return;
          const resolved = new URL(path, 'file:///root/');
          expect(resolved.pathname.startsWith('/root/')).toBe(true);
          expect(resolved.pathname.split('/')).toHaveLength(parts.length + 2);
        },
      ),
    );
  });
});

describe('a set of paths', () => {
  const messages = (...paths: readonly string[]) => checkPaths(paths, '/with-main/').map(({ message }) => message);

  it('passes when no two collide', () => expect(messages('with-main/a.html', 'with-main/b/a.html')).toEqual([]));

  it('is refused outside the mount', () =>
    expect(messages('index.html')).toEqual([expect.stringContaining('outside the mount')]));

  it.each([
    ['with-main/A.html', 'with-main/a.html'],
    ['with-main/stra\u00dfe.html', 'with-main/STRASSE.html'],
    ['with-main/\u212b.html', 'with-main/\u00e5.html'],
    ['with-main/ﬁ.html', 'with-main/fi.html'],
  ])('%j and %j collide on some file system', (a, b) => expect(messages(a, b).join()).toMatch(/collide|NFC/));

  it('is refused when a file stands where a folder is needed', () => {
    expect(messages('with-main/a', 'with-main/A/b.html')).toEqual([expect.stringContaining('needs a folder')]);
  });

  it('names every fault at once', () => expect(messages('../a', 'b', 'with-main/x.php')).toHaveLength(3));
});
