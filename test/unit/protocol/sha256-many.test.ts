/** Many digests at a time are those of node:crypto, whatever the messages and however they lie. */
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashMany, type HashMany, hashManyInLanes, hashManyInTurn } from '../../../src/protocol/sha256-many.ts';

const inLanes = hashManyInLanes();

const WAYS: readonly (readonly [string, HashMany])[] = [
  ['in turn', hashManyInTurn],
  ['in lanes', inLanes ?? hashManyInTurn],
  ['by the faster way', hashMany],
];

/** Messages of these lengths, with gaps between them and bytes that repeat only far away. */
function messages(lengths: readonly number[], gap = 3): { bytes: Uint8Array; bounds: Uint32Array } {
  const bounds = new Uint32Array(2 * lengths.length);
  let at = gap;
  for (const [index, length] of lengths.entries()) {
    bounds.set([at, at + length], 2 * index);
    at += length + gap;
  }
  return { bytes: Uint8Array.from({ length: at }, (_, index) => (index * 31 + (index >> 8) * 7) & 255), bounds };
}

function digestsBy(way: HashMany, prefix: number, lengths: readonly number[], gap?: number): string[] {
  const { bytes, bounds } = messages(lengths, gap);
  const before = Buffer.from(bytes).toString('hex');
  const digests = new Uint8Array(32 * lengths.length);
  way(prefix, bytes, bounds, lengths.length, digests);
  expect(Buffer.from(bytes).toString('hex') === before).toBe(true);
  return lengths.map((_, index) => Buffer.from(digests.subarray(32 * index, 32 * index + 32)).toString('hex'));
}

function expected(prefix: number, lengths: readonly number[], gap?: number): string[] {
  const { bytes, bounds } = messages(lengths, gap);
  return lengths.map((_, index) =>
    createHash('sha256')
      .update(Uint8Array.of(prefix))
      .update(bytes.subarray(bounds[2 * index], bounds[2 * index + 1]))
      .digest('hex'),
  );
}

it('there is a way that hashes four messages at a time', () => {
  expect(inLanes).toBeDefined();
});

describe.each(WAYS)('%s', (_, way) => {
  it('hashes what FIPS 180-4 gives as an example', () => {
    const digests = new Uint8Array(32);
    way(0x61, Buffer.from('-bc-'), Uint32Array.of(1, 3), 1, digests);
    expect(Buffer.from(digests).toString('hex')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  it('hashes messages of every length to 400 bytes', () => {
    const lengths = Array.from({ length: 401 }, (_none, length) => length);
    expect(digestsBy(way, 0, lengths)).toEqual(expected(0, lengths));
    const falling = lengths.toReversed();
    expect(digestsBy(way, 1, falling, 0)).toEqual(expected(1, falling, 0));
  });

  it('hashes groups that are not full', () => {
    for (const count of [0, 1, 2, 3, 4, 5, 7, 9]) {
      const lengths = Array.from({ length: count }, () => 64);
      expect(digestsBy(way, 255, lengths)).toEqual(expected(255, lengths));
    }
  });

  it('hashes more messages, and longer ones, than one call takes', () => {
    const many = Array.from({ length: 3000 }, (_none, index) => 200 + (index % 90));
    expect(digestsBy(way, 0, many)).toEqual(expected(0, many));
    const long = [10, 262_143, 262_144, 262_145, 20, 600_000, 30];
    expect(digestsBy(way, 0, long)).toEqual(expected(0, long));
  });

  it('hashes any messages', () => {
    const lengths = fc.array(fc.oneof(fc.nat(130), fc.nat(17_000)), { maxLength: 40 });
    fc.assert(
      fc.property(fc.nat(255), lengths, fc.nat(20), (prefix, each, gap) => {
        expect(digestsBy(way, prefix, each, gap)).toEqual(expected(prefix, each, gap));
      }),
      { numRuns: 60 },
    );
  });
});
