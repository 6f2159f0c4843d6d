import { createPublicKey, verify } from 'node:crypto';
import * as fc from 'fast-check';
import nacl from 'tweetnacl';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  bulkSigner,
  bulkVerifier,
  pkcs8Of,
  publicKeyFault,
  publicKeyOf,
  seedOfPkcs8,
  signDocument,
  spkiOf,
  verifyDocument,
} from '../../../src/protocol/ed25519.ts';
import { vectors } from '../../support/vectors.ts';

const bytes = z
  .string()
  .regex(/^(?:[0-9a-f]{2})*$/)
  .transform((hex) => Uint8Array.from(Buffer.from(hex, 'hex')));
const name = z.string();
const signing = z.strictObject({ name, seed: bytes, publicKey: bytes, message: bytes, signature: bytes });
const verifying = z.strictObject({ name, publicKey: bytes, message: bytes, signature: bytes, valid: z.boolean() });
const weak = z.strictObject({ name, publicKey: bytes, fault: z.string() });

describe('signing', () => {
  test.each(vectors('ed25519/sign', signing))('$name gives the published bytes with both engines', (vector) => {
    expect(publicKeyOf(vector.seed)).toEqual(vector.publicKey);
    expect(signDocument(vector.seed, vector.message)).toEqual(vector.signature);
    expect(bulkSigner(vector.seed)(vector.message)).toEqual(vector.signature);
  });

  test.each([0, 31, 33, 64])('a seed of %i bytes is refused', (length) => {
    const seed = new Uint8Array(length);
    for (const use of [publicKeyOf, bulkSigner, pkcs8Of, (wrong: Uint8Array) => signDocument(wrong, seed)]) {
      expect(() => use(seed)).toThrow(`an Ed25519 seed has 32 bytes, this one has ${length}`);
    }
  });
});

describe('verifying', () => {
  test.each(vectors('ed25519/verify', verifying))('$name: valid is $valid with both engines', (vector) => {
    expect(verifyDocument(vector.publicKey, vector.message, vector.signature)).toBe(vector.valid);
    expect(bulkVerifier(vector.publicKey)(vector.message, vector.signature)).toBe(vector.valid);
  });

  test('the pre-check is needed: bare engines take some of what it refuses', () => {
    const refused = vectors('ed25519/verify', verifying).filter(
      ({ valid, publicKey, signature }) => !valid && publicKey.length === 32 && signature.length === 64,
    );
    const takenByTweetnacl = refused.filter(({ publicKey, message, signature }) =>
      nacl.sign.detached.verify(message, signature, publicKey),
    );
    const takenByOpenssl = refused.filter(({ publicKey, message, signature }) => {
      const key = createPublicKey({ key: Buffer.from(spkiOf(publicKey)), format: 'der', type: 'spki' });
      return verify(undefined, message, key, signature);
    });
    expect(takenByTweetnacl.map((vector) => vector.name)).toContain('S + L: the same signature a second time');
    expect(takenByOpenssl.some((vector) => vector.name.includes('small order'))).toBe(true);
  });

  test('both engines sign alike and agree on every alteration of a signature, a message and a key', () => {
    const part = fc.constantFrom('publicKey', 'message', 'signature');
    const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const flips = fc.array(fc.record({ part, at: fc.nat(200), bit: fc.nat(7) }), { maxLength: 3 });
    fc.assert(
      fc.property(seeds, fc.uint8Array({ minLength: 1, maxLength: 100 }), flips, (seed, message, alterations) => {
        const signature = signDocument(seed, message);
        expect(bulkSigner(seed)(message)).toEqual(signature);
        const altered = { publicKey: publicKeyOf(seed), message: message.slice(), signature: signature.slice() };
        for (const { part: place, at, bit } of alterations) {
          const target = altered[place];
          target[at % target.length] = (target[at % target.length] ?? 0) ^ (1 << bit);
        }
        const verdict = verifyDocument(altered.publicKey, altered.message, altered.signature);
        expect(bulkVerifier(altered.publicKey)(altered.message, altered.signature)).toBe(verdict);
        const unchanged =
          Buffer.compare(altered.publicKey, publicKeyOf(seed)) === 0 &&
          Buffer.compare(altered.message, message) === 0 &&
          Buffer.compare(altered.signature, signature) === 0;
        expect(verdict).toBe(unchanged);
      }),
      { numRuns: 60, seed: 8032 },
    );
  });

  test('whatever the bytes and their lengths, verifying answers and does not throw', () => {
    const anything = fc.uint8Array({ maxLength: 70 });
    fc.assert(
      fc.property(anything, anything, anything, (publicKey, message, signature) => {
        expect(verifyDocument(publicKey, message, signature)).toBe(false);
        expect(bulkVerifier(publicKey)(message, signature)).toBe(false);
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});

describe('public keys', () => {
  test.each(vectors('ed25519/weak-keys', weak))('$name is not trusted', (vector) => {
    expect(publicKeyFault(vector.publicKey)).toBe(vector.fault);
  });

  test('the key of any seed is trusted, and is the one that tweetnacl computes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (seed) => {
        const publicKey = publicKeyOf(seed);
        expect(publicKeyFault(publicKey)).toBeUndefined();
        expect(publicKey).toEqual(nacl.sign.keyPair.fromSeed(seed).publicKey);
      }),
      { numRuns: 30, seed: 2 },
    );
  });
});

/** Whether x^2 of a point with this y is a square: by Euler's criterion, as RFC 8032 has it in 5.1.3. */
function isPoint(y: bigint): boolean {
  const p = 2n ** 255n - 19n;
  const power = (base: bigint, exponent: bigint): bigint => {
    if (exponent === 0n) return 1n;
    const half = power((base * base) % p, exponent / 2n);
    return exponent % 2n === 0n ? half : (half * base) % p;
  };
  const d = (-121665n * power(121666n, p - 2n)) % p;
  const square = ((y * y - 1n) * power(d * y * y + 1n, p - 2n)) % p;
  return [0n, 1n].includes(power((square + p) % p, (p - 1n) / 2n));
}

describe('the curve', () => {
  test('has the points that the equation has', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 2n, max: 2n ** 255n - 21n }), fc.boolean(), (y, sign) => {
        const point = Buffer.from(y.toString(16).padStart(64, '0'), 'hex').toReversed();
        point[31] = (point[31] ?? 0) | (sign ? 0x80 : 0);
        expect(publicKeyFault(point)).toBe(isPoint(y) ? undefined : 'is not a point of the curve');
      }),
    );
  });
});

describe('PKCS#8', () => {
  test('gives back the seed that was put in, and takes no other form', () => {
    const seed = Uint8Array.from({ length: 32 }, (_, index) => index);
    const der = pkcs8Of(seed);
    expect(seedOfPkcs8(der)).toEqual(seed);
    expect(seedOfPkcs8(der.subarray(0, -1))).toBeUndefined();
    expect(seedOfPkcs8(Buffer.concat([der, Buffer.alloc(1)]))).toBeUndefined();
    expect(seedOfPkcs8(Buffer.from(der).fill(0x31, 0, 1))).toBeUndefined();
  });
});
