/** Cuts chunks of a log into lines in one window, so that a line is never a string and its length is bounded. */
import { Line, MAX_LINE } from './line.ts';

/** What becomes of each line. `at` is the place in the source of the line's first byte. */
export interface LineTaker {
  /** A line in `[start, end)` of the window, without its LF or CRLF. */
  take(start: number, end: number, at: number): void;
  /** A line longer than {@link MAX_LINE}, of which the window holds the beginning. */
  takeOverlong(start: number, end: number, at: number): void;
}

const LF = 0x0a;
const CR = 0x0d;
const CHUNK = 1024 * 1024;

/** The window that {@link LineFeed} fills. */
export function createWindow(): Line {
  return new Line(MAX_LINE + CHUNK);
}

export class LineFeed {
  readonly #line: Line;
  readonly #taker: LineTaker;
  #filled = 0;
  /** True while the rest of an overlong line passes. */
  #skipping = false;
  /** The place in the source of the window's first byte. */
  #base: number;
  #position: number;
  #lastLength = 0;

  /** `position` is where in the source the first chunk begins. */
  constructor(line: Line, taker: LineTaker, position = 0) {
    this.#line = line;
    this.#taker = taker;
    this.#base = position;
    this.#position = position;
  }

  /** Behind the last line that was taken, line end included. */
  get position(): number {
    return this.#position;
  }

  /** The length in the source of the last line that was taken, line end included; 0 before the first. */
  get lastLength(): number {
    return this.#lastLength;
  }

  push(chunk: Uint8Array): void {
    for (let offset = 0; offset < chunk.length;) {
      const part = chunk.subarray(offset, offset + this.#line.capacity - this.#filled);
      this.#line.bytes.set(part, this.#filled);
      const searched = this.#filled;
      this.#filled += part.length;
      offset += part.length;
      this.#drain(searched);
    }
  }

  /** Takes what is left, a last line without an end; for a source that will not grow. */
  finish(): void {
    const length = this.#base + this.#filled - this.#position;
    if (length === 0) return;
    if (this.#skipping) this.#skipping = false;
    else this.#taker.take(0, endOfLine(this.#line.bytes, 0, this.#filled), this.#position);
    this.#took(length);
    this.#base += this.#filled;
    this.#filled = 0;
  }

  /** `from` is where no line end has been looked for yet. */
  #drain(from: number): void {
    const { bytes } = this.#line;
    const filled = bytes.subarray(0, this.#filled);
    let start = 0;
    let end = filled.indexOf(LF, from);
    for (; end >= 0; end = filled.indexOf(LF, start)) {
      this.#takeLine(start, end);
      start = end + 1;
    }
    if (this.#filled - start > MAX_LINE && !this.#skipping) {
      this.#skipping = true;
      this.#taker.takeOverlong(start, start + MAX_LINE, this.#base + start);
    }
    // Of a line that is passed over nothing is kept.
    const keepFrom = this.#skipping ? this.#filled : start;
    bytes.copyWithin(0, keepFrom, this.#filled);
    this.#base += keepFrom;
    this.#filled -= keepFrom;
  }

  #takeLine(start: number, end: number): void {
    const at = this.#base + start;
    if (this.#skipping) this.#skipping = false;
    else if (end - start > MAX_LINE) this.#taker.takeOverlong(start, start + MAX_LINE, at);
    else this.#taker.take(start, endOfLine(this.#line.bytes, start, end), at);
    this.#took(this.#base + end + 1 - this.#position);
  }

  #took(length: number): void {
    this.#lastLength = length;
    this.#position += length;
  }
}

function endOfLine(bytes: Uint8Array, start: number, end: number): number {
  return end > start && bytes[end - 1] === CR ? end - 1 : end;
}
