/** The Merkle tree of a log (RFC 9162, section 2.1; the same tree as RFC 6962): how records become one root. */
import { hash } from 'node:crypto';
import { TieupError } from '../errors.ts';
import { hashMany } from './sha256-many.ts';

export const HASH_LENGTH = 32;
/** A perfect subtree of this level has more leaves than any number that can be counted exactly. */
export const MAX_LEVEL = 52;

const LEAF = 0x00;
const NODE = 0x01;
const NODE_LENGTH = 1 + 2 * HASH_LENGTH;

/** Leaves that are appended in one go. */
const MOST_LEAVES = 1024;
/** Where pairs of neighbouring hashes lie, for {@link hashMany}. */
const PAIRS = Uint32Array.from({ length: MOST_LEAVES + 2 }, (_, index) => ((index + 1) >> 1) * 2 * HASH_LENGTH);

/** Two neighbouring levels of a run of leaves, with room for a node in front of each. */
const levels = [
  new Uint8Array((1 + MOST_LEAVES) * HASH_LENGTH),
  new Uint8Array((1 + MOST_LEAVES) * HASH_LENGTH),
] as const;

/** A perfect subtree: the leaves from `start` to `start + 2 ** level`; `start` is a multiple of `2 ** level`. */
export interface Subtree {
  readonly start: number;
  readonly level: number;
}

/** SHA-256(0x00 ‖ data), 32 bytes. */
export function leafHash(data: Uint8Array): Uint8Array {
  return hash('sha256', Buffer.concat([Uint8Array.of(LEAF), data]), 'buffer');
}

/** SHA-256(0x01 ‖ left ‖ right), 32 bytes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return hash('sha256', Buffer.concat([Uint8Array.of(NODE), left, right]), 'buffer');
}

/** The root of the tree without leaves: SHA-256 of nothing. */
export function emptyRoot(): Uint8Array {
  return hash('sha256', new Uint8Array(0), 'buffer');
}

export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** 32 bytes as the string of 32 characters (latin1) in which node:crypto hands over a digest three times faster than as a buffer. */
export type Digest = string;

/** @throws TIEUP_E_FAILED unless there are 32 bytes. */
export function digestOf(bytes: Uint8Array): Digest {
  if (bytes.length !== HASH_LENGTH) {
    throw new TieupError('TIEUP_E_FAILED', `a hash has ${HASH_LENGTH} bytes, not ${bytes.length}`);
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

export function bytesOfDigest(digest: Digest): Uint8Array {
  return Buffer.from(digest, 'latin1');
}

/**
 * The hashes of many leaves, 32 bytes each in `hashes`. Leaf n is the hash of 0x00 and `bytes[bounds[2n], bounds[2n + 1])`; they lie in
 * ascending order.
 */
export function hashLeaves(bytes: Uint8Array, bounds: Uint32Array, count: number, hashes: Uint8Array): void {
  hashMany(LEAF, bytes, bounds, count, hashes);
}

const joined = Buffer.alloc(NODE_LENGTH, NODE);

/** Like {@link nodeHash}, for many nodes. */
export function nodeDigest(left: Digest, right: Digest): Digest {
  writeDigest(joined, 1, left);
  writeDigest(joined, 1 + HASH_LENGTH, right);
  return hash('sha256', joined, 'binary');
}

/**
 * A tree that grows at its right edge: of all leaves it keeps the roots of the perfect subtrees that the number of leaves, read as
 * binary, consists of. At most 53 hashes, whatever the size.
 */
export class Frontier {
  #size = 0;
  /** By level: 0x01, the subtree that waits there, and room for its right sibling. */
  readonly #nodes: Buffer[] = [];
  readonly #waiting = new Uint8Array(MAX_LEVEL + 2);

  /** The frontier of a tree of `size` leaves from its {@link hashes}. @throws TIEUP_E_VERIFY unless there is one for each subtree. */
  static of(size: number, hashes: readonly Uint8Array[]): Frontier {
    const subtrees = subtreesOf(0, size);
    if (subtrees.length !== hashes.length) {
      throw new TieupError(
        'TIEUP_E_VERIFY',
        `a tree of ${size} leaves has a frontier of ${subtrees.length} hashes, not ${hashes.length}`,
      );
    }
    const frontier = new Frontier();
    for (const [index, each] of hashes.entries()) frontier.appendSubtree(subtrees[index]?.level ?? 0, digestOf(each));
    return frontier;
  }

  /** How many leaves the tree has. */
  get size(): number {
    return this.#size;
  }

  /** 32 bytes for each leaf. */
  appendLeaves(leaves: Uint8Array): void {
    for (let at = 0; at < leaves.length; at += MOST_LEAVES * HASH_LENGTH) {
      this.#appendRun(leaves.subarray(at, at + MOST_LEAVES * HASH_LENGTH));
    }
  }

  /** Level by level: what waits stands in front of the level's nodes, pairs become the next level's, and what is left over waits. */
  #appendRun(leaves: Uint8Array): void {
    let [nodes, parents] = levels;
    nodes.set(leaves, HASH_LENGTH);
    let count = leaves.length / HASH_LENGTH;
    this.#size += count;
    for (let level = 0; count > 0; level += 1) {
      const isWaiting = this.#waiting[level] === 1;
      if (isWaiting) nodes.set(this.#node(level).subarray(1, 1 + HASH_LENGTH));
      const first = isWaiting ? 0 : HASH_LENGTH;
      if (isWaiting) count += 1;
      const pairs = count >>> 1;
      this.#waiting[level] = count & 1;
      if (count % 2 === 1)
        this.#node(level).set(nodes.subarray(first + 2 * pairs * HASH_LENGTH, first + count * HASH_LENGTH), 1);
      hashMany(NODE, nodes.subarray(first), PAIRS, pairs, parents.subarray(HASH_LENGTH));
      [nodes, parents] = [parents, nodes];
      count = pairs;
    }
  }

  /** @throws TIEUP_E_FAILED when a subtree of that level cannot stand here. */
  appendSubtree(level: number, root: Digest): void {
    if (level > 0 && !isAligned(this.#size, level)) {
      throw new TieupError('TIEUP_E_FAILED', `a subtree of level ${level} cannot follow ${this.#size} leaves`);
    }
    let at = level;
    let digest = root;
    while (this.#waiting[at] === 1) {
      const node = this.#node(at);
      writeDigest(node, 1 + HASH_LENGTH, digest);
      digest = hash('sha256', node, 'binary');
      this.#waiting[at] = 0;
      at += 1;
    }
    writeDigest(this.#node(at), 1, digest);
    this.#waiting[at] = 1;
    this.#size += 2 ** level;
  }

  /** 32 bytes; the frontier stays as it is. */
  root(): Uint8Array {
    return (
      this.hashes().reduceRight<Uint8Array | undefined>(
        (right, left) => (right === undefined ? left : nodeHash(left, right)),
        undefined,
      ) ?? emptyRoot()
    );
  }

  /** Of the perfect subtrees, the largest first: those of `subtreesOf(0, size)`. */
  hashes(): readonly Uint8Array[] {
    return this.#nodes
      .filter((_, level) => this.#waiting[level] === 1)
      .map((node) => Uint8Array.from(node.subarray(1, 1 + HASH_LENGTH)))
      .reverse();
  }

  #node(level: number): Buffer {
    const known = this.#nodes[level];
    if (known !== undefined) return known;
    while (this.#nodes.length <= level) this.#nodes.push(Buffer.alloc(NODE_LENGTH, NODE));
    return this.#node(level);
  }
}

/** In a loop: for 32 characters that is faster than to call into the engine. */
function writeDigest(target: Uint8Array, at: number, digest: Digest): void {
  for (let index = 0; index < HASH_LENGTH; index += 1) target[at + index] = digest.charCodeAt(index);
}

/** True when a perfect subtree of `level` may start at `start`. */
export function isAligned(start: number, level: number): boolean {
  return start % 2 ** level === 0;
}

/** The fewest perfect subtrees that tile `from` to `to`, ascending. For `from` 0 they are those of a frontier. */
export function subtreesOf(from: number, to: number): readonly Subtree[] {
  const subtrees: Subtree[] = [];
  for (let start = from; start < to;) {
    let level = 0;
    while (level < MAX_LEVEL && isAligned(start, level + 1) && start + 2 ** (level + 1) <= to) level += 1;
    subtrees.push({ start, level });
    start += 2 ** level;
  }
  return subtrees;
}
