/** One line of a log as its reader leaves it: where each field lies in the window that the scanner fills. */

/** What a line can say. A format knows some of these; `ignored` are the others. */
export const FIELD = {
  ignored: 0,
  time: 1,
  date: 2,
  host: 3,
  request: 4,
  method: 5,
  target: 6,
  path: 7,
  query: 8,
  protocol: 9,
  status: 10,
  bytes: 11,
  referrer: 12,
  agent: 13,
  ip: 14,
  user: 15,
  duration: 16,
} as const;

export type Field = (typeof FIELD)[keyof typeof FIELD];
export type FieldName = keyof typeof FIELD;

const FIELDS = 17;

/** The longest line that is read as one; nginx writes at most four header buffers of 8 KiB, each byte as `\xHH`. Beyond, it is X. */
export const MAX_LINE = 256 * 1024;

/**
 * The window of the scanner and the places of the fields in it.
 *
 * Lines lie in `[0, capacity)`. Behind them is scratch space for fields whose escapes had to be decoded, so that a
 * field is always one range of one buffer.
 */
export class Line {
  readonly bytes: Buffer;
  readonly view: DataView;
  /** Where a line may lie: `[0, capacity)`. */
  readonly capacity: number;
  /** `start[f] === end[f]` says that the line has nothing to say about `f`. */
  readonly start = new Int32Array(FIELDS);
  readonly end = new Int32Array(FIELDS);
  /** Where a `/` lies, for requests which mean it without saying it. */
  readonly slash: number;
  #scratch: number;

  constructor(capacity: number) {
    this.capacity = capacity;
    // Decoding makes no field longer, but JSON's bytes that are not UTF-8 become three each. Four bytes to read whole words at the end.
    this.bytes = Buffer.from(new ArrayBuffer(capacity + 2 * MAX_LINE + 8));
    this.view = new DataView(this.bytes.buffer);
    this.slash = this.bytes.length - 8;
    this.bytes[this.slash] = 0x2f;
    this.#scratch = capacity;
  }

  /** Forgets all fields, for a source with another format. */
  clear(): void {
    this.start.fill(0);
    this.end.fill(0);
  }

  set(field: Field, start: number, end: number): void {
    this.start[field] = start;
    this.end[field] = end;
  }

  has(field: Field): boolean {
    return this.start[field] !== this.end[field];
  }

  /** Frees the scratch space: before each line that needs some. */
  freeScratch(): void {
    this.#scratch = this.capacity;
  }

  /** Makes `[start, end)`, which a reader has written into the scratch space, a field. */
  keepScratch(field: Field, end: number): void {
    this.set(field, this.#scratch, end);
    this.#scratch = end;
  }

  /** Where the next decoded field goes. */
  get scratch(): number {
    return this.#scratch;
  }

  /** Puts text where a decoded field goes; what does not fit is left out. */
  setText(field: Field, text: string): void {
    const written = this.bytes.write(text, this.#scratch, Math.max(0, this.slash - this.#scratch), 'utf8');
    this.keepScratch(field, this.#scratch + written);
  }

  /** One byte per character; for slow paths. */
  latin1(start: number, end: number): string {
    return this.bytes.toString('latin1', start, end);
  }

  text(field: Field): string {
    return this.bytes.toString('utf8', this.start[field], this.end[field]);
  }
}

/** How one format reads a line. */
export interface LineReader {
  /**
   * Finds the fields of the line in `[start, end)`, which excludes the line end.
   *
   * `directive` is a line about the log itself (the `#Fields` of W3C logs); `unreadable` is class X.
   */
  read(line: Line, start: number, end: number): Reading;
  /** What a later run must be told to read on from here, or undefined; see {@link Source.directive}. */
  readonly directive: string | undefined;
  /** Of the last unreadable line, where it stopped to fit: a field in the server's words, `$status`, or in plain words. Undefined where that cannot be said. */
  readonly stoppedAt?: string | undefined;
}

export type Reading = 'hit' | 'directive' | 'unreadable';
