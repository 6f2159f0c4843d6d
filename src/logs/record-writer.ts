/** Writes the records of one tree as the lines of a `tieup-part/1`, with room for the salts: a record's bytes are written once. */
import { BYTE_KINDS, notPlain, PLAIN, writeText } from '../protocol/log-text.ts';
import { MAX_PART_LINE } from '../protocol/log-part.ts';
import { startDisclosed } from '../protocol/log-part-line.ts';

export type TreeName = 'T' | 'O';

/** Consecutive records of one tree. */
export interface ScannedBatch {
  readonly tree: TreeName;
  /** Index in the tree of the first record. */
  readonly first: number;
  readonly count: number;
  /** R lines, to be completed by `sealDisclosed`. */
  readonly lines: Uint8Array<ArrayBuffer>;
  /** For each record where it starts and where it ends, before its LF. */
  readonly bounds: Uint32Array<ArrayBuffer>;
}

/** Rows are longer than this: 20 fields of at least a byte, and what stands before them. */
const MIN_ROW = 64;

const TAB = 0x09;
const LF = 0x0a;
const DASH = 0x2d;

export class RecordWriter {
  readonly tree: TreeName;
  /** True when a value of the record that is being written was too long. */
  cut = false;
  #bytes: Buffer<ArrayBuffer>;
  #view: DataView;
  #bounds: Uint32Array<ArrayBuffer>;
  #at = 0;
  #count = 0;
  #first: number;
  readonly #capacity: number;

  /** `capacity` is about how many bytes a batch has. */
  constructor(tree: TreeName, first: number, capacity: number) {
    this.tree = tree;
    this.#first = first;
    this.#capacity = capacity;
    this.#bytes = Buffer.from(new ArrayBuffer(capacity + MAX_PART_LINE));
    this.#view = new DataView(this.#bytes.buffer);
    this.#bounds = new Uint32Array(this.#mostBounds());
  }

  /** How many records the tree has. */
  get size(): number {
    return this.#first + this.#count;
  }

  /** Starts a row; the fields follow, each with a tab but the last. */
  open(): void {
    this.cut = false;
    const at = startDisclosed(this.#bytes, this.#at, this.size);
    this.#bounds[2 * this.#count] = at;
    this.#at = at;
  }

  /** Ends the row. Gives the batch when it is full. */
  close(): ScannedBatch | undefined {
    this.#bounds[2 * this.#count + 1] = this.#at;
    this.#bytes[this.#at++] = LF;
    this.#count++;
    return this.#at < this.#capacity ? undefined : this.take();
  }

  /** What was written since the last batch, or undefined when there is nothing. */
  take(): ScannedBatch | undefined {
    if (this.#count === 0) return undefined;
    const batch: ScannedBatch = {
      tree: this.tree,
      first: this.#first,
      count: this.#count,
      lines: new Uint8Array(this.#bytes.buffer, 0, this.#at),
      bounds: this.#bounds.subarray(0, 2 * this.#count),
    };
    this.#first += this.#count;
    this.#count = 0;
    this.#at = 0;
    this.#bytes = Buffer.from(new ArrayBuffer(this.#capacity + MAX_PART_LINE));
    this.#view = new DataView(this.#bytes.buffer);
    this.#bounds = new Uint32Array(this.#mostBounds());
    return batch;
  }

  tab(): void {
    this.#bytes[this.#at++] = TAB;
  }

  /** A field with nothing in it. */
  nothing(): void {
    this.#bytes[this.#at++] = DASH;
    this.#bytes[this.#at++] = TAB;
  }

  byte(value: number): void {
    this.#bytes[this.#at++] = value;
  }

  /** ASCII that needs no escape. */
  plain(text: string): void {
    this.#at += this.#bytes.write(text, this.#at, 'latin1');
  }

  decimal(counter: Decimal): void {
    this.#at = counter.copy(this.#bytes, this.#at);
  }

  /** Bytes that need no escape. */
  raw(source: Uint8Array, start: number, end: number): void {
    const bytes = this.#bytes;
    let at = this.#at;
    for (let from = start; from < end; from++) bytes[at++] = source[from] ?? 0;
    this.#at = at;
  }

  /**
   * A value as a field of at most `limit` bytes, and the tab behind it; a dash alone is what logs write for nothing.
   *
   * Copies four bytes at a time while none needs an escape, and starts over byte by byte when one does.
   */
  value(source: Uint8Array, view: DataView, start: number, end: number, limit: number): void {
    const bytes = this.#bytes;
    const length = end - start;
    if (length === 0 || (length === 1 && source[start] === DASH)) {
      this.nothing();
      return;
    }
    const target = this.#view;
    let from = start;
    let at = this.#at;
    let isPlain = length <= limit;
    for (; isPlain && from + 4 <= end; from += 4, at += 4) {
      const word = view.getInt32(from, true);
      isPlain = notPlain(word) === 0;
      target.setInt32(at, word, true);
    }
    for (; isPlain && from < end; from++) {
      const byte = source[from] ?? 0;
      isPlain = BYTE_KINDS[byte] === PLAIN;
      bytes[at++] = byte;
    }
    if (isPlain) {
      bytes[at] = TAB;
      this.#at = at + 1;
    } else {
      this.text(source, start, end, limit);
      this.tab();
    }
  }

  /** A value whose bytes may need escapes. */
  text(source: Uint8Array, start: number, end: number, limit: number): void {
    const to = writeText(this.#bytes, this.#at, source, start, end, limit);
    if (to < 0) this.cut = true;
    this.#at = to < 0 ? ~to : to;
  }

  #mostBounds(): number {
    return 2 * Math.ceil((this.#capacity + MAX_PART_LINE) / MIN_ROW);
  }
}

/** A number that is written often and grows by one: kept as digits. */
export class Decimal {
  readonly #digits = Buffer.alloc(16, 0x30);
  #start: number;

  constructor(value: number) {
    const text = String(value);
    this.#start = this.#digits.length - text.length;
    this.#digits.write(text, this.#start, 'latin1');
  }

  increment(): void {
    const digits = this.#digits;
    let at = digits.length - 1;
    for (; digits[at] === 0x39; at--) digits[at] = 0x30;
    digits[at] = (digits[at] ?? 0) + 1;
    if (at < this.#start) this.#start = at;
  }

  /** Writes the digits at `at`; gives the position behind them. */
  copy(target: Uint8Array, at: number): number {
    const digits = this.#digits;
    let to = at;
    for (let from = this.#start; from < digits.length; from++) target[to++] = digits[from] ?? 0;
    return to;
  }
}
