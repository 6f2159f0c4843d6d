import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import { decodeYaml, editYaml } from '../../../src/config/document.ts';
import { formatProblem, isTieupError } from '../../../src/errors.ts';
import type { ErrorCode } from '../../../src/errors.ts';

const shop = z.strictObject({
  site: z.strictObject({ name: z.string().min(1), url: z.url({ protocol: /^https?$/ }).optional() }),
  mount: z
    .string()
    .regex(/^\/.*\/$/, { error: 'must start and end with a slash' })
    .default('/shop/'),
  scripts: z.enum(['none', 'own', 'remote']).optional(),
  keep: z.int().min(1).max(9).optional(),
  tags: z.array(z.string()).optional(),
  navigation: z.union([z.literal(false), z.string()]).optional(),
  original: z.union([z.literal('in-place'), z.strictObject({ folder: z.string() })]).optional(),
  values: z.record(z.string().regex(/^[a-z]+$/, { error: 'must be a lower-case word' }), z.string()).optional(),
});

function problemsOf(text: string, options?: { lineOffset?: number; code?: ErrorCode }): string[] {
  try {
    decodeYaml(text, 'shop.yaml', shop, options);
  } catch (error) {
    if (isTieupError(error, options?.code ?? 'TIEUP_E_CONFIG')) return error.problems.map(formatProblem);
    throw error;
  }
  return [];
}

const SITE = 'site:\n  name: Northwind\n';

describe('a document', () => {
  test('is decoded, with defaults', () => {
    expect(decodeYaml(`${SITE}tags: [a, b]\n`, 'shop.yaml', shop)).toEqual({
      site: { name: 'Northwind' },
      mount: '/shop/',
      tags: ['a', 'b'],
    });
  });

  test('is read as YAML 1.2: words that look like switches and dates stay words', () => {
    const text = 'site: { name: yes }\ntags: [no, 2026-01-01, 0o7x]\n';
    expect(decodeYaml(text, 'shop.yaml', shop)).toMatchObject({
      site: { name: 'yes' },
      tags: ['no', '2026-01-01', '0o7x'],
    });
  });

  test('may begin with a byte order mark and use an alias', () => {
    const text = '\u{feff}site:\n  name: &n Northwind\ntags: [*n]\n';
    expect(decodeYaml(text, 'shop.yaml', shop).tags).toEqual(['Northwind']);
  });

  test('keeps what anybody can write in YAML', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.array(fc.string({ unit: 'grapheme' })), (name, tags) => {
        const decoded = decodeYaml(stringify({ site: { name }, tags }), 'shop.yaml', shop);
        expect(decoded).toMatchObject({ site: { name }, tags });
      }),
    );
  });
});

describe('a document is refused, with file, line and column', () => {
  test.each([
    ['an unknown key', `${SITE}mout: /x/\n`, 'shop.yaml:3:1: unknown key `mout` (did you mean `mount`?)'],
    [
      'an unknown key far from any other',
      'site:\n  name: N\n  colour: red\n',
      'shop.yaml:3:3: unknown key `site.colour` (known here: name, url)',
    ],
    ['a missing key', 'site:\n  url: https://n.example/\n', 'shop.yaml:1:1: `site.name` is missing'],
    [
      'a value in the wrong form',
      `${SITE}mount: shop\n`,
      'shop.yaml:3:8: `mount` must start and end with a slash (it is "shop")',
    ],
    ['the wrong kind of value', `${SITE}tags: a\n`, 'shop.yaml:3:7: `tags` must be a list (it is "a")'],
    ['an empty value', 'site:\n  name:\n', 'shop.yaml:2:8: `site.name` must be text (it is empty)'],
    ['an empty text', 'site: { name: "" }\n', 'shop.yaml:1:15: `site.name` must not be empty (it is "")'],
    [
      'a misspelt word of a list of words',
      `${SITE}scripts: remot\n`,
      'shop.yaml:3:10: `scripts` must be one of none, own, remote (it is "remot"; did you mean remote?)',
    ],
    ['a number that is too large', `${SITE}keep: 10\n`, 'shop.yaml:3:7: `keep` must be at most 9 (it is 10)'],
    ['a broken number', `${SITE}keep: 1.5\n`, 'shop.yaml:3:7: `keep` must be a whole number (it is 1.5)'],
    [
      'an address that is none',
      'site:\n  name: N\n  url: n.example\n',
      'shop.yaml:3:8: `site.url` must be an address such as https://shop.example/ (it is "n.example")',
    ],
    ['an entry of a list', `${SITE}tags:\n  - a\n  - 5\n`, 'shop.yaml:5:5: `tags[1]` must be text (it is 5)'],
    ['neither of two kinds', `${SITE}navigation: 3\n`, 'shop.yaml:3:13: `navigation` must be false or text (it is 3)'],
    [
      'an unknown key within one of two kinds',
      `${SITE}original: { folder: a, foldr: b }\n`,
      'shop.yaml:3:24: unknown key `original.foldr` (did you mean `folder`?)',
    ],
    ['a key in the wrong form', `${SITE}values: { A: b }\n`, 'shop.yaml:3:11: `values.A` must be a lower-case word'],
    ['a key that is there twice', `${SITE}keep: 1\nkeep: 2\n`, 'shop.yaml:4:1: this key is there twice'],
    ['a tab', 'site:\n\tname: N\n', 'shop.yaml:2:1: a tab cannot indent YAML: use spaces'],
    ['a second document', `${SITE}---\na: 1\n`, 'shop.yaml:3:1: a second document starts here: keep one'],
    ['a tag', 'site: !shop { name: N }\n', 'shop.yaml:1:7: unresolved tag: !shop'],
    ['an alias to nothing', `${SITE}tags: [*x]\n`, 'shop.yaml:3:8: nothing before this is named &x'],
    [
      'an old version',
      `%YAML 1.1\n---\n${SITE}`,
      'shop.yaml:1:1: this is YAML 1.1, which reads "yes" as true: leave out the %YAML line',
    ],
    [
      'a key that objects swallow',
      `${SITE}values: { __proto__: x }\n`,
      'shop.yaml:3:11: the key `__proto__` is not allowed',
    ],
    ['nothing at all', '', 'shop.yaml:1:1: the file must be a mapping of keys and values (it is empty)'],
    ['a list instead of keys', '- a\n', 'shop.yaml:1:1: the file must be a mapping of keys and values (it is a list)'],
    [
      'an open bracket',
      'tags: [a\n',
      'shop.yaml:2:1: flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
  ])('for %s', (_what, text, expected) => {
    expect(problemsOf(text)).toEqual([expected]);
  });

  test('with all problems at once, in the order of the file', () => {
    expect(problemsOf('mout: 1\nsite:\n  nam: x\nkeep: 0\n')).toEqual([
      'shop.yaml:1:1: unknown key `mout` (did you mean `mount`?)',
      'shop.yaml:2:1: `site.name` is missing',
      'shop.yaml:3:3: unknown key `site.nam` (did you mean `name`?)',
      'shop.yaml:4:7: `keep` must be at least 1 (it is 0)',
    ]);
  });

  test('counted from the top of the file when it is front matter, with the code of its caller', () => {
    expect(problemsOf(`${SITE}mout: /x/\n`, { lineOffset: 1, code: 'TIEUP_E_CONTENT' })).toEqual([
      'shop.yaml:4:1: unknown key `mout` (did you mean `mount`?)',
    ]);
  });

  test.each([
    ['nested brackets', '['.repeat(200_000)],
    ['nested mappings', '{a: '.repeat(50_000)],
    ['nested lists', '- '.repeat(100_000)],
  ])('when it is nested without end: %s', (_what, text) => {
    expect(problemsOf(text).join('\n')).toMatch(/^shop\.yaml:1:\d+: the document is nested more than 100 deep$/);
  });

  test('when its aliases would expand to gigabytes', () => {
    const levels = Array.from({ length: 30 }, (_, n) => `k${n + 1}: &a${n + 1} [*a${n}, *a${n}, *a${n}, *a${n}]`);
    expect(problemsOf(`k0: &a0 [x]\n${levels.join('\n')}\n`)).toEqual([
      'shop.yaml:1:1: the aliases expand to too much',
    ]);
  });

  test('when it is too long', () => {
    expect(problemsOf('#'.repeat(256 * 1024 + 1))).toEqual([
      'shop.yaml:1:1: the document has more than 262144 characters',
    ]);
  });

  test('and whatever the text is, never with anything but a problem in that file', () => {
    const soup = fc.string({
      unit: fc.constantFrom('a', ':', ' ', '\n', '-', '[', '{', '}', '"', '&', '*', '!', '\t', '%'),
    });
    fc.assert(
      fc.property(soup, (text) => {
        for (const problem of problemsOf(text)) expect(problem).toMatch(/^shop\.yaml:\d+:\d+: \S/);
      }),
    );
  });
});

describe('an edit', () => {
  const text = '# a comment\nid: alpha # the id\n\n# about keys\nkeys: null\nsftp: ~\n';

  test('changes what it names and leaves comments and order alone', () => {
    const edited = editYaml(text, 'partners/alpha.yaml', [
      { path: ['keys'], value: { accept: 'a+b+c' } },
      { path: ['epoch'], value: 2 },
    ]);
    expect(edited).toBe('# a comment\nid: alpha # the id\n\n# about keys\nkeys:\n  accept: a+b+c\nsftp: ~\nepoch: 2\n');
  });

  test('removes a key', () => {
    expect(editYaml(text, 'partners/alpha.yaml', [{ path: ['sftp'], value: undefined }])).not.toContain('sftp');
  });

  test('never breaks a long line', () => {
    const key = `${'x'.repeat(60)} ${'y'.repeat(60)}`;
    expect(editYaml(text, 'a.yaml', [{ path: ['keys'], value: key }])).toContain(`keys: ${key}\n`);
  });

  test('is refused for a file that is no YAML', () => {
    expect(() => editYaml('a: [', 'a.yaml', [])).toThrow(/^a\.yaml cannot be edited: flow sequence/);
  });
});
