/** Names the format of a log from its first lines, and shows how it reads them. */
import { parseAddress } from './address.ts';
import { compileFormat, FORMAT_NAMES, type LogFormat } from './format.ts';
import { HitReader } from './hit-reader.ts';
import { FIELD, type Line } from './line.ts';
import { createWindow } from './lines.ts';

export interface DetectedFormat {
  readonly format: LogFormat;
  /** How many of the sample's lines it reads, of how many. */
  readonly read: number;
  readonly lines: number;
  /** How many of the lines it reads have an address where it expects one, counted double; and those which have something else. */
  readonly certain: number;
  /** Some of the lines with what they say, for a person to check. */
  readonly examples: readonly FormatExample[];
  /** The first line that it does not read. */
  readonly failed: FailedLine | undefined;
}

export interface FailedLine {
  readonly line: string;
  /** See {@link HitReader.stoppedAt}. */
  readonly at: string | undefined;
}

export interface FormatExample {
  readonly line: string;
  /** By name, in the order of a record; only those the line has. */
  readonly fields: ReadonlyMap<string, string>;
}

const MAX_LINES = 500;
const MAX_SAMPLE = 1024 * 1024;
const EXAMPLES = 3;
/** A format that reads fewer of the lines than this is none. */
const LEAST_SHARE = 0.5;

/** The format that reads most lines of `sample`, the first bytes of a log; undefined when none reads half of them. */
export function detectFormat(sample: Uint8Array): DetectedFormat | undefined {
  const lines = sampleLines(sample);
  const tried = FORMAT_NAMES.map((name) => tryFormat(compileFormat(name), lines));
  const best = tried.reduce((found, each) => (each.certain > found.certain ? each : found));
  return isLikely(best) ? best : undefined;
}

/** False for a format that reads less than half of the lines. */
export function isLikely({ read, lines }: DetectedFormat): boolean {
  return read > 0 && read >= lines * LEAST_SHARE;
}

/** How one format reads the sample: for a format string that a person gave. */
export function tryFormat(format: LogFormat, lines: readonly Uint8Array[]): DetectedFormat {
  const window = createWindow();
  const hit = new HitReader(window, { format });
  const examples: FormatExample[] = [];
  let [read, counted, addresses] = [0, 0, 0];
  let failed: FailedLine | undefined;
  for (const line of lines) {
    window.bytes.set(line);
    const reading = hit.read(0, line.length);
    if (reading === 'directive') continue;
    counted++;
    if (reading !== 'hit') {
      failed ??= { line: Buffer.from(line).toString(), at: hit.stoppedAt };
      continue;
    }
    read++;
    if (parseAddress(window.text(FIELD.ip)) !== undefined) addresses++;
    const isWorthShowing = hit.line.has(FIELD.method) && examples.length < EXAMPLES;
    if (isWorthShowing) examples.push({ line: Buffer.from(line).toString(), fields: fieldsOf(window, hit) });
  }
  return { format, read, lines: counted, certain: read + addresses, examples, failed };
}

/** The whole lines of a sample; its last one may be cut. */
export function sampleLines(sample: Uint8Array): Uint8Array[] {
  const bytes = Buffer.from(sample.subarray(0, MAX_SAMPLE));
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length && lines.length < MAX_LINES;) {
    const found = bytes.indexOf(0x0a, start);
    // The last line may go on behind the sample, unless it is all there is.
    if (found < 0 && lines.length > 0) break;
    const end = found < 0 ? bytes.length : found;
    const isCrLf = end > start && bytes[end - 1] === 0x0d;
    if (end > start) lines.push(bytes.subarray(start, isCrLf ? end - 1 : end));
    start = end + 1;
  }
  return lines;
}

function fieldsOf(line: Line, hit: HitReader): ReadonlyMap<string, string> {
  const slice = (start: number, end: number): string => line.bytes.toString('utf8', start, end);
  const [time = '', zone = ''] = Buffer.from(hit.time.text).toString('latin1').split('\t');
  const all: [string, string][] = [
    ['time', `${time} (${zone})`],
    ['host', line.text(FIELD.host)],
    ['method', line.text(FIELD.method)],
    ['path', slice(hit.pathStart, hit.pathEnd)],
    ['query', slice(hit.queryStart, hit.queryEnd)],
    ['protocol', line.text(FIELD.protocol)],
    ['status', line.text(FIELD.status)],
    ['bytes', line.text(FIELD.bytes)],
    ['referrer', line.text(FIELD.referrer)],
    ['agent', line.text(FIELD.agent)],
    ['ip', line.text(FIELD.ip)],
    ['user', line.text(FIELD.user)],
    ['duration', line.text(FIELD.duration)],
  ];
  return new Map(all.filter(([, value]) => value !== '' && value !== '-'));
}
