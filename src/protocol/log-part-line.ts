/**
 * The lines of a `tieup-part/1` file below its head. `R <index> <salt> <record>` discloses a record, `H <start> <level> <hash>` withholds
 * the records of a perfect subtree.
 *
 * What a leaf is the hash of, salt ‖ record, fits into the very bytes of an R line: the 16 bytes before the record
 * are spelt in 25. So lines are sealed and opened in place, without copying the record.
 */
import { base64, strictBase64 } from './base64.ts';
import { scanCount } from './log-scan.ts';
import { bytesOfDigest, type Digest, digestOf, HASH_LENGTH, hashLeaves, MAX_LEVEL, type Subtree } from './merkle.ts';

/** Every leaf has a random salt, or the hashes of withheld records could be guessed. */
export const SALT_LENGTH = 16;

const BLANK = 0x20;
const LINE_FEED = 0x0a;
const EQUALS = 0x3d;
export const DISCLOSED = 0x52;
export const WITHHELD = 0x48;

/** A salt in base64 and the blank behind it. */
const SALT_FIELD = 25;

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
 * Completes `count` lines, of which the record of line n lies in `lines[bounds[2n], bounds[2n + 1])`, with 16 bytes of `salts` each and
 * a line feed, so that the next line starts behind it. The leaves' hashes, 32 bytes each, go to `hashes`.
 */
export function sealDisclosed(
  lines: Uint8Array,
  bounds: Uint32Array,
  count: number,
  salts: Uint8Array,
  hashes: Uint8Array,
): void {
  const leaves = new Uint32Array(2 * count);
  for (let index = 0; index < count; index += 1) {
    const leafAt = (bounds[2 * index] ?? 0) - SALT_LENGTH;
    for (let byte = 0; byte < SALT_LENGTH; byte += 1) lines[leafAt + byte] = salts[SALT_LENGTH * index + byte] ?? 0;
    leaves[2 * index] = leafAt;
    leaves[2 * index + 1] = bounds[2 * index + 1] ?? 0;
  }
  hashLeaves(lines, leaves, count, hashes);
  for (let index = 0; index < count; index += 1) {
    spellSalt(lines, bounds[2 * index] ?? 0);
    lines[bounds[2 * index + 1] ?? 0] = LINE_FEED;
  }
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

/**
 * Turns the salt before the record into the 16 bytes before it, from right to left for the same reason: of these and of the record the
 * leaf is the hash. @returns false when it is not the one spelling of 16 bytes.
 */
export function openDisclosed(bytes: Uint8Array, recordAt: number): boolean {
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
