/** The escapes of servers' logs, decoded to the bytes that the visitor sent. */
import type { Field, Line } from './line.ts';

const BACKSLASH = 0x5c;

/** C escapes by letter: Apache and JSON have them, nginx by default only `\xHH`. */
const LETTERS: Readonly<Record<string, number>> = {
  '"': 0x22,
  '/': 0x2f,
  '\\': BACKSLASH,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
};

export function startsWith(bytes: Uint8Array, at: number, end: number, what: Uint8Array): boolean {
  if (at + what.length > end) return false;
  for (let index = 0; index < what.length; index++) if (bytes[at + index] !== what[index]) return false;
  return true;
}

/**
 * Decodes `[start, end)` into the scratch space and makes that the field. What is no escape stays as it is.
 *
 * `\xHH` (Apache, nginx) and `\uXXXX` (nginx's `escape=json`) are both decoded whatever the format: a server that writes the one
 * escapes the backslash of the other.
 */
export function unescapeField(line: Line, field: Field, start: number, end: number): void {
  const { bytes } = line;
  let to = line.scratch;
  let at = start;
  while (at < end) {
    const byte = bytes[at] ?? 0;
    if (byte !== BACKSLASH || at + 1 >= end) {
      bytes[to++] = byte;
      at++;
      continue;
    }
    const letter = String.fromCharCode(bytes[at + 1] ?? 0);
    const plain = LETTERS[letter];
    if (plain !== undefined) {
      bytes[to++] = plain;
      at += 2;
    } else if (letter === 'x') {
      const value = hexAt(line, at + 2, end, 2);
      bytes[to++] = value ?? byte;
      at += value === undefined ? 1 : 4;
    } else if (letter === 'u') {
      const [value, length] = unicodeAt(line, at, end);
      if (value === undefined) bytes[to++] = byte;
      else to += bytes.write(String.fromCodePoint(value), to, 'utf8');
      at += length;
    } else {
      bytes[to++] = byte;
      at++;
    }
  }
  line.keepScratch(field, to);
}

/** The number that `digits` hex digits at `at` spell. */
function hexAt(line: Line, at: number, end: number, digits: number): number | undefined {
  if (at + digits > end) return undefined;
  const text = line.latin1(at, at + digits);
  return /^[\da-f]+$/i.test(text) ? Number.parseInt(text, 16) : undefined;
}

/** The code point of `\uXXXX`, or of a pair of them, at `at`, and how many bytes it takes. A lone surrogate is U+FFFD. */
function unicodeAt(line: Line, at: number, end: number): [value: number | undefined, length: number] {
  const unit = hexAt(line, at + 2, end, 4);
  if (unit === undefined) return [undefined, 1];
  if (unit < 0xd800 || unit > 0xdfff) return [unit, 6];
  const low = line.latin1(at + 6, at + 8) === String.raw`\u` ? hexAt(line, at + 8, end, 4) : undefined;
  if (unit > 0xdbff || low === undefined || low < 0xdc00 || low > 0xdfff) return [0xfffd, 6];
  return [0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), 12];
}
