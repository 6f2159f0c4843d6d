import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  bytesOfDigest,
  digestOf,
  emptyRoot,
  Frontier,
  hashLeaves,
  leafHash,
  nodeDigest,
  nodeHash,
  subtreesOf,
} from '../../../src/protocol/merkle.ts';
import {
  consistencyRanges,
  hashRanges,
  inclusionRanges,
  verifyConsistency,
  verifyInclusion,
} from '../../../src/protocol/merkle-proof.ts';
import { vectors } from '../../support/vectors.ts';

const SIZES = 300;
const data = Array.from({ length: SIZES }, (_, index) => Buffer.from(`record ${index}`));
const leaves = data.map(leafHash);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const unhex = (text: string): Uint8Array => Buffer.from(text, 'hex');

/** MTH of RFC 9162, 2.1.1, as the text has it. */
function rootOf(hashes: readonly Uint8Array[]): Uint8Array {
  const [first] = hashes;
  if (first === undefined) return emptyRoot();
  if (hashes.length === 1) return first;
  const k = 2 ** (Math.ceil(Math.log2(hashes.length)) - 1);
  return nodeHash(rootOf(hashes.slice(0, k)), rootOf(hashes.slice(k)));
}

function frontierOf(hashes: readonly Uint8Array[]): Frontier {
  const frontier = new Frontier();
  for (const each of hashes) frontier.appendLeaves(each);
  return frontier;
}

const roots = Array.from({ length: SIZES + 1 }, (_, size) => rootOf(leaves.slice(0, size)));
const rootAt = (size: number): Uint8Array => roots[size] ?? new Uint8Array(0);
const headAt = (size: number) => ({ size, root: rootAt(size) });
/** Hashes of ranges by the recursive definition. */
const byDefinition = (ranges: readonly { from: number; to: number }[]) =>
  ranges.map(({ from, to }) => rootOf(leaves.slice(from, to)));

describe('the tree', () => {
  test('has the roots that RFC 6962 logs are tested with', () => {
    const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
    const hashes = inputs.map((input) => leafHash(unhex(input)));
    expect(Array.from({ length: 9 }, (_, size) => hex(frontierOf(hashes.slice(0, size)).root()))).toEqual([
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ]);
  });

  test('grows to the root of the definition at every size to 300', () => {
    const frontier = new Frontier();
    expect(hex(frontier.root())).toBe(hex(rootAt(0)));
    for (const [index, leaf] of leaves.entries()) {
      frontier.appendLeaves(leaf);
      expect(hex(frontier.root())).toBe(hex(rootAt(index + 1)));
    }
  });

  test('goes on from the hashes of its frontier', () => {
    for (let size = 0; size <= SIZES; size += 1) {
      const frontier = Frontier.of(size, frontierOf(leaves.slice(0, size)).hashes());
      expect(frontier.size).toBe(size);
      for (const leaf of leaves.slice(size, size + 3)) frontier.appendLeaves(leaf);
      expect(hex(frontier.root())).toBe(hex(rootAt(Math.min(size + 3, SIZES))));
    }
    expect(() => Frontier.of(3, [rootAt(1)])).toThrow('a tree of 3 leaves has a frontier of 2 hashes, not 1');
    expect(() => Frontier.of(1, [new Uint8Array(31)])).toThrow('a hash has 32 bytes, not 31');
  });

  test('takes whole subtrees in place of their leaves, wherever they may stand', () => {
    const range = fc
      .tuple(fc.nat(SIZES), fc.nat(SIZES))
      .map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
    fc.assert(
      fc.property(range, ({ from, to }) => {
        const frontier = frontierOf(leaves.slice(0, from));
        for (const { start, level } of subtreesOf(from, to)) {
          frontier.appendSubtree(level, digestOf(rootOf(leaves.slice(start, start + 2 ** level))));
        }
        expect(frontier.size).toBe(to);
        expect(hex(frontier.root())).toBe(hex(rootAt(to)));
      }),
    );
    expect(() => frontierOf(leaves.slice(0, 1)).appendSubtree(1, digestOf(rootAt(2)))).toThrow(
      'a subtree of level 1 cannot follow 1 leaves',
    );
  });

  test('counts beyond 32 bits', () => {
    const frontier = new Frontier();
    frontier.appendSubtree(40, digestOf(rootAt(1)));
    frontier.appendLeaves(rootAt(1));
    expect(frontier.size).toBe(2 ** 40 + 1);
    expect(subtreesOf(0, 2 ** 40 + 1)).toEqual([
      { start: 0, level: 40 },
      { start: 2 ** 40, level: 0 },
    ]);
    expect(inclusionRanges(2 ** 40, 2 ** 40 + 1)).toEqual([{ from: 0, to: 2 ** 40 }]);
    const far = { data: Buffer.from('far'), index: 2 ** 40, size: 2 ** 40 + 1, proof: [rootAt(1)] };
    expect(verifyInclusion({ ...far, root: nodeHash(rootAt(1), leafHash(far.data)) })).toBe(true);
    expect(verifyInclusion({ ...far, index: 0, root: nodeHash(rootAt(1), leafHash(far.data)) })).toBe(false);
  });

  test('hashes in a fast way what it hashes in a plain one', () => {
    const [left, right] = [rootAt(1), rootAt(2)];
    expect(hex(bytesOfDigest(nodeDigest(digestOf(left), digestOf(right))))).toBe(hex(nodeHash(left, right)));
    const hashes = new Uint8Array(64);
    hashLeaves(Buffer.from('-x-yz'), Uint32Array.of(1, 2, 3, 5), 2, hashes);
    expect(hex(hashes)).toBe(hex(leafHash(Buffer.from('x'))) + hex(leafHash(Buffer.from('yz'))));
  });

  test('takes leaves one by one and many at a time', () => {
    const many = Array.from({ length: 2500 }, (_, index) => leafHash(Buffer.from(`leaf ${index}`)));
    const oneByOne = frontierOf(many);
    fc.assert(
      fc.property(fc.nat(many.length), fc.nat(many.length), (a, b) => {
        const frontier = new Frontier();
        for (const [from, to] of [
          [0, Math.min(a, b)],
          [Math.min(a, b), Math.max(a, b)],
          [Math.max(a, b), many.length],
        ] as const) {
          frontier.appendLeaves(Buffer.concat(many.slice(from, to)));
        }
        expect(frontier.size).toBe(many.length);
        expect(frontier.hashes().map(hex)).toEqual(oneByOne.hashes().map(hex));
      }),
      { numRuns: 30 },
    );
    expect(hex(oneByOne.root())).toBe(hex(rootOf(many)));
  });
});

describe('a proof that a record is in the tree', () => {
  test('holds for every record of every size to 300, and for no other place', async () => {
    for (let size = 1; size <= SIZES; size += size < 70 ? 1 : 23) {
      for (let index = 0; index < size; index += 1) {
        const proof = byDefinition(inclusionRanges(index, size));
        const claim = { data: data[index] ?? Buffer.alloc(0), index, size, root: rootAt(size), proof };
        expect(verifyInclusion(claim)).toBe(true);
        expect(verifyInclusion({ ...claim, index: (index + 1) % size })).toBe(size === 1);
        expect(verifyInclusion({ ...claim, data: Buffer.from('another') })).toBe(false);
        expect(verifyInclusion({ ...claim, root: rootAt(size - 1) })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: [...proof, rootAt(1)] })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: proof.slice(1) })).toBe(proof.length === 0);
      }
    }
  });

  test('is computed in one pass over the leaf hashes, in chunks of any length', async () => {
    for (const [index, size] of [
      [0, 1],
      [0, 300],
      [299, 300],
      [128, 257],
    ] as const) {
      const chunks = [leaves.slice(0, 1), leaves.slice(1, size)].map((part) => Buffer.concat(part));
      const ranges = inclusionRanges(index, size);
      expect((await hashRanges(ranges, chunks)).map(hex)).toEqual(byDefinition(ranges).map(hex));
    }
  });

  test('is not there for a record that is not there', () => {
    expect(() => inclusionRanges(0, 0)).toThrow('a tree of 0 leaves has no leaf 0');
    expect(() => inclusionRanges(4, 4)).toThrow('has no leaf 4');
    const claim = { data: Buffer.alloc(0), index: 0, size: 0, root: emptyRoot(), proof: [] };
    expect(verifyInclusion(claim)).toBe(false);
  });

  test('does not let an inner node pass for a record', () => {
    const inner = Buffer.concat([leaves[0] ?? Buffer.alloc(0), leaves[1] ?? Buffer.alloc(0)]);
    const proof = [rootOf(leaves.slice(2, 4))];
    for (const size of [2, 3, 4]) {
      expect(verifyInclusion({ data: inner, index: 0, size, root: rootAt(4), proof })).toBe(false);
    }
  });
});

describe('a proof that a log only grew', () => {
  test('holds for every pair of sizes, and for no other tree', () => {
    for (let second = 0; second <= SIZES; second += second < 40 ? 1 : 37) {
      for (let first = 0; first <= second; first += 1) {
        const proof = byDefinition(consistencyRanges(first, second));
        const claim = { first: headAt(first), second: headAt(second), proof };
        expect(verifyConsistency(claim)).toBe(true);
        expect(verifyConsistency({ ...claim, proof: [...proof, rootAt(1)] })).toBe(false);
        expect(verifyConsistency({ ...claim, first: { size: first, root: rootAt(first + 1) } })).toBe(false);
        expect(verifyConsistency({ ...claim, second: { size: second, root: rootAt(0) } })).toBe(first === 0);
        expect(verifyConsistency({ ...claim, proof: proof.slice(1) })).toBe(proof.length === 0);
        expect(verifyConsistency({ ...claim, first: claim.second, second: claim.first })).toBe(first === second);
      }
    }
  });

  test('has no hashes from the empty tree on, which has one root only', () => {
    expect(consistencyRanges(0, 7)).toEqual([]);
    expect(consistencyRanges(0, 0)).toEqual([]);
    expect(verifyConsistency({ first: headAt(0), second: headAt(0), proof: [] })).toBe(true);
    const other = { size: 0, root: rootAt(1) };
    expect(verifyConsistency({ first: other, second: headAt(7), proof: [] })).toBe(false);
    expect(verifyConsistency({ first: other, second: other, proof: [] })).toBe(false);
    expect(() => consistencyRanges(3, 2)).toThrow('a tree of 2 leaves has no past of 3');
  });
});

const head = z.strictObject({ size: z.number(), root: z.string() });
const proofVector = z.strictObject({
  name: z.string(),
  ok: z.boolean(),
  inclusion: z.strictObject({ data: z.string(), index: z.number() }).optional(),
  first: head.optional(),
  second: head,
  proof: z.array(z.string()),
});

describe('proofs of another program', () => {
  test.each([...vectors('merkle/accept', proofVector), ...vectors('merkle/reject', proofVector)])(
    'judges "$name" as it does',
    ({ ok, inclusion, first, second, proof: encoded }) => {
      const proof = encoded.map(unhex);
      const { size, root } = { size: second.size, root: unhex(second.root) };
      const holds =
        inclusion === undefined
          ? verifyConsistency({
              first: { size: first?.size ?? -1, root: unhex(first?.root ?? '') },
              second: { size, root },
              proof,
            })
          : verifyInclusion({ data: unhex(inclusion.data), index: inclusion.index, size, root, proof });
      expect(holds).toBe(ok);
    },
  );
});
