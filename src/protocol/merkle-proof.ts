/**
 * Proofs over the Merkle tree of a log (RFC 9162, sections 2.1.3 and 2.1.4): that a record is in it, that it only grew.
 *
 * Inclusion is verified from the *data* of a leaf: a verifier that takes the hash instead lets an inner node pass for a record.
 */
import { TieupError } from '../errors.ts';
import { type Digest, digestOf, emptyRoot, Frontier, HASH_LENGTH, leafHash, nodeHash, sameHash } from './merkle.ts';

/** The leaves from `from` to before `to`. */
export interface LeafRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Whose hashes prove that leaf `index` is in a tree of `size` leaves (RFC 9162, 2.1.3.1), from the leaf's sibling up.
 * @throws TIEUP_E_FAILED when there is no such leaf.
 */
export function inclusionRanges(index: number, size: number): readonly LeafRange[] {
  if (index >= size) throw new TieupError('TIEUP_E_FAILED', `a tree of ${size} leaves has no leaf ${index}`);
  const ranges: LeafRange[] = [];
  let [from, to] = [0, size];
  while (to - from > 1) {
    const middle = from + split(to - from);
    if (index < middle) {
      ranges.push({ from: middle, to });
      to = middle;
    } else {
      ranges.push({ from, to: middle });
      from = middle;
    }
  }
  return ranges.reverse();
}

/**
 * Whose hashes prove that a tree of `second` leaves starts with the one of `first` (RFC 9162, 2.1.4.1). None when they are of one
 * size, or when the first is empty. @throws TIEUP_E_FAILED when the second is smaller.
 */
export function consistencyRanges(first: number, second: number): readonly LeafRange[] {
  if (first > second) throw new TieupError('TIEUP_E_FAILED', `a tree of ${second} leaves has no past of ${first}`);
  if (first === 0) return [];
  const ranges: LeafRange[] = [];
  let [from, to] = [0, second];
  while (first < to) {
    const middle = from + split(to - from);
    if (first <= middle) {
      ranges.push({ from: middle, to });
      to = middle;
    } else {
      ranges.push({ from, to: middle });
      from = middle;
    }
  }
  // The verifier knows the first root itself; it has to be told a subtree of it only where the way went to the right.
  if (from > 0) ranges.push({ from, to });
  return ranges.reverse();
}

/** The largest power of two below `count`, which is 2 or more. */
function split(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

/** Collects the hashes of ranges while the subtrees of a whole tree go by in order: one pass, bounded memory. */
export class RangeHashes {
  readonly #ranges: readonly LeafRange[];
  readonly #trees: readonly Frontier[];
  #at = 0;

  constructor(ranges: readonly LeafRange[]) {
    this.#ranges = ranges;
    this.#trees = ranges.map(() => new Frontier());
  }

  /** The next subtree of the tree. */
  add(level: number, root: Digest): void {
    const end = this.#at + 2 ** level;
    for (const [index, { from, to }] of this.#ranges.entries()) {
      if (this.#at >= from && end <= to) this.#trees[index]?.appendSubtree(level, root);
    }
    this.#at = end;
  }

  /** In the order of the ranges. @throws TIEUP_E_FAILED when a subtree that went by was larger than a range it lies in. */
  hashes(): readonly Uint8Array[] {
    return this.#trees.map((tree, index) => {
      const { from, to } = this.#ranges[index] ?? { from: 0, to: 0 };
      if (tree.size === to - from) return tree.root();
      throw new TieupError('TIEUP_E_FAILED', `the hash of the leaves ${from} to ${to} cannot be computed from these`);
    });
  }
}

/** The hashes of `ranges` of a tree whose leaf hashes come as chunks of whole hashes. */
export async function hashRanges(
  ranges: readonly LeafRange[],
  leaves: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<readonly Uint8Array[]> {
  const collected = new RangeHashes(ranges);
  for await (const chunk of leaves) {
    for (let at = 0; at < chunk.length; at += HASH_LENGTH) {
      collected.add(0, digestOf(chunk.subarray(at, at + HASH_LENGTH)));
    }
  }
  return collected.hashes();
}

/** A claim that `data` is the leaf `index` of the tree with that size and root. */
export interface Inclusion {
  /** What was hashed, without the prefix. */
  readonly data: Uint8Array;
  readonly index: number;
  readonly size: number;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** RFC 9162, 2.1.3.2. True when the proof holds; false for everything else, never throws. */
export function verifyInclusion({ data, index, size, root, proof }: Inclusion): boolean {
  if (!isCount(index) || !isCount(size) || index >= size || !areHashes([root, ...proof])) return false;
  let [fn, sn] = [index, size - 1];
  let digest = leafHash(data);
  for (const sibling of proof) {
    if (sn === 0) return false;
    if (isOdd(fn) || fn === sn) {
      digest = nodeHash(sibling, digest);
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      digest = nodeHash(digest, sibling);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && sameHash(digest, root);
}

/** A claim that the second tree starts with the first. */
export interface Consistency {
  readonly first: { readonly size: number; readonly root: Uint8Array };
  readonly second: { readonly size: number; readonly root: Uint8Array };
  readonly proof: readonly Uint8Array[];
}

/** RFC 9162, 2.1.4.2. True when the proof holds; false for everything else, never throws. Every tree starts with the empty one. */
export function verifyConsistency({ first, second, proof }: Consistency): boolean {
  if (!isCount(first.size) || !isCount(second.size) || first.size > second.size) return false;
  if (!areHashes([first.root, second.root, ...proof])) return false;
  if (first.size === second.size) return proof.length === 0 && sameHash(first.root, second.root) && isPossible(first);
  if (first.size === 0) return proof.length === 0 && isPossible(first);
  let [fn, sn] = [first.size - 1, second.size - 1];
  while (isOdd(fn)) [fn, sn] = [half(fn), half(sn)];
  // A first tree that is perfect is itself the hash to start from.
  const [start, ...rest] = fn === 0 ? [first.root, ...proof] : proof;
  if (start === undefined) return false;
  let [before, after] = [start, start];
  for (const sibling of rest) {
    if (sn === 0) return false;
    if (isOdd(fn) || fn === sn) {
      before = nodeHash(sibling, before);
      after = nodeHash(sibling, after);
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      after = nodeHash(after, sibling);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && sameHash(before, first.root) && sameHash(after, second.root);
}

function isPossible({ size, root }: Consistency['first']): boolean {
  return size > 0 || sameHash(root, emptyRoot());
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.every(({ length }) => length === HASH_LENGTH);
}

/** Shifts and masks work on 32 bits only; sizes have 53. */
const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const isOdd = (value: number): boolean => value % 2 === 1;
const half = (value: number): number => Math.floor(value / 2);
