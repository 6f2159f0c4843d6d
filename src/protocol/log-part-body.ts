/** The records of a `tieup-part/1` file: scanned, hashed and folded where they lie. */
import { type PartHead, partRefused } from './log-part-header.ts';
import { DISCLOSED, openDisclosed, parseWithheld, recordStart, SALT_LENGTH, WITHHELD } from './log-part-line.ts';
import { type RecordClass, treeOf } from './log-record.ts';
import { FIELD_STRIDE, scanCount, scannedClass, scanRecord, viewOf } from './log-scan.ts';
import type { PartTree } from './log-part-tree.ts';
import { isAligned, sameHash, type Subtree } from './merkle.ts';

/** Disclosed records as byte ranges. It is used again for the next batch: what has to last is copied. */
export interface RecordBatch {
  readonly bytes: Buffer;
  readonly count: number;
  /** By record, its index in the tree. */
  readonly indexes: Float64Array;
  /**
   * By record, 21 offsets into `bytes`, as `scanRecord` writes them. The record's salt lies in the 16 bytes before its first field.
   */
  readonly offsets: Int32Array;
}

/** What the records of a file are, counted. */
export interface PartCounts {
  readonly classes: Readonly<Record<RecordClass, number>>;
  readonly disclosed: number;
  readonly withheld: number;
  /** Of the first and last record that is disclosed; undefined when none is. */
  readonly firstSeq: number | undefined;
  readonly lastSeq: number | undefined;
  /** Roots on the way, by size; see `PartRoots`. */
  readonly passed: ReadonlyMap<number, Uint8Array>;
}

const BATCH_LENGTH = 4096;
const CLASSES: readonly RecordClass[] = ['T', 'O', 'X', 'S', 'G'];
const BLANK = 0x20;
const LINE_FEED = 0x0a;

export class PartBody {
  readonly #head: PartHead;
  readonly #log: 'T' | 'O';
  /** By ASCII code, 1 for the classes of this log. */
  readonly #belongs = new Uint8Array(128);
  readonly #tree: PartTree;
  readonly #indexes = new Float64Array(BATCH_LENGTH);
  readonly #offsets = new Int32Array(BATCH_LENGTH * FIELD_STRIDE);
  /** By record, where its leaf's salt starts and where its record ends. */
  readonly #leaves = new Uint32Array(BATCH_LENGTH * 2);
  #batch: Buffer = Buffer.alloc(0);
  #view = viewOf(this.#batch);
  #count = 0;
  /** How many records of the batch are in the tree: they go there many at a time. */
  #hashed = 0;
  /** How many records the tree has. */
  #size: number;
  readonly #classes = new Float64Array(128);
  #disclosed = 0;
  #firstSeq: number | undefined;
  #lastSeq: number | undefined;
  /** The line before, when it withheld something. */
  #withheldBefore: Subtree | undefined;

  /** @throws TIEUP_E_VERIFY when the records of the log are not known to this version. */
  constructor(head: PartHead, tree: PartTree) {
    const { log } = head.checkpoint.origin;
    if (log === 'C') throw partRefused('its log "C" is not one of access records, T or O');
    this.#head = head;
    this.#log = log;
    for (const recordClass of CLASSES) if (treeOf(recordClass) === log) this.#belongs[recordClass.charCodeAt(0)] = 1;
    this.#tree = tree;
    this.#size = head.from;
  }

  /**
   * Takes lines from `bytes[start, end)`, which ends with a line feed, until there are no more or the batch is full; changes the bytes.
   * @returns where the next line starts. @throws TIEUP_E_VERIFY at the first line that cannot be in this part.
   */
  take(bytes: Buffer, start: number, end: number): number {
    if (this.#batch !== bytes) this.#view = viewOf(bytes);
    this.#batch = bytes;
    this.#count = 0;
    this.#hashed = 0;
    let at = start;
    while (at < end && this.#count < BATCH_LENGTH) {
      if (this.#next === this.#head.checkpoint.size) throw partRefused('it goes on after its last record');
      if (bytes[at] === DISCLOSED && bytes[at + 1] === BLANK) at = this.#takeDisclosed(bytes, at + 2, end);
      else if (bytes[at] === WITHHELD) at = this.#takeWithheld(bytes, at);
      else throw this.#wrong('its line is neither one of a record nor of withheld ones');
    }
    this.#hash();
    return at;
  }

  /** What the last {@link take} took. */
  get batch(): RecordBatch {
    return {
      bytes: this.#batch,
      count: this.#count,
      indexes: this.#indexes,
      offsets: this.#offsets,
    };
  }

  /** To be called at the end of the file. @throws TIEUP_E_VERIFY when records are missing or do not lead to the signed root. */
  async finish(): Promise<PartCounts> {
    const { size, root, origin } = this.#head.checkpoint;
    if (this.#size < size) {
      throw partRefused(`it ends after ${this.#size} of ${size} records: the rest is missing, the file was cut off`);
    }
    const { root: found, passed } = await this.#tree.finish();
    if (!sameHash(found, root)) {
      throw partRefused(
        `its records do not add up to the root that ${origin.partner} signed for ${size} of them: ` +
          'at least one record, salt or hash is not the one that was signed',
      );
    }
    return {
      classes: { T: this.#of('T'), O: this.#of('O'), X: this.#of('X'), S: this.#of('S'), G: this.#of('G') },
      disclosed: this.#disclosed,
      withheld: size - this.#head.from - this.#disclosed,
      firstSeq: this.#firstSeq,
      lastSeq: this.#lastSeq,
      passed,
    };
  }

  #of(recordClass: RecordClass): number {
    return this.#classes[recordClass.charCodeAt(0)] ?? 0;
  }

  /** The index of the next record. */
  get #next(): number {
    return this.#size + this.#count - this.#hashed;
  }

  /** Puts the records that were taken into the tree. */
  #hash(): void {
    const count = this.#count - this.#hashed;
    if (count === 0) return;
    this.#tree.appendLeaves(this.#batch, this.#leaves.subarray(2 * this.#hashed, 2 * this.#count), count);
    this.#size += count;
    this.#hashed = this.#count;
  }

  /** `at` is where the index starts. */
  #takeDisclosed(bytes: Buffer, at: number, end: number): number {
    const index = this.#next;
    let to = at;
    while (to < at + 17 && bytes[to] !== BLANK && bytes[to] !== LINE_FEED) to += 1;
    const stated = scanCount(bytes, at, to);
    if (stated < 0 || bytes[to] !== BLANK) throw this.#wrong('its line does not start with its number');
    if (stated !== index) throw this.#outOfOrder(stated);
    const recordAt = recordStart(to);
    const offsetsAt = this.#count * FIELD_STRIDE;
    if (recordAt >= end) throw this.#wrong('its line is too short');
    if (!openDisclosed(bytes, recordAt)) throw this.#wrong('its salt is not 16 bytes in strict base64');
    const fault = scanRecord(bytes, this.#view, recordAt, end, this.#offsets, offsetsAt);
    if (fault !== undefined) throw this.#wrong(fault);
    const next = this.#offsets[offsetsAt + FIELD_STRIDE - 1] ?? end;
    this.#checkPlace(bytes, offsetsAt);
    this.#leaves[2 * this.#count] = recordAt - SALT_LENGTH;
    this.#leaves[2 * this.#count + 1] = next - 1;
    this.#indexes[this.#count] = index;
    this.#count += 1;
    this.#disclosed += 1;
    this.#withheldBefore = undefined;
    return next;
  }

  /** The class must be one of this log, and the lines of the access log must rise. */
  #checkPlace(bytes: Buffer, at: number): void {
    const code = scannedClass(bytes, this.#offsets, at);
    if (this.#belongs[code] !== 1) {
      throw this.#wrong(`a record of class ${String.fromCharCode(code)} is not one of log ${this.#log}`);
    }
    const seq = scanCount(bytes, this.#offsets[at] ?? 0, (this.#offsets[at + 1] ?? 0) - 1);
    const before = this.#lastSeq ?? -1;
    // A switch or a gap has the number of the line before it.
    const rises = code === 0x53 || code === 0x47 ? seq >= before : seq > before;
    if (!rises) throw this.#wrong(`it is of line ${seq} of the access log, but follows line ${before}`);
    this.#classes[code] = (this.#classes[code] ?? 0) + 1;
    this.#firstSeq ??= seq;
    this.#lastSeq = seq;
  }

  #takeWithheld(bytes: Buffer, at: number): number {
    this.#hash();
    const end = bytes.indexOf(LINE_FEED, at);
    const line = bytes.toString('latin1', at, end);
    const subtree = parseWithheld(line);
    if (subtree === undefined) throw this.#wrong(`the line ${JSON.stringify(line.slice(0, 100))} withholds nothing`);
    const { start, level, digest } = subtree;
    if (start !== this.#size) throw this.#outOfOrder(start);
    const count = 2 ** level;
    if (!isAligned(start, level)) throw this.#wrong(`${count} records cannot be withheld as one from there on`);
    if (start + count > this.#head.checkpoint.size)
      throw this.#wrong(`it withholds ${count} records, more than there are`);
    const before = this.#withheldBefore;
    if (before !== undefined && before.level === level && isAligned(before.start, level + 1)) {
      throw this.#wrong('two neighbouring lines withhold what one line could: the same selection has one certificate');
    }
    this.#tree.appendSubtree(level, digest);
    this.#size += count;
    this.#withheldBefore = subtree;
    return end + 1;
  }

  #outOfOrder(found: number): Error {
    return found > this.#next
      ? this.#wrong(`record ${found} stands in its place: records are missing or in another order`)
      : this.#wrong(
          `record ${found} stands in its place, which was there before: records are doubled or in another order`,
        );
  }

  #wrong(why: string): Error {
    return partRefused(`at record ${this.#next}: ${why}`);
  }
}
