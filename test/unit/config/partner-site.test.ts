import { describe, expect, test } from 'vitest';
import { parsePartnerSite } from '../../../src/config/partner-site.ts';
import { problemsIn } from '../../support/problems.ts';

const MINIMAL = [
  'role: partner',
  'partner: harbour',
  'main:',
  '  name: Northwind',
  '  url: https://northwind.example/',
  '  keys: { document: n+0a1b2c3d+AQ== }',
  'url: https://harbour.example/',
  '',
].join('\n');

const parse = (more: string) => parsePartnerSite(`${MINIMAL}${more}\n`, 'tieup.yaml', '/srv/site');

describe('tieup.yaml of a partner site', () => {
  test('keeps secrets and state apart from what is served, and accepts nothing by itself', () => {
    expect(parse('')).toMatchObject({
      folders: {
        original: 'original',
        slots: 'slots',
        exchange: 'exchange',
        public: 'public',
        state: 'state',
        keys: 'keys',
      },
      publish: 'link',
      keep: 5,
      auto: { allow: 'nothing' },
    });
  });

  test('may lie on a server, where nothing is beside state and keys', () => {
    const site = 'site: { url: "sftp://me@host.example/home/me" }\n';
    expect(parse(site).site).toEqual({ url: 'sftp://me@host.example/home/me', hostKeys: [] });
    expect(problemsIn(() => parse(`${site}folders: { keys: public/keys, state: original/state }`))).toEqual([]);
    expect(problemsIn(() => parse(`${site}folders: { exchange: public/exchange }`))).toEqual([
      expect.stringContaining('folders.exchange'),
    ]);
    expect(problemsIn(() => parse(`${site}folders: { public: ../www }`))).toEqual([
      expect.stringContaining('site.url'),
    ]);
    expect(problemsIn(() => parse('site: { url: "sftp://me:secret@host.example/" }'))).toHaveLength(1);
  });

  test('may use folders anywhere', () => {
    const folders = parse('folders: { public: /var/www/html, keys: ../keys/, state: /var/lib/tieup }').folders;
    expect(folders).toMatchObject({ public: '/var/www/html', keys: '../keys', state: '/var/lib/tieup' });
  });

  test('may leave original pages in the web root when it overwrites', () => {
    expect(problemsIn(() => parse('folders: { original: in-place }\npublish: overwrite'))).toEqual([]);
  });

  test('cannot leave original pages in the web root when the web root is a link', () => {
    expect(problemsIn(() => parse('folders: { original: in-place }\npublish: link'))).toEqual([
      'tieup.yaml:9:10: `publish` must be overwrite when the original pages are in place',
    ]);
  });

  test.each([
    ['keys in the web root', 'keys: public/keys', 'folders.keys'],
    ['keys in the web root in another spelling', 'keys: ./x/../public/./keys/', 'folders.keys'],
    ['keys in the web root by an absolute path', 'keys: /srv/site/public', 'folders.keys'],
    ['keys in the exchange', 'keys: exchange/outbox', 'folders.keys'],
    ['keys among the original pages', 'keys: original/keys', 'folders.keys'],
    ['keys among the published trees', 'keys: published/keys', 'folders.keys'],
    ['state in the web root', 'state: public', 'folders.state'],
    ['state in the exchange', 'state: exchange/state', 'folders.state'],
    ['the exchange in the web root', 'exchange: public/exchange', 'folders.exchange'],
    ['the web root in the exchange', 'public: exchange/public', 'folders.public'],
    ['original pages in the web root', 'original: public/own', 'folders.original'],
    ['tieup.yaml itself in the web root', 'public: ..', 'folders.public'],
  ])('is refused with %s', (_what, folder, key) => {
    const problems = problemsIn(() => parse(`folders: { ${folder} }`));
    expect(problems[0]).toMatch(/^tieup\.yaml:8:\d+: /);
    expect(problems.some((problem) => problem.includes(`\`${key}\` must not`))).toBe(true);
  });

  test('does not take a folder whose name only begins alike for one inside', () => {
    expect(problemsIn(() => parse('folders: { keys: public-keys, state: exchange2, slots: ..slots }'))).toEqual([]);
  });
});

describe('logs: in tieup.yaml of a partner site', () => {
  test('are read with the privacy of visitors in mind unless told otherwise', () => {
    expect(parse('logs: { sources: [{ files: /var/log/nginx/access.log* }] }').logs).toEqual({
      sources: [{ files: '/var/log/nginx/access.log*', format: 'combined', zone: '+0000' }],
      privacy: { address: 'truncate', visitor: 'daily', query: [], referrer: 'origin', user: 'drop' },
      export: { T: 'whole', O: 'none', at: '04:10' },
      audit: { perDay: 500 },
      keepDays: 400,
      hosts: [],
    });
    expect(parse('').logs).toBeUndefined();
  });

  test.each([
    ['logs: { sources: [] }', 'sources'],
    ['logs: { sources: [{ files: a, zone: Paris }] }', 'zone'],
    ['logs: { sources: [{ files: a }], privacy: { adress: full } }', 'did you mean `address`?'],
    ['logs: { sources: [{ files: a }], privacy: { query: ["a&b"] } }', 'query'],
    ['logs: { sources: [{ files: a }], export: { at: "25:00" } }', 'at'],
    ['logs: { sources: [{ files: a }], keepDays: 3 }', 'keepDays'],
    ['logs: { sources: [{ files: a, host: "https://a.example/" }] }', 'host'],
  ])('refuse %s', (text, about) => {
    expect(problemsIn(() => parse(text)).join('\n')).toContain(about);
  });
});
