import { Metadata, MetadataKind } from '@tufjs/models';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../../src/protocol/digest.ts';
import { publicKeyOf } from '../../../src/protocol/ed25519.ts';
import {
  checkRootKeys,
  parseRoot,
  readMetadataVersion,
  type TargetDescription,
  tufKeyId,
} from '../../../src/protocol/tuf-metadata.ts';
import {
  expiryAfter,
  LIFETIME_DAYS,
  type RoleKeys,
  signRelease,
  signRoot,
  signTargets,
} from '../../../src/protocol/tuf-repository.ts';
import { at, NOW, partnerSeeds, rootOf, signed } from '../../support/signed-inbox.ts';

const seeds = partnerSeeds('partner-a');
const decode = (bytes: Uint8Array): { signed: Record<string, unknown>; signatures: unknown[] } =>
  JSON.parse(Buffer.from(bytes).toString());
const json = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString());
const reference = (version: number, bytes: Uint8Array): unknown => ({
  version,
  length: bytes.length,
  hashes: { sha256: sha256(bytes) },
});
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('signed metadata', () => {
  test('is the same bytes for the same input, and other bytes for another partner', () => {
    expect(signed(seeds, at(3), 'three')).toEqual(signed(partnerSeeds('partner-a'), at(3), 'three'));
    expect(signed(partnerSeeds('partner-b'), at(3), 'three')).not.toEqual(signed(seeds, at(3), 'three'));
    expect(rootOf(seeds)).toEqual(rootOf(seeds));
  });

  test('does not depend on the order in which targets are given', () => {
    const one: [string, TargetDescription] = ['SHA256SUMS', { length: 1, sha256: sha256('1') }];
    const two: [string, TargetDescription] = ['release.json', { length: 2, sha256: sha256('2') }];
    const head = { version: 1, expires: NOW, signers: seeds.targets };
    expect(signTargets({ ...head, targets: new Map([one, two]) })).toEqual(
      signTargets({ ...head, targets: new Map([two, one]) }),
    );
  });

  test('has the fields of the specification and no others', () => {
    const { targets, snapshot, timestamp } = signed(seeds, { targets: 7, snapshot: 8, timestamp: 9 }, 'seven');
    expect([targets.name, snapshot.name, timestamp.name]).toEqual([
      '7.targets.json',
      '8.snapshot.json',
      'timestamp.json',
    ]);
    expect(decode(timestamp.bytes).signed).toEqual({
      _type: 'timestamp',
      spec_version: '1.0.31',
      version: 9,
      expires: '2026-12-07T12:00:00Z',
      meta: { 'snapshot.json': reference(8, snapshot.bytes) },
    });
    expect(decode(snapshot.bytes).signed).toEqual({
      _type: 'snapshot',
      spec_version: '1.0.31',
      version: 8,
      expires: '2026-12-07T12:00:00Z',
      meta: { 'targets.json': reference(7, targets.bytes) },
    });
    expect(Object.keys(decode(targets.bytes).signed).toSorted()).toEqual([
      '_type',
      'expires',
      'spec_version',
      'targets',
      'version',
    ]);
    expect(Object.keys(decode(rootOf(seeds)).signed).toSorted()).toEqual([
      '_type',
      'consistent_snapshot',
      'expires',
      'keys',
      'roles',
      'spec_version',
      'version',
    ]);
  });

  test('is what the TUF library verifies', () => {
    const root = Metadata.fromJSON(MetadataKind.Root, json(rootOf(seeds)));
    const { targets, snapshot, timestamp } = signed(seeds, at(1), 'one');
    root.verifyDelegate('root', root);
    root.verifyDelegate('targets', Metadata.fromJSON(MetadataKind.Targets, json(targets.bytes)));
    root.verifyDelegate('snapshot', Metadata.fromJSON(MetadataKind.Snapshot, json(snapshot.bytes)));
    root.verifyDelegate('timestamp', Metadata.fromJSON(MetadataKind.Timestamp, json(timestamp.bytes)));
    const wrong = Metadata.fromJSON(MetadataKind.Snapshot, json(snapshot.bytes));
    expect(() => root.verifyDelegate('targets', wrong)).toThrow('targets was signed by 0/1 keys');
  });

  test('lives as long as the design says, or as long as a campaign', () => {
    expect(LIFETIME_DAYS).toEqual({ root: 730, targets: 180, snapshot: 14, timestamp: 14 });
    expect(expiryAfter(NOW, 'timestamp').toISOString()).toBe('2026-12-07T12:00:00.000Z');
    const release = signRelease({
      seeds,
      versions: at(1),
      now: NOW,
      targets: new Map(),
      targetsExpire: new Date('2026-12-24T18:00:00Z'),
    });
    expect(readMetadataVersion(release.targets.bytes)).toEqual({
      type: 'targets',
      version: 1,
      expires: '2026-12-24T18:00:00Z',
    });
  });

  test.each([0, -1, 1.5, Number.NaN, 2 ** 53])('cannot have the version %d', (version) => {
    expect(() => signed(seeds, at(version), 'x')).toThrow(`${version} cannot be a version`);
  });

  test('needs somebody who signs', () => {
    expect(() => signed({ ...seeds, targets: [] }, at(1), 'x')).toThrow('nobody would sign the targets metadata');
  });
});

describe('a key id', () => {
  test('is the digest of the canonical JSON of the key, as securesystemslib computes it', () => {
    const publicKey = hex(publicKeyOf(seeds.online));
    const canonical = `{"keytype":"ed25519","keyval":{"public":"${publicKey}"},"scheme":"ed25519"}`;
    expect(tufKeyId(publicKey)).toBe(sha256(canonical));
    expect(Object.keys(parseRoot(rootOf(seeds)).signed.keys)).toContain(tufKeyId(publicKey));
  });
});

describe('a root', () => {
  const keys = [1, 2, 3].map((fill) => new Uint8Array(32).fill(fill));
  const publicKeys = keys.map(publicKeyOf);
  const single: RoleKeys = { publicKeys: publicKeys.slice(0, 1), threshold: 1 };
  const roles = { root: { publicKeys, threshold: 2 }, targets: single, snapshot: single, timestamp: single };
  const root = (change: Partial<Record<keyof typeof roles, RoleKeys>>, signers = keys): Uint8Array =>
    signRoot({ version: 1, expires: NOW, roles: { ...roles, ...change }, signers });

  test('can ask for k of n keys', () => {
    expect(decode(root({}, keys.slice(1))).signatures).toHaveLength(2);
    expect(() => root({}, keys.slice(2))).toThrow('a root needs 2 of its own keys, 1 would sign it');
    expect(() => root({}, [...keys.slice(2), new Uint8Array(32).fill(9)])).toThrow('1 would sign it');
  });

  const weak = Uint8Array.from({ length: 32 }, (_, index) => (index === 0 ? 1 : 0));
  test.each<[string, RoleKeys, string]>([
    ['a weak key', { publicKeys: [weak], threshold: 1 }, 'a key of the role targets is a point of small order'],
    ['a key twice', { publicKeys: [...publicKeys, ...publicKeys], threshold: 1 }, 'the role targets has a key twice'],
    ['no key', { publicKeys: [], threshold: 1 }, 'the role targets has 0 keys: 1 cannot be needed'],
    ['more needed than there are', { publicKeys, threshold: 4 }, 'the role targets has 3 keys: 4 cannot be needed'],
    ['none needed', { publicKeys, threshold: 0 }, 'the role targets has 3 keys: 0 cannot be needed'],
  ])('with %s is not signed', (_, targets, why) => {
    expect(() => root({ targets })).toThrow(expect.objectContaining({ code: 'TIEUP_E_KEY', message: why }));
  });

  test('with keys of other types, extra fields or flat names is refused by its readers', () => {
    const text = Buffer.from(root({})).toString();
    checkRootKeys(Buffer.from(text));
    for (const [from, to] of [
      ['"keytype": "ed25519"', '"keytype": "rsa"'],
      ['"scheme": "ed25519"', '"scheme": "ed25519ph"'],
      ['"scheme": "ed25519"', '"scheme": "ed25519", "salt": "1"'],
      ['"consistent_snapshot": true', '"consistent_snapshot": false'],
    ] as const) {
      expect(text).toContain(from);
      expect(() => checkRootKeys(Buffer.from(text.replace(from, to)))).toThrow('the root metadata is malformed');
    }
  });
});

describe('reading what metadata claims to be', () => {
  test.each([
    ['nothing', ''],
    ['a list', '[]'],
    ['no signed part', '{}'],
    ['an unknown type', '{"signed":{"_type":"mirrors","version":1,"expires":"2026-12-07T12:00:00Z"}}'],
    ['a version that is no whole number', '{"signed":{"_type":"root","version":1.5,"expires":"2026-12-07T12:00:00Z"}}'],
    [
      'a version beyond exact numbers',
      '{"signed":{"_type":"root","version":9007199254740993,"expires":"2026-12-07T12:00:00Z"}}',
    ],
    ['a date that is none', '{"signed":{"_type":"root","version":1,"expires":"2026-13-07T12:00:00Z"}}'],
    ['a date with another zone', '{"signed":{"_type":"root","version":1,"expires":"2026-12-07T12:00:00+01:00"}}'],
  ])('refuses %s', (_, text) => {
    expect(() => readMetadataVersion(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'TIEUP_E_VERIFY' }));
  });
});
