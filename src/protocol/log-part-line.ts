/**
 * The lines of a `tieup-part/1` file below its head. `R <index> <salt> <record>` discloses a record, `H <start> <level> <hash>` withholds
 * the records of a perfect subtree.
 *
 * What a leaf is the hash of, 0x00 ‖ salt ‖ record, fits into the very bytes of an R line: the 17 bytes before the record are spelt in
 * 25. So lines are sealed and opened in place, without copying the record.
 */
import { base64, strictBase64 } from './base64.ts';
import { scanCount } from './log-scan.ts';
import {
  bytesOfDigest,
  type Digest,
  digestOf,
  HASH_LENGTH,
  MAX_LEVEL,
  prefixedLeafDigest,
  type Subtree,
} from './merkle.ts';

/** Every leaf has a random salt, or the hashes of withheld records could be guessed. */
export const SALT_LENGTH = 16;

const BLANK = 0x20;
const LINE_FEED = 0x0a;
const EQUALS = 0x3d;
export const DISCLOSED = 0x52;
export const WITHHELD = 0x48;

/** A salt in base64 and the blank behind it. */
const SALT_FIELD = 25;
/** 0x00 and the salt. */
const LEAF_HEAD = 1 + SALT_LENGTH;

const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const NO_DIGIT = 0x80;
const VALUES = new Uint8Array(256).fill(NO_DIGIT);
for (const [value, byte] of ALPHABET.entries()) VALUES[byte] = value;

/** Writes `R <index> ` at `at`. @returns where the record goes; its salt is put before it by {@link sealDisclosed}. */
export function startDisclosed(target: Uint8Array, at: number, index: number): number {
  target[at] = DISCLOSED;
  target[at + 1] = BLANK;
  const digits = String(index);
  for (let digit = 0; digit < digits.length; digit += 1) target[at + 2 + digit] = digits.charCodeAt(digit);
  target[at + 2 + digits.length] = BLANK;
  return at + 3 + digits.length + SALT_FIELD;
}

/**
 * Completes the line whose record lies in `target[recordAt, recordEnd)` with 16 bytes of salt and a line feed, so that the next line
 * starts at `recordEnd + 1`. @returns the leaf's hash.
 */
export function sealDisclosed(
  target: Uint8Array,
  recordAt: number,
  recordEnd: number,
  salts: Uint8Array,
  saltAt: number,
): Digest {
  const leafAt = recordAt - LEAF_HEAD;
  target[leafAt] = 0;
  for (let index = 0; index < SALT_LENGTH; index += 1) target[leafAt + 1 + index] = salts[saltAt + index] ?? 0;
  const digest = prefixedLeafDigest(rangeOf(target, leafAt, recordEnd));
  spellSalt(target, recordAt);
  target[recordEnd] = LINE_FEED;
  return digest;
}

/**
 * Turns the 25 bytes before the record into 0x00 and the salt, which then lies in the 16 bytes before it.
 * @returns false when there is no salt in strict base64.
 */
export function openDisclosed(bytes: Uint8Array, recordAt: number): boolean {
  const isSalt = unspellSalt(bytes, recordAt);
  bytes[recordAt - LEAF_HEAD] = 0;
  return isSalt;
}

/** The hash of a leaf whose line was opened. */
export function openedLeaf(bytes: Uint8Array, recordAt: number, recordEnd: number): Digest {
  return prefixedLeafDigest(rangeOf(bytes, recordAt - LEAF_HEAD, recordEnd));
}

/** Where the record of an R line starts, after its index was read; the line may be malformed still. */
export function recordStart(indexEnd: number): number {
  return indexEnd + 1 + SALT_FIELD;
}

/** From left to right: what is written never reaches what is still to be read. */
function spellSalt(bytes: Uint8Array, recordAt: number): void {
  let from = recordAt - SALT_LENGTH;
  let to = recordAt - SALT_FIELD;
  for (; from < recordAt - 1; from += 3, to += 4) {
    const bits = ((bytes[from] ?? 0) << 16) | ((bytes[from + 1] ?? 0) << 8) | (bytes[from + 2] ?? 0);
    bytes[to] = ALPHABET[bits >> 18] ?? 0;
    bytes[to + 1] = ALPHABET[(bits >> 12) & 63] ?? 0;
    bytes[to + 2] = ALPHABET[(bits >> 6) & 63] ?? 0;
    bytes[to + 3] = ALPHABET[bits & 63] ?? 0;
  }
  const last = bytes[from] ?? 0;
  bytes[to] = ALPHABET[last >> 2] ?? 0;
  bytes[to + 1] = ALPHABET[(last & 3) << 4] ?? 0;
  bytes[to + 2] = EQUALS;
  bytes[to + 3] = EQUALS;
  bytes[to + 4] = BLANK;
}

/** From right to left, for the same reason. False when it is not the one spelling of 16 bytes. */
function unspellSalt(bytes: Uint8Array, recordAt: number): boolean {
  let from = recordAt - 5;
  let to = recordAt - 1;
  if (bytes[to] !== BLANK || bytes[to - 1] !== EQUALS || bytes[to - 2] !== EQUALS) return false;
  const high = VALUES[bytes[from] ?? 0] ?? 0;
  const low = VALUES[bytes[from + 1] ?? 0] ?? 0;
  let seen = high | low;
  if ((low & 15) !== 0) return false;
  bytes[to] = (high << 2) | (low >> 4);
  for (let group = 0; group < 5; group += 1) {
    from -= 4;
    to -= 3;
    const a = VALUES[bytes[from] ?? 0] ?? 0;
    const b = VALUES[bytes[from + 1] ?? 0] ?? 0;
    const c = VALUES[bytes[from + 2] ?? 0] ?? 0;
    const d = VALUES[bytes[from + 3] ?? 0] ?? 0;
    seen |= a | b | c | d;
    const bits = (a << 18) | (b << 12) | (c << 6) | d;
    bytes[to] = bits >> 16;
    bytes[to + 1] = bits >> 8;
    bytes[to + 2] = bits;
  }
  return seen < NO_DIGIT;
}

/** A view on the range: nothing is copied. */
function rangeOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from);
}

/** A subtree with the hash that stands for its records. */
export interface HashedSubtree extends Subtree {
  readonly digest: Digest;
}

/** With its line end. */
export function renderWithheld({ start, level, digest }: HashedSubtree): string {
  return `H ${start} ${level} ${base64(bytesOfDigest(digest))}\n`;
}

/** Reads the line without its line end; undefined unless it is exactly what {@link renderWithheld} writes. */
export function parseWithheld(line: string): HashedSubtree | undefined {
  const [, start = '', level = '', encoded = ''] = /^H (\d{1,16}) (\d{1,2}) ([A-Za-z0-9+/]{43}=)$/.exec(line) ?? [];
  const hash = strictBase64(encoded, HASH_LENGTH);
  const [first, height] = [start, level].map((text) => scanCount(Buffer.from(text), 0, text.length));
  if (hash === undefined || first === undefined || height === undefined) return undefined;
  if (first < 0 || height < 0 || height > MAX_LEVEL) return undefined;
  return { start: first, level: height, digest: digestOf(hash) };
}
