/** The tree that the records of a part are folded into while they are read; what is folded elsewhere behaves the same. */
import { type Digest, digestOf, Frontier, HASH_LENGTH, hashLeaves } from './merkle.ts';

/** Where a tree stands: plain data, which can be sent. */
export interface TreeSeed {
  /** How many leaves it has. */
  readonly size: number;
  /** Of its frontier, the largest subtree first. */
  readonly hashes: readonly Uint8Array[];
  /** Ascending: sizes on the way whose roots are wanted. */
  readonly sizes: readonly number[];
}

export interface PartRoots {
  readonly root: Uint8Array;
  /** By size, of those that were wanted, but for those within records that are withheld as one: there is no root there. */
  readonly passed: ReadonlyMap<number, Uint8Array>;
}

export interface PartTree {
  /** Leaf n is the hash of `bytes[bounds[2n], bounds[2n + 1])`; they ascend. What is passed is the caller's again afterwards. */
  appendLeaves(bytes: Uint8Array, bounds: Uint32Array, count: number): void;
  appendSubtree(level: number, digest: Digest): void;
  /** To be awaited now and then, where it gives something: a tree that falls behind holds up its reader. */
  settle(): Promise<void> | undefined;
  finish(): Promise<PartRoots>;
  /** Must be called, however it went. */
  close(): Promise<void>;
}

/** Grows a tree from where it stands. */
export type PlantTree = (seed: TreeSeed) => PartTree;

/** Is told every subtree of the tree in order: every leaf, and what is withheld. */
export type SubtreeListener = (level: number, digest: Digest) => void;

/** A tree in this thread. */
export class FoldedTree implements PartTree {
  readonly #tree: Frontier;
  readonly #listen: SubtreeListener | undefined;
  #sizes: readonly number[];
  #hashes = new Uint8Array(0);
  readonly #passed = new Map<number, Uint8Array>();

  constructor({ size, hashes, sizes }: TreeSeed, listen?: SubtreeListener) {
    this.#tree = Frontier.of(size, hashes);
    this.#sizes = sizes;
    this.#listen = listen;
  }

  /** Where it stands, for another that goes on from there; what it has passed it keeps. */
  get seed(): TreeSeed {
    return { size: this.#tree.size, hashes: this.#tree.hashes(), sizes: this.#sizes };
  }

  get roots(): PartRoots {
    return { root: this.#tree.root(), passed: this.#passed };
  }

  appendLeaves(bytes: Uint8Array, bounds: Uint32Array, count: number): void {
    if (this.#hashes.length < count * HASH_LENGTH) this.#hashes = new Uint8Array(count * HASH_LENGTH);
    const hashes = this.#hashes.subarray(0, count * HASH_LENGTH);
    hashLeaves(bytes, bounds, count, hashes);
    let first = 0;
    for (let size = this.#sizes[0]; size !== undefined; size = this.#sizes[0]) {
      const next = first + size - this.#tree.size;
      if (next > count) break;
      this.#tree.appendLeaves(hashes.subarray(first * HASH_LENGTH, next * HASH_LENGTH));
      this.#passed.set(size, Uint8Array.from(this.#tree.root()));
      this.#sizes = this.#sizes.slice(1);
      first = next;
    }
    this.#tree.appendLeaves(hashes.subarray(first * HASH_LENGTH));
    if (this.#listen === undefined) return;
    for (let at = 0; at < hashes.length; at += HASH_LENGTH)
      this.#listen(0, digestOf(hashes.subarray(at, at + HASH_LENGTH)));
  }

  appendSubtree(level: number, digest: Digest): void {
    this.#tree.appendSubtree(level, digest);
    const { size } = this.#tree;
    if (this.#sizes.includes(size)) this.#passed.set(size, Uint8Array.from(this.#tree.root()));
    this.#sizes = this.#sizes.filter((each) => each > size);
    this.#listen?.(level, digest);
  }

  settle(): undefined {
    return undefined;
  }

  finish(): Promise<PartRoots> {
    return Promise.resolve(this.roots);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
