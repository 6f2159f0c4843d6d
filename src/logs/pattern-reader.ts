/**
 * Reads lines of a fixed pattern: literals with fields between them, as nginx's `log_format` and Apache's `LogFormat`
 * write them.
 *
 * What a visitor sends cannot move a field: a quoted field ends at the first quote that is not escaped and is followed by
 * what the pattern says next; an unquoted one at what follows it; only a user name, which may hold blanks and brackets, is
 * tried again further on.
 */
import { FIELD, type Field, type Line, type LineReader, type Reading } from './line.ts';
import { startsWith, type Escaping, unescapeField } from './unescape.ts';

export interface PatternPiece {
  readonly field: Field;
  /** True when the field stands between quotes. */
  readonly quoted: boolean;
  /** The exact length of the field, 0 when it varies. */
  readonly length: number;
  /** What follows the field; empty only for the last one. */
  readonly after: Uint8Array;
}

export interface Pattern {
  /** What every line starts with. */
  readonly before: Uint8Array;
  readonly pieces: readonly PatternPiece[];
  readonly escaping: Escaping;
}

/** A user name with more places at which it could end than this is not searched further; the line is X. */
const MAX_TRIES = 32;

const QUOTE = 0x22;
const BLANK = 0x20;
const QUOTES = 0x22222222;
const BACKSLASHES = 0x5c5c5c5c;
const ONES = 0x01010101;
const HIGHS = 0x80808080;

export function createPatternReader(pattern: Pattern): LineReader {
  return new PatternReader(pattern);
}

class PatternReader implements LineReader {
  readonly directive = undefined;
  readonly #before: Uint8Array;
  readonly #pieces: readonly PatternPiece[];
  readonly #escaping: Escaping;
  readonly #skipsEscapes: boolean;
  readonly #user: number;
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  /** 1 for each piece in which a backslash was seen. */
  readonly #escaped: Uint8Array;
  #anyEscaped = false;

  constructor(pattern: Pattern) {
    this.#before = pattern.before;
    this.#pieces = pattern.pieces;
    this.#escaping = pattern.escaping;
    this.#skipsEscapes = pattern.escaping !== 'none';
    this.#user = pattern.pieces.findIndex(({ field, quoted }) => field === FIELD.user && !quoted);
    this.#starts = new Int32Array(pattern.pieces.length);
    this.#ends = new Int32Array(pattern.pieces.length);
    this.#escaped = new Uint8Array(pattern.pieces.length);
  }

  read(line: Line, start: number, end: number): Reading {
    const before = this.#before;
    if (before.length > 0 && !startsWith(line.bytes, start, end, before)) return 'unreadable';
    this.#anyEscaped = false;
    let stopped = this.#match(line, 0, start + before.length, 0, end);
    for (let tries = 0; stopped > this.#user && this.#user >= 0 && tries < MAX_TRIES; tries++) {
      const from = this.#starts[this.#user] ?? 0;
      stopped = this.#match(line, this.#user, from, (this.#ends[this.#user] ?? 0) + 1 - from, end);
    }
    if (stopped >= 0) return 'unreadable';
    this.#keep(line);
    return 'hit';
  }

  /**
   * Matches the pieces from `first` on, the first of them at least `atLeast` bytes long.
   *
   * Returns the piece at which the line stops to match, or -1.
   */
  #match(line: Line, first: number, at: number, atLeast: number, end: number): number {
    const { bytes } = line;
    const pieces = this.#pieces;
    let from = at;
    let search = at + atLeast;
    for (let index = first; index < pieces.length; index++) {
      const piece = pieces[index];
      if (piece === undefined) return index;
      const { after } = piece;
      let to: number;
      if (piece.quoted) to = this.#closing(line, index, search, end, after);
      else if (piece.length > 0) to = startsWith(bytes, from + piece.length, end, after) ? from + piece.length : -1;
      else to = after.length === 0 ? end : find(bytes, search, end, after);
      if (to < 0) return index;
      this.#starts[index] = from;
      this.#ends[index] = to;
      from = search = to + after.length;
    }
    return from === end ? -1 : pieces.length;
  }

  /** The quote that ends the field of piece `index`, or -1. Looks at four bytes at a time. */
  #closing({ bytes, view }: Line, index: number, at: number, end: number, after: Uint8Array): number {
    this.#escaped[index] = 0;
    const isLast = index === this.#pieces.length - 1;
    let from = at;
    while (from < end) {
      const word = view.getInt32(from, true);
      const quote = word ^ QUOTES;
      const backslash = word ^ BACKSLASHES;
      const found = (((quote - ONES) & ~quote) | ((backslash - ONES) & ~backslash)) & HIGHS;
      if (found === 0) {
        from += 4;
        continue;
      }
      // The lowest high bit marks the first of them; bits above it may be wrong.
      from += (31 - Math.clz32(found & -found)) >> 3;
      if (from >= end) return -1;
      if (bytes[from] === QUOTE) {
        // A quote which ends the last field ends the line.
        if (startsWith(bytes, from, end, after) && (!isLast || from + after.length === end)) return from;
        // Another field begins, of which the pattern does not know: it must not pass for a part of this one.
        if (bytes[from + 1] === BLANK && bytes[from + 2] === QUOTE) return -1;
        from++;
      } else if (this.#skipsEscapes) {
        this.#escaped[index] = 1;
        this.#anyEscaped = true;
        from += 2;
      } else from++;
    }
    return -1;
  }

  /** Gives the line its fields, decoded. */
  #keep(line: Line): void {
    const pieces = this.#pieces;
    if (this.#anyEscaped) line.freeScratch();
    for (let index = 0; index < pieces.length; index++) {
      const field = pieces[index]?.field ?? FIELD.ignored;
      if (field === FIELD.ignored) continue;
      const start = this.#starts[index] ?? 0;
      const end = this.#ends[index] ?? 0;
      if (this.#anyEscaped && this.#escaped[index] === 1) unescapeField(line, field, start, end, this.#escaping);
      else line.set(field, start, end);
    }
  }
}

/** Where `what` next stands at or after `at`, or -1. */
function find(bytes: Uint8Array, at: number, end: number, what: Uint8Array): number {
  const first = what[0];
  for (let from = at; from < end; from++) {
    if (bytes[from] === first && startsWith(bytes, from, end, what)) return from;
  }
  return -1;
}
