/**
 * Makes leaves of records: a random salt for each, the leaf's hash, the tree, and the lines of a part, compressed.
 *
 * Everything is done in the batch that the scanner has written: 0x00 and the salt go before a record, are hashed with it, and
 * give way to the salt in base64.
 */
import { gzipSync } from 'node:zlib';
import { Frontier, HASH_LENGTH, prefixedLeafDigest } from '../protocol/merkle.ts';
import { type RecordBatch, SALT_ROOM, type TreeName } from './record-writer.ts';

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
  seal(batch: RecordBatch): Promise<Segment>;
  /** Ends what works beside this thread. */
  close(): Promise<void>;
}

/** The trees that the first batches continue. */
export type Frontiers = Readonly<Record<TreeName, Frontier>>;

export const SALT_LENGTH = 16;
/** 0x00 and the salt. */
const PREFIX = 1 + SALT_LENGTH;
/** The salts do not compress, and higher levels take more time than they save bytes. */
const LEVEL = 1;

/** The base64 digits of each twelve bits: two characters. */
const PAIRS = base64Pairs();

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

export function saltsFor({ count }: RecordBatch, random: RandomSource): Uint8Array<ArrayBuffer> {
  const salts = new Uint8Array(count * SALT_LENGTH);
  random(salts);
  return salts;
}

/** Seals the next batch of the tree that `frontier` stands for. */
export function sealBatch(batch: RecordBatch, salts: Uint8Array, frontier: Frontier): Segment {
  const { tree, first, count, lines, bounds } = batch;
  const hashes = Buffer.from(new ArrayBuffer(count * HASH_LENGTH));
  const { buffer, byteOffset } = lines;
  for (let index = 0; index < count; index++) {
    const start = bounds[2 * index] ?? 0;
    const end = bounds[2 * index + 1] ?? 0;
    const from = start - PREFIX;
    const salt = index * SALT_LENGTH;
    lines[from] = 0;
    for (let at = 0; at < SALT_LENGTH; at++) lines[from + 1 + at] = salts[salt + at] ?? 0;
    const digest = prefixedLeafDigest(new Uint8Array(buffer, byteOffset + from, end - from));
    writeDigest(hashes, index * HASH_LENGTH, digest);
    frontier.append(digest);
    writeSalt(lines, start - SALT_ROOM, salts, salt);
  }
  const gzip = gzipSync(lines, { level: LEVEL });
  return {
    tree,
    first,
    next: first + count,
    hashes: new Uint8Array(hashes.buffer, 0, hashes.length),
    gzip: Uint8Array.from(gzip),
    rawLength: lines.length,
    frontier: frontier.hashes(),
  };
}

/** In a loop: for 32 characters that is faster than to call into the engine. */
function writeDigest(target: Uint8Array, at: number, digest: string): void {
  for (let index = 0; index < HASH_LENGTH; index++) target[at + index] = digest.charCodeAt(index);
}

/** Sixteen bytes in base64, padded, and a blank. */
function writeSalt(target: Uint8Array, at: number, salts: Uint8Array, from: number): void {
  let to = at;
  for (let index = from; index < from + 15; index += 3, to += 4) {
    const bits = ((salts[index] ?? 0) << 16) | ((salts[index + 1] ?? 0) << 8) | (salts[index + 2] ?? 0);
    const high = PAIRS[bits >> 12] ?? 0;
    const low = PAIRS[bits & 0xfff] ?? 0;
    target[to] = high >> 8;
    target[to + 1] = high & 0xff;
    target[to + 2] = low >> 8;
    target[to + 3] = low & 0xff;
  }
  const last = PAIRS[(salts[from + 15] ?? 0) << 4] ?? 0;
  target[to] = last >> 8;
  target[to + 1] = last & 0xff;
  target[to + 2] = 0x3d;
  target[to + 3] = 0x3d;
  target[to + 4] = 0x20;
}

function base64Pairs(): Uint16Array {
  const digits = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
  return Uint16Array.from({ length: 4096 }, (_, bits) => ((digits[bits >> 6] ?? 0) << 8) | (digits[bits & 63] ?? 0));
}
