/**
 * From the bytes of access logs to records: every line becomes exactly one record of class T, O or X, in order, whatever
 * the chunks in which it arrives.
 *
 * Which files were live is decided by the place in the log, not by a clock: a switch that publishing noted at a length of
 * the log holds from the first line that starts there or behind it, and stands in tree T as a record of its own.
 */
import {
  gapRecord,
  type LiveSwitch,
  type LogRecord,
  ownPathRecord,
  renderRecord,
  switchRecord,
} from '../protocol/log-record.ts';
import { DIRECTIVE, HitRecords } from './hit-record.ts';
import { HitReader, type HitSource } from './hit-reader.ts';
import { createWindow, LineFeed, type LineTaker } from './lines.ts';
import { DEFAULT_PRIVACY, type Privacy } from './privacy.ts';
import { publishedFiles, type PublishedPaths } from './published-files.ts';
import { Decimal, type ScannedBatch, RecordWriter } from './record-writer.ts';
import { RULE_SET } from './rules.ts';
import { HostCheck, type OtherHost } from './site-hosts.ts';
import type { SaltOfDay } from './visitor.ts';

/** A state of the web tree: what a live switch says, and the tie-up files that were live from then on. */
export interface LiveFiles {
  readonly live: LiveSwitch;
  readonly files: PublishedPaths;
  /** See {@link ServingRules.own}; said in tree T after the switch. */
  readonly own?: readonly string[];
}

/** Where in a source other files became live. */
export interface SwitchPoint {
  /** The length of the log at that moment. */
  readonly at: number;
  /** Milliseconds since 1970, where nobody saw how long the log was: the first line behind `at` whose own time is not before. */
  readonly since?: number | undefined;
  readonly files: LiveFiles;
}

export interface ScanSource extends HitSource {
  /** Where in the source the first chunk begins: at the start of a line. */
  readonly position?: number;
  /** Where the web tree lies below the host, `/` by default. */
  readonly prefix?: string | undefined;
  /** What was live at `position`; undefined when no tie-up file was. */
  readonly liveAtStart?: LiveFiles | undefined;
  /** By place, ascending. */
  readonly switches?: readonly SwitchPoint[];
}

/** How many records of each class there are, from the start of the epoch. */
export interface LineCounts {
  readonly lines: number;
  readonly T: number;
  readonly O: number;
  readonly X: number;
  readonly S: number;
  readonly G: number;
}

export interface ScannerOptions {
  readonly privacy?: Privacy;
  readonly saltOfDay: SaltOfDay;
  /** What an earlier run ended with. */
  readonly counts?: LineCounts;
  /** The publication of the last switch record; null for none. */
  readonly publication?: number | null;
  /** The hosts on which a path can be that of a tie-up file; every host unless given. See {@link siteHosts}. */
  readonly hosts?: ReadonlySet<string> | undefined;
  /** About how many bytes a batch has. */
  readonly batchBytes?: number;
}

/** Where a source was left. */
export interface SourceEnd {
  /** Behind the last line that was read. */
  readonly position: number;
  /** Of the last line, line end included; 0 when none was read. */
  readonly lastLength: number;
  /** What a reader who goes on here must be told; see {@link HitSource.directive}. */
  readonly directive: string | undefined;
  /** How many of the source's switches were passed. */
  readonly passed: number;
}

export interface Scanner {
  /** Starts a source, after the one before has ended. */
  begin(source: ScanSource): void;
  /** Reads the next chunk; gives the batches that became full. */
  push(chunk: Uint8Array): ScannedBatch[];
  /** Ends the source. A last line without a line end is read only with `take`, for a file that will not grow. */
  end(lastLine: 'take' | 'leave'): SourceEnd;
  /** Notes a gap which the manager accepted. `time` may be empty. */
  gap(time: string, source: string, why: string): void;
  /** Gives what is not in a batch yet. */
  flush(): ScannedBatch[];
  readonly counts: LineCounts;
  readonly publication: number | null;
  /** Hosts that are not the site's, on which paths of tie-up files were asked for. */
  readonly otherHosts: readonly OtherHost[];
}

export const NO_LINES: LineCounts = { lines: 0, T: 0, O: 0, X: 0, S: 0, G: 0 };

const BATCH_BYTES = 2 * 1024 * 1024;

/** What was live before the first publication, for a source that begins there after another one that ended later. */
const BEFORE_THE_FIRST: LiveSwitch = { time: '1970-01-01T00:00:00Z', publication: 0, release: 0, releaseDigest: null };

/** The signal of a switch whose place is that of the first line with its time, because nobody saw how long the log was. */
const BY_TIME = `${RULE_SET}/by-time`;

export function createScanner(options: ScannerOptions): Scanner {
  return new RecordScanner(options);
}

class RecordScanner implements Scanner, LineTaker {
  readonly #line = createWindow();
  readonly #records: HitRecords;
  readonly #T: RecordWriter;
  readonly #O: RecordWriter;
  readonly #counts: { -readonly [K in keyof LineCounts]: number };
  readonly #seq: Decimal;
  readonly #hosts: HostCheck | undefined;
  #batches: ScannedBatch[] = [];
  #publication: number | null;
  #feed: LineFeed | undefined;
  #hit: HitReader | undefined;
  #source: ScanSource | undefined;
  #host: Uint8Array = new Uint8Array(0);
  #pages: readonly (Uint8Array | undefined)[] = [];
  #switches: SwitchPoint[] = [];
  #passed = 0;
  /** The place of the next switch, `Infinity` when there is none. */
  #nextSwitch = Infinity;

  constructor({
    privacy = DEFAULT_PRIVACY,
    saltOfDay,
    counts = NO_LINES,
    publication,
    hosts,
    batchBytes,
  }: ScannerOptions) {
    this.#hosts = hosts === undefined ? undefined : new HostCheck(hosts);
    this.#records = new HitRecords(privacy, saltOfDay);
    this.#counts = { ...counts };
    this.#publication = publication ?? null;
    this.#seq = new Decimal(counts.lines + 1);
    this.#T = new RecordWriter('T', counts.T + counts.S + counts.G, batchBytes ?? BATCH_BYTES);
    this.#O = new RecordWriter('O', counts.O + counts.X, batchBytes ?? BATCH_BYTES);
  }

  get counts(): LineCounts {
    return { ...this.#counts };
  }

  get publication(): number | null {
    return this.#publication;
  }

  get otherHosts(): readonly OtherHost[] {
    return this.#hosts?.others() ?? [];
  }

  begin(source: ScanSource): void {
    this.#source = source;
    this.#hit = new HitReader(this.#line, source, { hosts: this.#hosts });
    this.#feed = new LineFeed(this.#line, this, source.position);
    this.#host = Buffer.from(source.host ?? '');
    this.#use(source.liveAtStart);
    this.#switches = [...(source.switches ?? [])];
    this.#passed = 0;
    this.#nextSwitch = this.#switches[0]?.at ?? Infinity;
  }

  push(chunk: Uint8Array): ScannedBatch[] {
    this.#feed?.push(chunk);
    return this.#given();
  }

  end(lastLine: 'take' | 'leave'): SourceEnd {
    if (lastLine === 'take') this.#feed?.finish();
    const { position = 0, lastLength = 0 } = this.#feed ?? {};
    // The log ends at the switch: it has happened, even though no line came after it yet.
    this.#switchUpTo(position);
    const directive = this.#hit?.directive;
    this.#feed = undefined;
    this.#hit = undefined;
    return { position, lastLength, directive, passed: this.#passed };
  }

  gap(time: string, source: string, why: string): void {
    this.#writeText(renderRecord(gapRecord(this.#counts.lines, time, source, why)));
    this.#counts.G++;
  }

  flush(): ScannedBatch[] {
    for (const writer of [this.#T, this.#O]) this.#give(writer.take());
    return this.#given();
  }

  take(start: number, end: number, at: number): void {
    if (at >= this.#nextSwitch) this.#switchUpTo(at);
    const hit = this.#hit;
    let reading = hit === undefined ? 'unreadable' : hit.read(start, end);
    if (hit !== undefined && reading === 'hit' && at >= this.#nextSwitch) {
      // What waits for its time: the files of this very line may be others.
      if (this.#switchUpTo(at, timeOf(hit))) reading = hit.read(start, end);
    }
    if (hit === undefined || reading !== 'hit') {
      this.#takeUnreadable(start, end, reading === 'directive' ? DIRECTIVE : undefined);
      return;
    }
    const { file } = hit;
    const to = file >= 0 ? this.#T : this.#O;
    to.open();
    this.#records.writeHit(to, this.#seq, hit, this.#host, file >= 0 ? this.#pages[file] : undefined);
    this.#give(to.close());
    if (file >= 0) this.#counts.T++;
    else this.#counts.O++;
    this.#counted();
  }

  takeOverlong(start: number, end: number, at: number): void {
    if (at >= this.#nextSwitch) this.#switchUpTo(at);
    this.#takeUnreadable(start, end);
  }

  #takeUnreadable(start: number, end: number, signal?: string): void {
    this.#O.open();
    this.#records.writeUnreadable(this.#O, this.#seq, this.#line, start, end, signal);
    this.#give(this.#O.close());
    this.#counts.X++;
    this.#counted();
  }

  #counted(): void {
    this.#counts.lines++;
    this.#seq.increment();
  }

  /** Switches do not overtake each other: one that waits for its time has happened when a later one has. */
  #switchUpTo(position: number, time = -Infinity): boolean {
    const last = this.#switches.findLastIndex(({ at, since = -Infinity }) => at <= position && since <= time);
    for (const { files, since } of this.#switches.splice(0, last + 1)) {
      this.#use(files, since === undefined ? [] : [BY_TIME]);
    }
    this.#passed += last + 1;
    this.#nextSwitch = this.#switches[0]?.at ?? Infinity;
    return last !== -1;
  }

  /** From the next line on these files are live; a change is a record. */
  #use(state: LiveFiles | undefined, signals: readonly string[] = []): void {
    const own = state?.own ?? [];
    const rules = { own, prefix: this.#source?.prefix ?? '/', ignoreCase: this.#source?.format.ignoreCase ?? false };
    const files = state === undefined ? undefined : publishedFiles(state.files, rules);
    this.#pages = (files?.paths ?? []).map((path, index) =>
      files?.isPage[index] === 1 ? Buffer.from(path) : undefined,
    );
    this.#hit?.useFiles(files);
    const live = state?.live ?? BEFORE_THE_FIRST;
    if (live.publication === (this.#publication ?? BEFORE_THE_FIRST.publication)) return;
    this.#publication = live.publication;
    this.#writeSwitch({ ...switchRecord(this.#counts.lines, live), signals });
    for (const path of own) this.#writeSwitch(ownPathRecord(this.#counts.lines, live.time, path));
  }

  #writeSwitch(record: LogRecord): void {
    this.#writeText(renderRecord(record));
    this.#counts.S++;
  }

  /** Writes a record that is no line. */
  #writeText(record: string): void {
    this.#T.open();
    const bytes = Buffer.from(record);
    this.#T.raw(bytes, 0, bytes.length);
    this.#give(this.#T.close());
  }

  #give(batch: ScannedBatch | undefined): void {
    if (batch !== undefined) this.#batches.push(batch);
  }

  #given(): ScannedBatch[] {
    const batches = this.#batches;
    this.#batches = [];
    return batches;
  }
}

/** The time of the line that was read last. */
function timeOf({ time }: HitReader): number {
  const text = Buffer.from(time.text).toString('latin1');
  return Date.parse(text.slice(0, text.indexOf('\t')));
}
