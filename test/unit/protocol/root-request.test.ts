import { assert, integer, nat, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isTieupError } from '../../../src/errors.ts';
import { publicKeyOf } from '../../../src/protocol/ed25519.ts';
import {
  changeOf,
  countSignatures,
  isComplete,
  missingHolders,
  parseRootRequest,
  renderRootRequest,
  requestDigest,
  sealPartnerRoot,
  signPartnerRoot,
  type PartnerRootRequest,
  type RootRequest,
} from '../../../src/protocol/root-request.ts';
import { checkRootKeys, parseRoot } from '../../../src/protocol/tuf-metadata.ts';
import { partnerSeeds, rootOf } from '../../support/signed-inbox.ts';

const seed = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const publicHex = (fill: number): string => hex(publicKeyOf(seed(fill)));
const before = partnerSeeds('harbour');

const EACH: PartnerRootRequest = {
  partner: 'harbour',
  epoch: 1,
  version: 2,
  expires: '2028-11-22T12:00:00Z',
  previous: rootOf(before),
  targets: publicHex(10),
  online: publicHex(11),
  rootKeys: { alice: publicHex(1), bob: publicHex(2) },
  signatures: {},
};

const REQUEST: RootRequest = {
  site: 'https://northwind.example/',
  reason: 'rotate release',
  created: '2026-11-23T12:00:00Z',
  threshold: 2,
  holders: ['alice', 'bob'],
  partners: [EACH],
};

function signedBy(...seeds: readonly (Uint8Array | undefined)[]): RootRequest {
  let each = EACH;
  for (const by of seeds) if (by !== undefined) each = signPartnerRoot(REQUEST, each, by);
  return { ...REQUEST, partners: [each] };
}

function refusalOf(work: () => unknown): { code: string; message: string } {
  try {
    work();
  } catch (error) {
    if (isTieupError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('it was not refused');
}

describe('a root request', () => {
  test('is read as it was written', () => {
    const request = signedBy(seed(1));
    expect(parseRootRequest(renderRootRequest(request))).toEqual(request);
  });

  test('becomes a root that a TUF client takes, once both thresholds are met', () => {
    const request = signedBy(seed(1), seed(2), before.root[0]);
    expect(isComplete(request)).toBe(true);
    const bytes = sealPartnerRoot(request, request.partners[0] ?? EACH);
    checkRootKeys(bytes);
    const [old, next] = [parseRoot(EACH.previous ?? bytes), parseRoot(bytes)];
    expect(() => old.verifyDelegate('root', next)).not.toThrow();
    expect(() => next.verifyDelegate('root', next)).not.toThrow();
    expect([next.signed.version, next.signed.roles['root']?.threshold]).toEqual([2, 2]);
  });

  test.each([
    ['nobody of the root before', [seed(1), seed(2)], '0 of 1 signatures of its present holders'],
    ['one of the new holders alone', [seed(1), before.root[0]], '1 of 2 signatures of its new holders'],
    ['a stranger', [seed(7)], '0 of 2 signatures of its new holders'],
  ])('signed by %s is not enough', (_whose, seeds, expected) => {
    const request = signedBy(...seeds);
    expect(isComplete(request)).toBe(false);
    const refused = refusalOf(() => sealPartnerRoot(request, request.partners[0] ?? EACH));
    expect(refused).toEqual({ code: 'TIEUP_E_KEY', message: `the root of harbour has ${expected}` });
  });

  test('with a signature for something else is refused', () => {
    const [each] = signedBy(seed(1)).partners;
    if (each === undefined) throw new Error('there is no partner');
    expect(refusalOf(() => countSignatures(REQUEST, { ...each, expires: '2029-01-01T00:00:00Z' }))).toMatchObject({
      code: 'TIEUP_E_VERIFY',
    });
    expect(refusalOf(() => countSignatures({ ...REQUEST, threshold: 1 }, each))).toMatchObject({
      code: 'TIEUP_E_VERIFY',
    });
  });

  test('says what it changes', () => {
    expect(changeOf(EACH)).toEqual({
      isFirst: false,
      newRelease: true,
      newOnline: true,
      newHolders: ['alice', 'bob'],
      removedKeys: 1,
      thresholdBefore: 1,
    });
    expect(changeOf({ ...EACH, previous: null, version: 1 })).toMatchObject({ isFirst: true, removedKeys: 0 });
  });

  test('has a digest only when all public keys are in, and another one for every change of what is signed', () => {
    const partial = { ...REQUEST, partners: [{ ...EACH, rootKeys: { alice: publicHex(1) } }] };
    expect(missingHolders(partial)).toEqual(['bob']);
    expect(refusalOf(() => requestDigest(partial)).message).toContain('public keys of bob are missing');
    const changed: readonly RootRequest[] = [
      REQUEST,
      { ...REQUEST, threshold: 1 },
      { ...REQUEST, site: 'https://southwind.example/' },
      ...[
        { ...EACH, partner: 'moor' },
        { ...EACH, version: 3 },
        { ...EACH, expires: '2028-11-22T12:00:01Z' },
        { ...EACH, targets: publicHex(12) },
        { ...EACH, online: publicHex(12) },
        { ...EACH, rootKeys: { ...EACH.rootKeys, bob: publicHex(3) } },
      ].map((each) => ({ ...REQUEST, partners: [each] })),
    ];
    expect(new Set(changed.map(requestDigest)).size).toBe(changed.length);
    expect(requestDigest(signedBy(seed(1)))).toBe(requestDigest(REQUEST));
  });

  test.each([
    ['no JSON', Buffer.from('{'), 'cannot be read as JSON'],
    ['another type', edited({ type: 'tieup-root-request/2' }), 'tieup-root-request/1'],
    ['a field too many', edited({ more: 1 }), 'more'],
    ['a holder twice', edited({ holders: ['alice', 'alice'] }), 'named twice'],
    ['a holder who climbs', edited({ holders: ['../alice', 'bob'] }), 'holders'],
    ['a threshold that nobody meets', edited({ threshold: 3 }), '3 of 2 holders cannot sign'],
    [
      'a version that skips one',
      renderRootRequest({ ...REQUEST, partners: [{ ...EACH, version: 3 }] }),
      'cannot follow version 1',
    ],
    ['a partner twice', renderRootRequest({ ...REQUEST, partners: [EACH, EACH] }), 'a partner is named twice'],
    [
      'the key of nobody',
      renderRootRequest({ ...REQUEST, partners: [{ ...EACH, rootKeys: { mallory: publicHex(9) } }] }),
      'mallory holds no root of harbour',
    ],
  ])('with %s is refused', (_what, bytes, expected) => {
    const { code, message } = refusalOf(() => parseRootRequest(bytes));
    expect([code, message]).toEqual(['TIEUP_E_VERIFY', expect.stringContaining(expected)]);
  });

  test('that was damaged is refused or read as itself, never as a crash', () => {
    const bytes = renderRootRequest(signedBy(seed(1)));
    assert(
      property(nat(bytes.length - 1), integer({ min: 0, max: 255 }), (place, value) => {
        const damaged = Uint8Array.from(bytes);
        damaged[place] = value;
        const again = reread(damaged);
        expect(again === 'refused' || Buffer.compare(again.once, again.twice) === 0).toBe(true);
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});

/** What is written after one reading and after two, or that it was refused in the way that it should be. */
function reread(bytes: Uint8Array): 'refused' | { readonly once: Uint8Array; readonly twice: Uint8Array } {
  try {
    const once = renderRootRequest(parseRootRequest(bytes));
    return { once, twice: renderRootRequest(parseRootRequest(once)) };
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_VERIFY')) return 'refused';
    throw error;
  }
}

function edited(change: object): Uint8Array {
  const value: object = JSON.parse(Buffer.from(renderRootRequest(REQUEST)).toString());
  return Buffer.from(JSON.stringify({ ...value, ...change }));
}
