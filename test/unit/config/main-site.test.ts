import { describe, expect, test } from 'vitest';
import { parseMainSite } from '../../../src/config/main-site.ts';
import { problemsIn } from '../../support/problems.ts';

const MINIMAL = 'role: main\nsite:\n  name: Northwind\n  url: https://northwind.example/\n';

describe('tieup.yaml of a main site', () => {
  test('needs no more than a role, a name and an address', () => {
    expect(parseMainSite(MINIMAL, 'tieup.yaml')).toEqual({
      role: 'main',
      site: {
        name: 'Northwind',
        url: 'https://northwind.example/',
        language: 'en',
        languages: [],
        timeZone: 'UTC',
        values: {},
      },
      folders: {
        pages: 'pages',
        templates: 'templates',
        assets: 'assets',
        data: 'data',
        includes: 'includes',
        partners: 'partners',
        keys: 'keys',
      },
      retention: { releases: 10 },
      markdown: { highlight: true, headingLinks: false },
      assets: { hashed: true },
      images: { widths: [], sizes: '(max-width: 48rem) 100vw, 48rem' },
      roots: { threshold: 1, holders: ['main'] },
      confirmWithinDays: 14,
    });
  });

  test('may name folders in any spelling; they come out in one', () => {
    const text = `${MINIMAL}folders: { pages: ./content/pages/, keys: /etc/tieup/keys/ }\n`;
    expect(parseMainSite(text, 'tieup.yaml').folders).toMatchObject({
      pages: 'content/pages',
      keys: '/etc/tieup/keys',
    });
  });

  test.each([
    [
      'pages outside the site',
      'folders: { pages: ../pages }',
      '5:19: `folders.pages` must be a folder beside tieup.yaml',
    ],
    [
      'pages at an absolute path',
      'folders: { pages: /srv }',
      '5:19: `folders.pages` must be a folder beside tieup.yaml',
    ],
    [
      'the site folder itself as assets',
      'folders: { assets: . }',
      '5:20: `folders.assets` must be a folder beside tieup.yaml',
    ],
    [
      'keys among the assets',
      'folders: { keys: assets/k }',
      '5:18: `folders.keys` must not lie in the assets, which are published',
    ],
    [
      'a holder twice',
      'roots: { threshold: 1, holders: [alice, alice] }',
      '5:33: `roots.holders` must not name a holder twice',
    ],
    [
      'more signatures than holders',
      'roots: { threshold: 3, holders: [alice, bob] }',
      '5:21: `roots.threshold` must not be more than the number of holders',
    ],
    ['a misspelt key', 'folder: {}', '5:1: unknown key `folder` (did you mean `folders`?)'],
    ['no time for an answer', 'confirmWithinDays: 0', '5:20: `confirmWithinDays` must be at least 1 (it is 0)'],
  ])('is refused with %s', (_what, line, expected) => {
    const problems = problemsIn(() => parseMainSite(`${MINIMAL}${line}\n`, 'tieup.yaml'));
    expect(problems.join('\n')).toContain(`tieup.yaml:${expected}`);
  });

  test.each([
    ['without a slash at its end', 'https://northwind.example'],
    ['with a user', 'https://me@northwind.example/'],
    ['with a query', 'https://northwind.example/?a='],
    ['of another kind', 'ftp://northwind.example/'],
  ])('is refused with an address %s', (_what, url) => {
    const problems = problemsIn(() => parseMainSite(MINIMAL.replace('https://northwind.example/', url), 'tieup.yaml'));
    expect(problems).toEqual([expect.stringMatching(/^tieup\.yaml:4:8: `site\.url` must be an address/)]);
  });

  test('is refused with a variable that tieup sets itself', () => {
    const problems = problemsIn(() => parseMainSite(`${MINIMAL}  values: { url: x }\n`, 'tieup.yaml'));
    expect(problems).toEqual([
      'tieup.yaml:5:13: `site.values.url` is a variable that tieup sets itself: choose another name',
    ]);
  });
});
