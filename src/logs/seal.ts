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

/** A sealed batch. */
export interface Segment {
  readonly tree: TreeName;
  /** Index of the first leaf, and of the one behind the last. */
  readonly first: number;
  readonly next: number;
  /** 32 bytes for each leaf. */
  readonly hashes: Uint8Array<ArrayBuffer>;
  /** The R lines: {@link compressLines} makes a gzip member of them. */
  readonly lines: Uint8Array<ArrayBuffer>;
}

export interface Sealer {
  /** Seals the next batch of its tree, in place: the batch's bytes become the segment's. */
  seal(batch: RecordBatch): Segment;
  frontier(tree: TreeName): Frontier;
}

const SALT_LENGTH = 16;
/** 0x00 and the salt. */
const PREFIX = 1 + SALT_LENGTH;

/** The base64 digits of each twelve bits: two characters. */
const PAIRS = base64Pairs();

/** Seals behind what these trees hold; empty ones by default. */
export function createSealer(random: RandomSource, frontiers?: Readonly<Record<TreeName, Frontier>>): Sealer {
  const trees = frontiers ?? { T: new Frontier(), O: new Frontier() };
  return {
    seal: (batch) => sealBatch(batch, trees[batch.tree], random),
    frontier: (tree) => trees[tree],
  };
}

/** One gzip member (RFC 1952). Level 1: the salts do not compress, and higher levels take more time than they save bytes. */
export function compressLines(lines: Uint8Array): Buffer {
  return gzipSync(lines, { level: 1 });
}

function sealBatch(
  { tree, first, count, lines, bounds }: RecordBatch,
  frontier: Frontier,
  random: RandomSource,
): Segment {
  const salts = new Uint8Array(count * SALT_LENGTH);
  random(salts);
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
    hashes.write(digest, index * HASH_LENGTH, 'latin1');
    frontier.append(digest);
    writeSalt(lines, start - SALT_ROOM, salts, salt);
  }
  return {
    tree,
    first,
    next: first + count,
    hashes: new Uint8Array(hashes.buffer, 0, hashes.length),
    lines,
  };
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
