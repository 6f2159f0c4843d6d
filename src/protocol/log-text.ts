/**
 * How text stands in a log record: bytes as they are, but what could end a field, end a line or move a cursor is escaped. Every
 * value has exactly one spelling, because a record is hashed: `\\`, `\t`, `\n`, `\r`, and `\xHH` for C0, DEL, C1 and for bytes
 * that are not UTF-8; nothing is `-`, and a dash alone is `\x2d`.
 *
 * The functions over byte ranges are for loops over millions of records; they allocate nothing.
 */
import { TieupError } from '../errors.ts';

const TAB = 0x09;
const BACKSLASH = 0x5c;
const DASH = 0x2d;
const LOWER_X = 0x78;
const LONE_DASH = '\\x2d';

/** What a byte asks of who writes it. */
export const PLAIN = 0;
/** A control character, DEL or the backslash. */
export const ESCAPED = 1;
/** 0x80 and above: as it is when it is part of a UTF-8 sequence other than of a C1 control, escaped otherwise. */
export const HIGH = 2;

/** For each of the 256 bytes {@link PLAIN}, {@link ESCAPED} or {@link HIGH}. */
export const BYTE_KINDS: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x80) return HIGH;
  return byte < 0x20 || byte === 0x7f || byte === BACKSLASH ? ESCAPED : PLAIN;
});

const BACKSLASHES = 0x5c5c5c5c;
const DELETES = 0x7f7f7f7f;
const BLANKS = 0x20202020;
const ONES = 0x01010101;
const HIGHS = 0x80808080;

/**
 * Looks at four bytes at a time, read as a little-endian word: 0 when all are {@link PLAIN}. Otherwise the lowest bit that is set is the
 * high bit of the first byte that is not; bits above it say nothing.
 */
export function notPlain(word: number): number {
  const backslash = word ^ BACKSLASHES;
  const del = word ^ DELETES;
  return (word | ((word - BLANKS) & ~word) | ((backslash - ONES) & ~backslash) | ((del - ONES) & ~del)) & HIGHS;
}

const SHORT_ESCAPES: ReadonlyMap<number, number> = new Map([
  [BACKSLASH, BACKSLASH],
  [TAB, 0x74],
  [0x0a, 0x6e],
  [0x0d, 0x72],
]);
const HEX = Buffer.from('0123456789ABCDEF');

/**
 * The length of the UTF-8 sequence at `at` that stands in a record as it is; 0 when there is none before `end`, or when it is a C1
 * control. Not overlong, no surrogate, nothing above U+10FFFF (Unicode 15, table 3-7).
 */
export function sequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (at + length > end) return 0;
  const second = bytes[at + 1] ?? 0;
  let [low, high] = [0x80, 0xbf];
  if (first === 0xc2) low = 0xa0;
  else if (first === 0xe0) low = 0xa0;
  else if (first === 0xed) high = 0x9f;
  else if (first === 0xf0) low = 0x90;
  else if (first === 0xf4) high = 0x8f;
  if (second < low || second > high) return 0;
  for (let index = at + 2; index < at + length; index += 1) if (((bytes[index] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}

/**
 * Writes the value `source[start, end)` as the text of a field at `at`, in at most `limit` bytes: a value that does not fit is cut
 * before the character that does not. `target` has room for `limit` bytes.
 * @returns the position behind it; its bitwise complement (a negative number) when the value was cut.
 */
export function writeText(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  end: number,
  limit: number,
): number {
  if (start === end) {
    target[at] = DASH;
    return at + 1;
  }
  if (end - start === 1 && source[start] === DASH) return writeEscape(target, at, DASH, LONE_DASH.length);
  const stop = at + limit;
  let to = at;
  let from = start;
  while (from < end) {
    const byte = source[from] ?? 0;
    const kind = BYTE_KINDS[byte];
    if (kind === PLAIN) {
      if (to === stop) return ~to;
      target[to] = byte;
      to += 1;
      from += 1;
      continue;
    }
    const length = kind === HIGH ? sequenceLength(source, from, end) : 0;
    if (length > 0) {
      if (to + length > stop) return ~to;
      for (const next = from + length; from < next; from += 1, to += 1) target[to] = source[from] ?? 0;
      continue;
    }
    const room = SHORT_ESCAPES.has(byte) ? 2 : 4;
    if (to + room > stop) return ~to;
    to = writeEscape(target, to, byte, room);
    from += 1;
  }
  return to;
}

function writeEscape(target: Uint8Array, at: number, byte: number, length: number): number {
  target[at] = BACKSLASH;
  if (length === 2) {
    target[at + 1] = SHORT_ESCAPES.get(byte) ?? byte;
  } else {
    target[at + 1] = LOWER_X;
    target[at + 2] = HEX[byte >> 4] ?? 0;
    // A dash that stands alone is spelt as the design spells it.
    target[at + 3] = byte === DASH ? 0x64 : (HEX[byte & 15] ?? 0);
  }
  return at + length;
}

/** Why the bytes from `start` to `end` are not the one spelling of a value, as the end of a sentence; undefined when they are. */
export function textFault(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (start === end) return 'is empty, and nothing is written as a dash';
  let escapes = 0;
  for (let at = start; at < end;) {
    const byte = bytes[at] ?? 0;
    if (byte === BACKSLASH) {
      escapes += 1;
      at += 2;
      continue;
    }
    const kind = BYTE_KINDS[byte];
    if (kind === ESCAPED) return 'has a control character that is not escaped';
    const length = kind === PLAIN ? 1 : sequenceLength(bytes, at, end);
    if (length === 0) return 'has bytes that are not UTF-8 and are not escaped';
    at += length;
  }
  if (escapes === 0) return undefined;
  const value = decodeText(bytes.subarray(start, end));
  if (value === undefined) return 'has an escape that does not exist';
  return isSpelling(value, bytes.subarray(start, end)) ? undefined : 'has an escape that is not needed';
}

function isSpelling(value: Uint8Array, text: Uint8Array): boolean {
  const spelling = new Uint8Array(text.length);
  return (
    writeText(spelling, 0, value, 0, value.length, text.length) === text.length && Buffer.compare(spelling, text) === 0
  );
}

/** The bytes of a value from the bytes of a field, leniently; undefined when an escape does not exist. */
function decodeText(text: Uint8Array): Uint8Array | undefined {
  const spelling = Buffer.from(text).toString('latin1');
  if (spelling === '-') return new Uint8Array(0);
  if (spelling === LONE_DASH) return Uint8Array.of(DASH);
  if (!/^(?:[^\\]|\\(?:[\\tnr]|x[0-9A-F]{2}))*$/.test(spelling)) return undefined;
  const plain = spelling.replaceAll(/\\(?:x(..)|(.))/g, (_, hex: string | undefined, short: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    return { t: '\t', n: '\n', r: '\r' }[short] ?? short;
  });
  return Buffer.from(plain, 'latin1');
}

/**
 * The value of a field as a string. Bytes that are not UTF-8 become the lone surrogates U+DC80 to U+DCFF (as in Python's PEP 383), so
 * that {@link spellText} gives them back. @throws TIEUP_E_VERIFY when it is not the one spelling of a value.
 */
export function readText(field: string): string {
  const bytes = Buffer.from(field);
  const fault = textFault(bytes, 0, bytes.length);
  const value = fault === undefined ? decodeText(bytes) : undefined;
  if (value === undefined) {
    throw new TieupError(
      'TIEUP_E_VERIFY',
      `${JSON.stringify(field)} is no field of a record: it ${fault ?? 'is not text'}`,
    );
  }
  return stringOf(value);
}

/** The spelling of a value in at most `limit` bytes, and whether it had to be cut; the inverse of {@link readText}. */
export function spellText(value: string, limit: number): { readonly text: string; readonly cut: boolean } {
  const bytes = bytesOf(value);
  const target = Buffer.alloc(limit);
  const end = writeText(target, 0, bytes, 0, bytes.length, limit);
  return { text: target.toString('utf8', 0, end < 0 ? ~end : end), cut: end < 0 };
}

const LONE = 0xdc00;

function stringOf(bytes: Uint8Array): string {
  const parts: string[] = [];
  let valid = 0;
  for (let at = 0; at < bytes.length;) {
    // C1 controls are valid UTF-8, though they are escaped in a record.
    const isC1 = bytes[at] === 0xc2 && ((bytes[at + 1] ?? 0) & 0xe0) === 0x80;
    const length = isC1 ? 2 : sequenceLength(bytes, at, bytes.length);
    if (length === 0) {
      parts.push(Buffer.from(bytes.subarray(valid, at)).toString(), String.fromCharCode(LONE + (bytes[at] ?? 0)));
      valid = at + 1;
    }
    at += Math.max(length, 1);
  }
  parts.push(Buffer.from(bytes.subarray(valid)).toString());
  return parts.join('');
}

function bytesOf(value: string): Uint8Array {
  if (value.isWellFormed()) return Buffer.from(value);
  const parts = value.split(/([\udc80-\udcff])/u).map((part) => {
    const code = part.charCodeAt(0);
    return part.length === 1 && code >= LONE + 0x80 && code <= LONE + 0xff
      ? Uint8Array.of(code - LONE)
      : Buffer.from(part);
  });
  return Buffer.concat(parts);
}
