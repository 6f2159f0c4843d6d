import { describe, expect, test } from 'vitest';
import { TieupError } from '../../../src/errors.ts';
import { finding, ok } from '../../../src/report/finding.ts';
import { keyFileFindings } from '../../../src/report/key-files.ts';
import { contractFinding, expiryFinding, nodeFinding } from '../../../src/report/lifetimes.ts';

const NOW = new Date('2026-11-23T12:00:00Z');

test.each([
  ['v18.20.4', 'problem'],
  ['v20.18.3', 'problem'],
  ['v20.19.0', 'ok'],
  ['v22.0.0', 'ok'],
  ['v24.1.0', 'ok'],
])('Node %s is %s', (version, state) => {
  expect(nodeFinding(version)).toMatchObject({ state, message: expect.stringContaining(version) });
});

test.each([
  ['2026-12-01', null, 'warning', 'the contract begins on 2026-12-01'],
  ['2026-01-01', null, 'ok', 'the contract is in force since 2026-01-01, without an end'],
  ['2026-01-01', '2027-06-30', 'ok', 'the contract is in force until 2027-06-30'],
  ['2026-01-01', '2026-12-01', 'warning', 'the contract is in force until 2026-12-01, 8 days more'],
  ['2026-01-01', '2026-11-24T23:59:59Z', 'warning', 'the contract is in force until 2026-11-24, 1 day more'],
  ['2026-01-01', '2026-11-23', 'warning', 'the contract is in force until 2026-11-23, 0 days more'],
  ['2026-01-01', '2026-11-22', 'problem', 'the contract was over on 2026-11-22'],
])('a contract from %s to %s is %s', (from, until, state, message) => {
  expect(contractFinding(from, until, NOW, 'extend it')).toMatchObject({ check: 'contract', state, message });
});

test.each([
  ['timestamp', '2026-12-07T12:00:00Z', 'ok', 'is good until 2026-12-07, 14 days more'],
  ['timestamp', '2026-11-30T11:00:00Z', 'warning', 'is good until 2026-11-30, 6 days more'],
  ['timestamp', '2026-11-23T12:00:00Z', 'problem', 'expired on 2026-11-23'],
  ['root', '2027-12-01T00:00:00Z', 'ok', '372 days more'],
  ['root', '2027-11-01T00:00:00Z', 'warning', '342 days more'],
  ['targets', '2026-11-22T00:00:00Z', 'problem', 'expired on 2026-11-22'],
] as const)('%s metadata that expires at %s is %s', (role, expires, state, message) => {
  const found = expiryFinding(role, expires, NOW, 'sign it anew');
  expect(found).toMatchObject({ check: `${role}-expiry`, state, message: expect.stringContaining(message) });
  expect(found.fix).toBe(state === 'ok' ? null : 'sign it anew');
});

describe('key files', () => {
  test('that only their owner can read are well', () => {
    const files = [{ name: 'site.key', kind: 'file', mode: 0o600 }] as const;
    expect(keyFileFindings('/keys', 0o700, files)).toEqual([ok('key-files', 'nobody else can read the key files')]);
  });

  test('that others can use are problems, one by one, with the command that mends them', () => {
    const found = keyFileFindings('/keys', 0o777, [
      { name: 'site.key', kind: 'file', mode: 0o644 },
      { name: 'log.key', kind: 'link', mode: undefined },
      { name: 'accept.key', kind: 'file', mode: 0o600 },
    ]);
    expect(found.map(({ state, fix }) => [state, fix])).toEqual([
      ['problem', 'chmod 700 /keys'],
      ['problem', 'chmod 600 /keys/site.key'],
      ['problem', 'replace /keys/log.key'],
    ]);
  });

  test('without permission bits have nothing to say', () => {
    expect(keyFileFindings('/keys', undefined, [{ name: 'site.key', kind: 'file', mode: undefined }])).toHaveLength(1);
    expect(keyFileFindings('/keys', undefined, [])).toEqual([]);
  });
});

describe('a look', () => {
  test('that is refused is a problem in the words of the refusal', async () => {
    const refuse = async () => {
      throw new TieupError('TIEUP_E_LOGIN', 'the server refused the login', { hint: 'ask the partner' });
    };
    expect(await finding('login', refuse)).toEqual([
      { check: 'login', state: 'problem', message: 'the server refused the login', fix: 'ask the partner' },
    ]);
  });

  test('that fails for a reason nobody foresaw is not swallowed', async () => {
    const fail = async () => {
      throw new RangeError('a defect');
    };
    await expect(finding('login', fail)).rejects.toThrow('a defect');
  });
});
