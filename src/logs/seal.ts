/**
 * Makes leaves of records: a random salt for each, the leaf's hash, the tree, and the lines of a part, compressed.
 *
 * Everything is done in the batch that the scanner has written, whose lines have room for the salts.
 */
import { gzipSync } from 'node:zlib';
import { sealDisclosed, SALT_LENGTH } from '../protocol/log-part-line.ts';
import { Frontier, HASH_LENGTH } from '../protocol/merkle.ts';
import type { ScannedBatch, TreeName } from './record-writer.ts';

/** Fills the bytes with randomness from the operating system. */
export type RandomSource = (bytes: Uint8Array) => void;

/** A sealed batch: what is kept of it. */
export interface Segment {
  readonly tree: TreeName;
  /** Index of the first leaf, and of the one behind the last. */
  readonly first: number;
  readonly next: number;
  /** 32 bytes for each leaf. */
  readonly hashes: Uint8Array<ArrayBuffer>;
  /** One gzip member (RFC 1952) of the R lines. */
  readonly gzip: Uint8Array<ArrayBuffer>;
  /** How many bytes the R lines have. */
  readonly rawLength: number;
  /** Of the tree up to `next`: the hashes of its frontier, the largest subtree first. */
  readonly frontier: readonly Uint8Array[];
}

/** Seals batches; those of one tree in their order. */
export interface Sealer {
  /** The batch's bytes are the sealer's from now on. */
  seal(batch: ScannedBatch): Promise<Segment>;
  /** Ends what works beside this thread. */
  close(): Promise<void>;
}

/** The trees that the first batches continue. */
export type Frontiers = Readonly<Record<TreeName, Frontier>>;

/** The salts do not compress, and higher levels take more time than they save bytes; more memory saves a tenth of the time. */
const GZIP = { level: 1, memLevel: 9, chunkSize: 256 * 1024 } as const;

/** Seals in this thread, behind what the trees hold. */
export function createSealer(random: RandomSource, frontiers: Frontiers = emptyFrontiers()): Sealer {
  return {
    seal: (batch) => Promise.resolve(sealBatch(batch, saltsFor(batch, random), frontiers[batch.tree])),
    close: () => Promise.resolve(),
  };
}

export function emptyFrontiers(): Frontiers {
  return { T: new Frontier(), O: new Frontier() };
}

export function saltsFor({ count }: ScannedBatch, random: RandomSource): Uint8Array<ArrayBuffer> {
  const salts = new Uint8Array(count * SALT_LENGTH);
  random(salts);
  return salts;
}

/** Seals the next batch of the tree that `frontier` stands for. */
export function sealBatch(batch: ScannedBatch, salts: Uint8Array, frontier: Frontier): Segment {
  const { tree, first, count, lines, bounds } = batch;
  const hashes = new Uint8Array(count * HASH_LENGTH);
  sealDisclosed(lines, bounds, count, salts, hashes);
  frontier.appendLeaves(hashes);
  const gzip = gzipSync(lines, GZIP);
  return {
    tree,
    first,
    next: first + count,
    hashes,
    gzip: Uint8Array.from(gzip),
    rawLength: lines.length,
    frontier: frontier.hashes(),
  };
}
