import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { deriveSeed, type Role } from '../../../src/protocol/derive.ts';

const master = Uint8Array.from({ length: 32 }, (_, index) => index);

describe('a derived seed', () => {
  test('is HKDF-SHA-256 as RFC 5869 writes it, with an empty salt and one block', () => {
    const pseudorandomKey = createHmac('sha256', Buffer.alloc(32)).update(master).digest();
    const info = 'tieup/v1/targets/main/partner-a/3';
    const expected = createHmac('sha256', pseudorandomKey).update(info).update(Uint8Array.of(1)).digest();
    expect(Buffer.from(deriveSeed(master, 'targets', 'main', 'partner-a', 3))).toEqual(expected);
  });

  test('is another one for another master, role, holder, partner or epoch', () => {
    const seeds = [
      deriveSeed(master, 'root', 'main', 'partner-a', 1),
      deriveSeed(new Uint8Array(32), 'root', 'main', 'partner-a', 1),
      deriveSeed(master, 'targets', 'main', 'partner-a', 1),
      deriveSeed(master, 'online', 'main', 'partner-a', 1),
      deriveSeed(master, 'root', 'backup', 'partner-a', 1),
      deriveSeed(master, 'root', 'main', 'partner-b', 1),
      deriveSeed(master, 'root', 'main', 'partner-a', 2),
      deriveSeed(master, 'root', 'main-partner', 'a', 1),
    ];
    expect(new Set(seeds.map((seed) => Buffer.from(seed).toString('hex'))).size).toBe(seeds.length);
    expect(deriveSeed(master, 'root', 'main', 'partner-a', 1)).toEqual(seeds[0]);
  });

  const role: Role = 'root';
  test.each([
    [
      'a holder with a slash',
      () => deriveSeed(master, role, 'a/b', 'c', 1),
      '"a/b" cannot be the name of a key holder',
    ],
    ['an empty holder', () => deriveSeed(master, role, '', 'c', 1), '"" cannot be the name of a key holder'],
    ['a partner with a slash', () => deriveSeed(master, role, 'a', 'b/c', 1), '"b/c" is not a partner id'],
    ['a partner in capitals', () => deriveSeed(master, role, 'a', 'B', 1), '"B" is not a partner id'],
    ['epoch 0', () => deriveSeed(master, role, 'a', 'b', 0), 'the epoch 0 is not a whole number'],
    ['epoch 1.5', () => deriveSeed(master, role, 'a', 'b', 1.5), 'the epoch 1.5 is not a whole number'],
    ['a master of 31 bytes', () => deriveSeed(master.subarray(1), role, 'a', 'b', 1), 'a master has 32 bytes'],
  ])('is refused for %s', (_, derive, why) => {
    expect(derive).toThrow(expect.objectContaining({ code: 'TIEUP_E_KEY', message: expect.stringContaining(why) }));
  });
});
