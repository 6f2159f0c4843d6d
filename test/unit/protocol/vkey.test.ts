import { createPublicKey } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../../src/protocol/digest.ts';
import { publicKeyOf } from '../../../src/protocol/ed25519.ts';
import {
  fingerprint,
  keyIdHex,
  parseVkey,
  renderVkey,
  sixWords,
  spkiPem,
  verifierKey,
} from '../../../src/protocol/vkey.ts';
import { wordOf } from '../../../src/protocol/words.ts';

const publicKey = publicKeyOf(new Uint8Array(32).fill(7));
const neutral = Uint8Array.from({ length: 32 }, (_, index) => (index === 0 ? 1 : 0));

/** The key of the examples of the Go package golang.org/x/mod/sumdb/note. */
const PETER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';

describe('verifier keys', () => {
  test('are those of the C2SP specification', () => {
    const key = parseVkey(PETER);
    expect(key.name).toBe('PeterNeumann');
    expect(keyIdHex(key.keyId)).toBe('c74f20a3');
    expect(renderVkey(key.name, key.publicKey)).toBe(PETER);
  });

  test('come back as they were rendered, whatever the name', () => {
    const names = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
      .filter((name) => !/[\s\p{Cc}+]/u.test(name));
    const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(names, seeds, (name, seed) => {
        const key = verifierKey(name, publicKeyOf(seed));
        expect(parseVkey(renderVkey(name, key.publicKey))).toEqual(key);
      }),
      { numRuns: 40, seed: 4 },
    );
  });

  test('keep the zeros in front of a small key id', () => {
    expect(keyIdHex(0x1f)).toBe('0000001f');
  });

  test.each([
    ['', 'it is not <name>+<key id>+<base64>'],
    [`${PETER}\n`, 'it is not <name>+<key id>+<base64>'],
    [` ${PETER}`, 'its name contains a blank'],
    [PETER.replace('PeterNeumann', ''), 'it is not <name>+<key id>+<base64>'],
    [PETER.replace('PeterNeumann', 'Peter Neumann'), 'its name contains a blank'],
    [PETER.replace('PeterNeumann', 'Peter\u{7f}'), 'its name contains a blank, a control character'],
    [PETER.replace('c74f20a3', 'C74F20A3'), 'it is not <name>+<key id>+<base64>'],
    [PETER.replace('c74f20a3', '74f20a3'), 'it is not <name>+<key id>+<base64>'],
    [PETER.replace('c74f20a3', 'c74f20a4'), 'its key id does not fit its name and key'],
    [PETER.replace('PeterNeumann', 'PeterNewmann'), 'its key id does not fit its name and key'],
    [PETER.replace('+ARpc', '+ARpd'), 'its key id does not fit its name and key'],
    [PETER.replace('+ARpc', '+AhpC'), 'it is not an Ed25519 key'],
    [PETER.slice(0, -4), 'it is not an Ed25519 key'],
    [`${PETER}AAAA`, 'it is not an Ed25519 key'],
    [PETER.slice(0, -1), 'its base64 is not strict'],
  ])('%j is refused: %s', (line, why) => {
    expect(() => parseVkey(line)).toThrow(
      expect.objectContaining({ code: 'TIEUP_E_VERIFY', message: expect.stringContaining(why) }),
    );
  });

  test('of a weak key are neither made nor taken, although name and key id fit', () => {
    expect(() => renderVkey('weak', neutral)).toThrow('the public key of "weak" is a point of small order');
    const encoded = Buffer.concat([Uint8Array.of(1), neutral]);
    const keyId = sha256(Buffer.concat([Buffer.from('weak\n'), encoded])).slice(0, 8);
    expect(() => parseVkey(`weak+${keyId}+${encoded.toString('base64')}`)).toThrow('its key is a point of small order');
  });

  test('do not follow later changes of the bytes they were made from', () => {
    const bytes = Uint8Array.from(publicKey);
    const key = verifierKey('name', bytes);
    bytes[0] = 0;
    expect(key.publicKey).toEqual(publicKey);
  });
});

describe('a public key', () => {
  test('as PEM is the one that node:crypto reads', () => {
    const read = createPublicKey(spkiPem(publicKey)).export({ format: 'jwk' });
    expect(Buffer.from(read.x ?? '', 'base64url')).toEqual(Buffer.from(publicKey));
  });

  test('has the SHA-256 of its bytes as its fingerprint', () => {
    expect(fingerprint(publicKey)).toBe(sha256(publicKey));
  });
});

describe('six words', () => {
  test('are the first 66 bits of a digest, eleven a word', () => {
    const digest = sha256('tieup');
    const bits = BigInt(`0x${digest}`).toString(2).padStart(256, '0');
    const words = [0, 1, 2, 3, 4, 5].map((word) => wordOf(Number.parseInt(bits.slice(word * 11, word * 11 + 11), 2)));
    expect(sixWords(digest)).toEqual(words);
    expect(sixWords('0'.repeat(64))).toEqual(Array.from({ length: 6 }, () => 'babal'));
    expect(sixWords('f'.repeat(64))).toEqual(Array.from({ length: 6 }, () => 'totot'));
  });

  test('are refused for anything but a digest', () => {
    for (const text of ['', 'f'.repeat(63), 'F'.repeat(64), 'g'.repeat(64)]) {
      expect(() => sixWords(text)).toThrow('is not a SHA-256');
    }
  });

  test('come from 2048 words that are all different and have five letters', () => {
    const words = Array.from({ length: 2048 }, (_, index) => wordOf(index));
    expect(new Set(words).size).toBe(2048);
    expect(words.every((word) => /^[bdfkmrst][aeio][bdfkmrst][aeio][lt]$/.test(word))).toBe(true);
    for (const index of [-1, 2048, 0.5, Number.NaN]) expect(() => wordOf(index)).toThrow('no word');
  });
});
