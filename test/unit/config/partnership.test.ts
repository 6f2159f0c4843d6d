import { describe, expect, test } from 'vitest';
import { parseMainSite } from '../../../src/config/main-site.ts';
import { parsePartnership, termsOf } from '../../../src/config/partnership.ts';
import { parseTerms, renderTerms } from '../../../src/protocol/terms.ts';
import { problemsIn } from '../../support/problems.ts';

const FILE = 'partners/harbour.yaml';
const MINIMAL = [
  'id: harbour',
  'name: Harbour Books',
  'period: { from: 2026-12-01 }',
  'mount: /with-northwind/',
  'url: https://harbour.example/',
  '',
].join('\n');

const MAIN = parseMainSite('role: main\nsite: { name: Northwind, url: https://northwind.example/ }\n', 'tieup.yaml');

describe('a partnership file', () => {
  test('needs an id, a name, a first day, a mount and an address; everything risky is off', () => {
    expect(parsePartnership(MINIMAL, FILE)).toEqual({
      id: 'harbour',
      name: 'Harbour Books',
      tags: [],
      status: 'invited',
      period: { from: '2026-12-01', until: null },
      mount: '/with-northwind/',
      url: 'https://harbour.example/',
      publisher: 'partner',
      policy: { scripts: 'none', remoteOrigins: [], serviceWorkers: false, search: 'canonical-to-main' },
      services: ['pages'],
      tariff: null,
      values: {},
      images: {},
      epoch: 1,
      invitation: null,
      sftp: null,
      keys: null,
      logs: { maxUnreadablePercent: 1, audit: 20, hosts: [] },
    });
  });

  test('may say everything', () => {
    const text = [
      MINIMAL.trimEnd(),
      'status: active',
      'suspendedUntil: 2027-01-31',
      'policy: { scripts: remote, remoteOrigins: ["https://cdn.example"], serviceWorkers: true, search: noindex }',
      'tariff: standard',
      'values: { city: Hamburg }',
      'epoch: 2',
      `invitation: { digest: ${'b'.repeat(64)}, answerKey: harbour/invitation+0a1b2c3d+AQID, until: 2026-12-31T00:00:00Z }`,
      'sftp:',
      '  url: sftp://tieup@harbour.example:2222/exchange',
      '  hostKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA=="]',
      'keys: { accept: h+0a1b2c3d+AQ==, site: h+0a1b2c3d+AQ==, log: h+0a1b2c3d+AQ== }',
      '',
    ].join('\n');
    expect(problemsIn(() => parsePartnership(text, FILE))).toEqual([]);
  });

  test.each([
    ['an id that is no host label', 'id: harbour', 'id: Harbour_1', '1:5: `id` must consist of a-z'],
    ['a mount without slashes', 'mount: /with-northwind/', 'mount: with', '4:8: `mount` must be a path such as'],
    ['a mount at the root', 'mount: /with-northwind/', 'mount: /', '4:8: `mount` must be a path such as'],
    ['a mount that leaves', 'mount: /with-northwind/', 'mount: /a/../b/', '4:8: `mount` must be a path such as'],
    ['a date that does not exist', '2026-12-01', '2026-02-30', '3:17: `period.from` must be a date'],
    [
      'an end before the start',
      'from: 2026-12-01',
      'from: 2026-12-01, until: 2026-01-01',
      '3:36: `period.until` must not',
    ],
    ['an unknown key', 'name:', 'nmae:', '2:1: unknown key `nmae` (did you mean `name`?)'],
  ])('is refused with %s', (_what, good, bad, expected) => {
    const problems = problemsIn(() => parsePartnership(MINIMAL.replace(good, bad), FILE));
    expect(problems.some((problem) => problem.startsWith(`${FILE}:${expected}`))).toBe(true);
  });

  test.each([
    ['a password in the address', 'sftp: { url: "sftp://a:b@h/x", hostKeys: ["ssh-ed25519 AAAA"] }', 'sftp.url'],
    ['no host key', 'sftp: { url: "sftp://a@h/x", hostKeys: [] }', 'sftp.hostKeys'],
    ['half of the keys', 'keys: { accept: h+0a1b2c3d+AQ==, site: h+0a1b2c3d+AQ== }', 'keys.log'],
    ['an origin with a path', 'policy: { remoteOrigins: ["https://cdn.example/x"] }', 'policy.remoteOrigins[0]'],
    [
      'a secret that is no digest',
      `invitation: { digest: ${'b'.repeat(64)}, answerKey: abc, until: 2026-12-31T00:00:00Z }`,
      'invitation.answerKey',
    ],
  ])('is refused with %s', (_what, line, key) => {
    const problems = problemsIn(() => parsePartnership(`${MINIMAL}${line}\n`, FILE));
    expect(problems).toEqual([expect.stringContaining(`\`${key}\``)]);
  });
});

describe('the terms of a partnership', () => {
  test('last from the first second of the first day to the last second of the last day, in UTC', () => {
    const text = MINIMAL.replace('from: 2026-12-01', 'from: 2026-12-01, until: 2027-11-30');
    const terms = termsOf(parsePartnership(text, FILE), MAIN, undefined);
    expect(terms.period).toEqual({ from: '2026-12-01T00:00:00Z', until: '2027-11-30T23:59:59Z' });
  });

  test('can be signed and read back', () => {
    const partnership = parsePartnership(`${MINIMAL}tariff: standard\n`, FILE);
    const terms = termsOf(partnership, MAIN, 'a'.repeat(64));
    expect(terms.tariff).toEqual({ name: 'standard', digest: 'a'.repeat(64) });
    expect(parseTerms(renderTerms(terms))).toEqual(terms);
  });
});
