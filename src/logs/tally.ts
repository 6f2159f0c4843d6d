/** Counts hits without keeping any: for a look at a log that costs little more than reading it. */
import { HitReader, type HitSource } from './hit-reader.ts';
import { FIELD } from './line.ts';
import { createWindow, LineFeed, type LineTaker } from './lines.ts';
import { publishedFiles, type PublishedPaths } from './published-files.ts';

export interface Tally {
  readonly lines: number;
  readonly T: number;
  readonly O: number;
  readonly X: number;
  /** Sum of the bytes sent. */
  readonly bytes: number;
  /** Hits by the hundreds of the status: `byStatus[2]` counts 200 to 299; 0 is everything else. */
  readonly byStatus: readonly number[];
  /** Hits of programs that say so. */
  readonly bots: number;
  /** Hits on which a security rule matched. */
  readonly suspicious: number;
  /** Hits on each published file that had some. */
  readonly byFile: ReadonlyMap<string, number>;
}

export interface TallyCounter {
  push(chunk: Uint8Array): void;
  /** Ends the log and gives the counts. */
  finish(): Tally;
}

export function createTally(source: HitSource, published: PublishedPaths): TallyCounter {
  return new Counter(source, published);
}

class Counter implements TallyCounter, LineTaker {
  readonly #line = createWindow();
  readonly #feed: LineFeed;
  readonly #hit: HitReader;
  readonly #paths: readonly string[];
  readonly #byFile: Float64Array;
  readonly #byStatus = new Float64Array(10);
  #lines = 0;
  #unreadable = 0;
  #bytes = 0;
  #bots = 0;
  #suspicious = 0;

  constructor(source: HitSource, published: PublishedPaths) {
    const files = publishedFiles(published, { ignoreCase: source.format.ignoreCase });
    this.#hit = new HitReader(this.#line, source);
    this.#hit.useFiles(files);
    this.#feed = new LineFeed(this.#line, this);
    this.#paths = files.paths;
    this.#byFile = new Float64Array(files.paths.length + 1);
  }

  push(chunk: Uint8Array): void {
    this.#feed.push(chunk);
  }

  finish(): Tally {
    this.#feed.finish();
    const others = this.#paths.length;
    return {
      lines: this.#lines,
      T: this.#byFile.subarray(0, others).reduce((sum, count) => sum + count, 0),
      O: this.#byFile[others] ?? 0,
      X: this.#unreadable,
      bytes: this.#bytes,
      byStatus: [...this.#byStatus],
      bots: this.#bots,
      suspicious: this.#suspicious,
      byFile: new Map(
        this.#paths.flatMap((path, index) => {
          const count = this.#byFile[index] ?? 0;
          return count === 0 ? [] : [[path, count]];
        }),
      ),
    };
  }

  take(start: number, end: number): void {
    this.#lines++;
    const hit = this.#hit;
    if (hit.read(start, end) !== 'hit') {
      this.#unreadable++;
      return;
    }
    const { line } = hit;
    const file = hit.file < 0 ? this.#paths.length : hit.file;
    this.#byFile[file] = (this.#byFile[file] ?? 0) + 1;
    const statusAt = line.start[FIELD.status] ?? 0;
    const hundreds = line.end[FIELD.status] === statusAt + 3 ? (line.bytes[statusAt] ?? 0x30) - 0x30 : 0;
    this.#byStatus[hundreds] = (this.#byStatus[hundreds] ?? 0) + 1;
    if (hit.bot >= 0) this.#bots++;
    if (hit.signals !== 0) this.#suspicious++;
    let bytes = 0;
    const to = line.end[FIELD.bytes] ?? 0;
    for (let at = line.start[FIELD.bytes] ?? 0; at < to; at++) bytes = bytes * 10 + (line.bytes[at] ?? 0x30) - 0x30;
    if (bytes > 0) this.#bytes += bytes;
  }

  takeOverlong(): void {
    this.#lines++;
    this.#unreadable++;
  }
}
