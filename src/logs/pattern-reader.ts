/**
 * Reads lines of a fixed pattern: literals with fields between them, as nginx's `log_format` and Apache's `LogFormat`
 * write them.
 *
 * What a visitor sends cannot move a field: a quoted field ends at the first quote that is not escaped and is followed by
 * what the pattern says next; an unquoted one at what follows it; only a user name, which may hold blanks and brackets, is
 * tried again further on.
 */
import { FIELD, type Field, type Line, type LineReader, type Reading } from './line.ts';
import { startsWith, unescapeField } from './unescape.ts';

export interface PatternPiece {
  /** In the server's words: `$status`. */
  readonly text: string;
  readonly field: Field;
  /** True when the field stands between quotes. */
  readonly quoted: boolean;
  /** The exact length of the field, 0 when it varies. */
  readonly length: number;
  /** True for values with `, ` or ` : ` between them. */
  readonly isList: boolean;
  /** What follows the field; empty for the last one, and for a host in front of a path. */
  readonly after: Uint8Array;
}

/** Which of the addresses that proxies passed on: the one that the last proxy saw, or the one that the first was told. */
export type Hop = 'first' | 'last';

export interface Pattern {
  /** What every line starts with. */
  readonly before: Uint8Array;
  readonly pieces: readonly PatternPiece[];
  /** False for nginx's `escape=none`: what a visitor sends stands in the line as it is. */
  readonly isEscaped: boolean;
  /** The address of the line is this one of several. */
  readonly hop: Hop | undefined;
}

/** A user name with more places at which it could end than this is not searched further; the line is X. */
const MAX_TRIES = 32;

const NOTHING = new Uint8Array(0);
const QUOTE = 0x22;
const BLANK = 0x20;
const COMMA = 0x2c;
const COLON = 0x3a;
const SLASH = Buffer.from('/');
const QUOTES = 0x22222222;
const BACKSLASHES = 0x5c5c5c5c;
const ONES = 0x01010101;
const HIGHS = 0x80808080;

export function createPatternReader(pattern: Pattern): LineReader {
  return new PatternReader(pattern);
}

/** What a piece costs to look at, flat: how it ends. */
const QUOTED = 1;
const FIXED = 2;
const TO_BYTE = 3;
const TO_LITERAL = 4;
const TO_END = 5;
const TO_SLASH = 6;
const LIST = 7;
const REQUEST = 8;

/** Unquoted fields that hold no blank: with one, what stands there is another field too. Numbers are looked at as such anyway. */
const WORDS: ReadonlySet<Field> = new Set([FIELD.host, FIELD.ip, FIELD.method, FIELD.protocol]);
/** The longest ` HTTP/1.1` of a request. */
const LONGEST_VERSION = 3;
const HTTP = Buffer.from(' HTTP/');

class PatternReader implements LineReader {
  readonly directive = undefined;
  readonly #before: Uint8Array;
  readonly #isEscaped: boolean;
  /** How many quotes the pattern itself has. */
  readonly #quotes: number;
  /** The piece of an unquoted user name, or -1. */
  readonly #user: number;
  readonly #count: number;
  readonly #kinds: Uint8Array;
  readonly #fields: readonly Field[];
  readonly #lengths: Int32Array;
  readonly #firsts: Uint8Array;
  readonly #afters: readonly Uint8Array[];
  /** 1 for each piece in which a backslash was seen. */
  readonly #escaped: Uint8Array;
  #anyEscaped = false;
  readonly #texts: readonly string[];
  readonly #hop: Hop | undefined;
  /** The fields of {@link WORDS} that something else than the next blank ends. */
  readonly #words: readonly Field[];
  #stopped = 0;

  constructor({ before, pieces, isEscaped, hop }: Pattern) {
    this.#before = before;
    this.#isEscaped = isEscaped;
    this.#quotes = [before, ...pieces.map(({ after }) => after)].reduce(
      (count, literal) => count + quotesIn(literal, 0, literal.length),
      0,
    );
    this.#user = pieces.findIndex(({ field, quoted }) => field === FIELD.user && !quoted);
    this.#count = pieces.length;
    this.#kinds = Uint8Array.from(pieces, (piece, index) => kindOf(piece, index === pieces.length - 1));
    this.#fields = pieces.map(({ field }) => field);
    this.#lengths = Int32Array.from(pieces, ({ length }) => length);
    this.#firsts = Uint8Array.from(pieces, ({ after }) => after[0] ?? 0);
    this.#afters = pieces.map(({ after }) => after);
    this.#escaped = new Uint8Array(pieces.length);
    this.#texts = pieces.map(({ text }) => text);
    this.#hop = hop;
    this.#words = pieces
      .filter(({ field, quoted, after }) => WORDS.has(field) && !quoted && !(after.length === 1 && after[0] === BLANK))
      .map(({ field }) => field);
  }

  get stoppedAt(): string | undefined {
    return this.#texts[Math.min(this.#stopped, this.#count - 1)];
  }

  read(line: Line, start: number, end: number): Reading {
    const before = this.#before;
    this.#stopped = 0;
    if (before.length > 0 && !startsWith(line.bytes, start, end, before)) return 'unreadable';
    // A quote that a visitor sent could begin a field.
    if (!this.#isEscaped && quotesIn(line.bytes, start, end) !== this.#quotes) return 'unreadable';
    this.#anyEscaped = false;
    let stopped = this.#match(line, 0, start + before.length, 0, end);
    for (let tries = 0; stopped > this.#user && this.#user >= 0 && tries < MAX_TRIES; tries++) {
      const from = line.start[FIELD.user] ?? 0;
      stopped = this.#match(line, this.#user, from, (line.end[FIELD.user] ?? 0) + 1 - from, end);
    }
    if (stopped >= 0) {
      this.#stopped = stopped;
      return 'unreadable';
    }
    if (this.#hop !== undefined) pickHop(line, this.#hop);
    if (this.#words.length > 0 && this.#words.some((field) => hasBlank(line, field))) return 'unreadable';
    if (this.#anyEscaped) this.#unescape(line);
    return 'hit';
  }

  /**
   * Matches the pieces from `first` on, the first of them at least `atLeast` bytes long, and gives the line its fields.
   *
   * Returns the piece at which the line stops to match, or -1.
   */
  #match(line: Line, first: number, at: number, atLeast: number, end: number): number {
    const { bytes, start: starts, end: ends } = line;
    const kinds = this.#kinds;
    const count = this.#count;
    let from = at;
    let search = at + atLeast;
    for (let index = first; index < count; index++) {
      const kind = kinds[index];
      const after = this.#afters[index] ?? NOTHING;
      let to = search;
      if (kind === TO_BYTE) {
        const stop = this.#firsts[index];
        while (to < end && bytes[to] !== stop) to++;
        if (to >= end) return index;
      } else if (kind === QUOTED) {
        to = this.#closing(line, index, search, end, after);
        if (to < 0) return index;
      } else if (kind === FIXED) {
        to = from + (this.#lengths[index] ?? 0);
        if (!startsWith(bytes, to, end, after)) return index;
      } else if (kind === TO_LITERAL) {
        to = find(bytes, search, end, after);
        if (to < 0) return index;
      } else if (kind === TO_END) to = end;
      else {
        to = this.#rareEnd(line, index, search, end);
        if (to < 0) return index;
      }
      const field = this.#fields[index] ?? FIELD.ignored;
      starts[field] = from;
      ends[field] = to;
      from = search = to + after.length;
    }
    return from === end ? -1 : count;
  }

  /** Where a field ends that few formats have, or -1. */
  #rareEnd({ bytes }: Line, index: number, at: number, end: number): number {
    const kind = this.#kinds[index];
    const after = this.#afters[index] ?? NOTHING;
    if (kind === TO_SLASH) return find(bytes, at, end, SLASH);
    if (kind === REQUEST) return endOfRequest(bytes, at, end, after);
    let to = find(bytes, at, end, after);
    while (to >= 0 && isWithinList(bytes, to)) to = find(bytes, to + 1, end, after);
    return to;
  }

  /** The quote that ends the field of piece `index`, or -1. Looks at four bytes at a time. */
  #closing({ bytes, view }: Line, index: number, at: number, end: number, after: Uint8Array): number {
    this.#escaped[index] = 0;
    const isLast = index === this.#count - 1;
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
      } else if (this.#isEscaped) {
        this.#escaped[index] = 1;
        this.#anyEscaped = true;
        from += 2;
      } else from++;
    }
    return -1;
  }

  /** Decodes the fields in which there are escapes. */
  #unescape(line: Line): void {
    line.freeScratch();
    for (let index = 0; index < this.#count; index++) {
      const field = this.#fields[index] ?? FIELD.ignored;
      if (this.#escaped[index] !== 1 || field === FIELD.ignored) continue;
      unescapeField(line, field, line.start[field] ?? 0, line.end[field] ?? 0);
    }
  }
}

function kindOf({ field, quoted, length, isList, after }: PatternPiece, isLast: boolean): number {
  if (quoted) return QUOTED;
  if (length > 0) return FIXED;
  if (after.length === 0) return isLast ? TO_END : TO_SLASH;
  if (after[0] === BLANK && isList) return LIST;
  if (after[0] === BLANK && field === FIELD.request) return REQUEST;
  return after.length === 1 ? TO_BYTE : TO_LITERAL;
}

/** True when the blank at `at` stands within `a, b` or `a : b`. */
function isWithinList(bytes: Uint8Array, at: number): boolean {
  const isColon = (place: number): boolean => bytes[place] === COLON && bytes[place + 1] === BLANK;
  return bytes[at - 1] === COMMA || isColon(at + 1) || (isColon(at - 1) && bytes[at - 2] === BLANK);
}

/**
 * An unquoted request has blanks: it ends behind its protocol, and one without, which is noise, at the first blank. -1 when there are
 * two such places: the visitor wrote one of them.
 */
function endOfRequest(bytes: Uint8Array, at: number, end: number, after: Uint8Array): number {
  let found = -1;
  for (let from = find(bytes, at, end, HTTP); from >= 0; from = find(bytes, from + 1, end, HTTP)) {
    let to = from + HTTP.length;
    while (to < from + HTTP.length + LONGEST_VERSION && bytes[to] !== BLANK) to++;
    if (!startsWith(bytes, to, end, after)) continue;
    if (found >= 0) return -1;
    found = to;
  }
  return found >= 0 ? found : find(bytes, at, end, after);
}

/** Of the addresses in the line's field, `a, b, c`, one becomes the field. */
function pickHop(line: Line, hop: Hop): void {
  const { bytes } = line;
  let start = line.start[FIELD.ip] ?? 0;
  let end = line.end[FIELD.ip] ?? 0;
  const list = bytes.subarray(start, end);
  const comma = hop === 'last' ? list.lastIndexOf(COMMA) : list.indexOf(COMMA);
  if (comma < 0) return;
  if (hop === 'first') end = start + comma;
  else start += comma + 1;
  while (start < end && bytes[start] === BLANK) start++;
  while (end > start && bytes[end - 1] === BLANK) end--;
  line.set(FIELD.ip, start, end);
}

function hasBlank({ bytes, start, end }: Line, field: Field): boolean {
  const to = end[field] ?? 0;
  for (let at = start[field] ?? 0; at < to; at++) if (bytes[at] === BLANK) return true;
  return false;
}

function quotesIn(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at++) if (bytes[at] === QUOTE) count++;
  return count;
}

/** Where `what` next stands at or after `at`, or -1. */
function find(bytes: Uint8Array, at: number, end: number, what: Uint8Array): number {
  const first = what[0];
  for (let from = at; from < end; from++) {
    if (bytes[from] === first && startsWith(bytes, from, end, what)) return from;
  }
  return -1;
}
