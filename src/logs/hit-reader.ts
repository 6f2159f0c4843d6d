/** Reads a line as a hit: what was asked for, of which tie-up file, by which program, and whether it looks like an attack. */
import { authorityEnd, hostStart } from './authority.ts';
import { botOf, isScanner } from './bots.ts';
import { ByteCache } from './byte-cache.ts';
import type { LogFormat } from './format.ts';
import { FIELD, type Line, type LineReader, type Reading } from './line.ts';
import { LogTime } from './log-time.ts';
import type { PublishedFiles } from './published-files.ts';
import { absoluteForm, endOfPath, forgetRequest, noiseEnd, oddTargetEnd, splitRequest } from './request.ts';
import { isLogin, SIGNAL, signalsAt, type Where } from './rules.ts';
import type { HostCheck } from './site-hosts.ts';

const DASH = 0x2d;
const DOT = 0x2e;
const SLASH = 0x2f;
const QUESTION = 0x3f;
const AT = 0x40;
const TARGETS = 16_384;
const LONGEST_TARGET = 128;
const AGENTS = 16_384;
const LONGEST_AGENT = 320;
/** No hit is on a file whose path takes more bytes than this as a visitor may spell it. */
const LONGEST_PATH = 8192;

/** Where a log comes from. */
export interface HitSource {
  readonly format: LogFormat;
  /** See {@link LogFormat.createReader}. */
  readonly directive?: string | undefined;
  /** `+0100`, for logs that do not say it. */
  readonly zone?: string | undefined;
  /** The host of requests whose log does not name one; none when that is the site's. */
  readonly host?: string | undefined;
}

/**
 * The hit of one line after the other; what it says holds until the next line.
 *
 * Targets and user agents repeat, so what follows from them is remembered by their bytes.
 */
export class HitReader {
  readonly line: Line;
  readonly time: LogTime;
  /** Index of the published file that the hit is on, -1 for none. */
  file = -1;
  bot = -1;
  /** Bits for {@link signalText}. */
  signals = 0;
  pathStart = 0;
  pathEnd = 0;
  queryStart = 0;
  queryEnd = 0;
  /** The host of a target in absolute form. */
  hostStart = 0;
  hostEnd = 0;
  /** True when what stands where that host should be is none: it is nobody's site, and may be a password. */
  isHostInvalid = false;
  /** Microseconds in one unit of the line's duration. */
  readonly durationUnit: number;
  readonly #reader: LineReader;
  #files: PublishedFiles | undefined;
  #hadRequest = false;
  #isTakenApart = false;
  readonly #withSignals: boolean;
  readonly #hosts: HostCheck | undefined;
  readonly #host: string | undefined;

  readonly #targets = new ByteCache(TARGETS, LONGEST_TARGET);
  readonly #targetFile = new Int32Array(TARGETS);
  readonly #targetSignals = new Int32Array(TARGETS);
  readonly #targetPath = new Int32Array(TARGETS);
  readonly #targetPathEnd = new Int32Array(TARGETS);
  readonly #agents = new ByteCache(AGENTS, LONGEST_AGENT);
  readonly #agentBot = new Int32Array(AGENTS);
  readonly #agentSignals = new Int32Array(AGENTS);

  /**
   * Without signals for who only counts: they are the dearest part of a hit. Without hosts every host is the site's.
   */
  constructor(
    line: Line,
    { format, directive, zone, host }: HitSource,
    { withSignals = true, hosts }: { readonly withSignals?: boolean; readonly hosts?: HostCheck | undefined } = {},
  ) {
    this.#withSignals = withSignals;
    this.#hosts = hosts;
    this.#host = host;
    this.line = line;
    this.#reader = format.createReader(directive);
    this.time = new LogTime(format.time, zone);
    this.durationUnit = format.durationUnit;
    line.clear();
  }

  get directive(): string | undefined {
    return this.#reader.directive;
  }

  /** From here on hits are on these files. */
  useFiles(files: PublishedFiles | undefined): void {
    this.#files = files;
    this.#targets.clear();
  }

  /** Of the line that was read last and is unreadable: at which field, in words of the server or of a record, if that can be said. */
  get stoppedAt(): string | undefined {
    const { line } = this;
    if (!this.#isTakenApart) return this.#reader.stoppedAt;
    if (!this.time.read(line)) return 'time';
    return !isStatus(line) ? 'status' : !isCount(line) ? 'bytes' : 'duration';
  }

  read(start: number, end: number): Reading {
    const { line } = this;
    if (this.#hadRequest) forgetRequest(line);
    const reading = this.#reader.read(line, start, end);
    this.#isTakenApart = reading === 'hit';
    if (reading !== 'hit') return reading;
    if (!this.time.read(line) || !isStatus(line) || !isCount(line) || !isDuration(line)) return 'unreadable';
    const hasRequest = line.has(FIELD.request);
    if (hasRequest) splitRequest(line);
    this.#hadRequest = hasRequest;
    const isNoise = hasRequest && !line.has(FIELD.method);
    if (line.has(FIELD.target)) this.#findTarget(isNoise);
    else this.#findPath();
    if (this.file >= 0 && this.#hosts !== undefined && !this.#isOwnHost(this.#hosts)) this.file = -1;
    if (this.isHostInvalid) this.file = -1;
    this.#findAgent();
    const referrer = line.start[FIELD.referrer] ?? 0;
    const referrerEnd = line.end[FIELD.referrer] ?? 0;
    if (referrerEnd - referrer > 2) this.signals |= this.#signalsAt(referrer, referrerEnd, 'all');
    if (this.#withSignals && isRefusedPost(line) && isLogin(line.latin1(this.pathStart, this.pathEnd)))
      this.signals |= SIGNAL.login;
    return 'hit';
  }

  /** By the host that the record will name. */
  #isOwnHost(hosts: HostCheck): boolean {
    const { line } = this;
    const start = line.start[FIELD.host] ?? 0;
    const end = line.end[FIELD.host] ?? 0;
    if (end > start && !(end - start === 1 && line.bytes[start] === DASH)) return hosts.isOwn(line, start, end);
    if (this.hostEnd > this.hostStart) return hosts.isOwn(line, this.hostStart, this.hostEnd);
    return this.#host === undefined || hosts.isOwnName(this.#host);
  }

  #findTarget(isNoise: boolean): void {
    const { line } = this;
    const start = line.start[FIELD.target] ?? 0;
    const end = line.end[FIELD.target] ?? 0;
    this.hostStart = this.hostEnd = 0;
    this.isHostInvalid = false;
    if (isNoise) {
      const shown = noiseEnd(line.bytes, start, end);
      this.#setPath(start, shown, shown);
      this.file = -1;
      this.signals = end - start === 1 && line.bytes[start] === DASH ? 0 : SIGNAL.noise;
      return;
    }
    const found = this.#targets.find(line.view, start, end);
    const slot = found < 0 ? -1 - found : found;
    if (found < 0) this.#judgeTarget(slot, start, end);
    const pathEnd = start + (this.#targetPathEnd[slot] ?? 0);
    this.#setPath(start + (this.#targetPath[slot] ?? 0), pathEnd, end);
    this.file = this.#targetFile[slot] ?? -1;
    this.signals = this.#targetSignals[slot] ?? 0;
    if (this.pathStart > start) this.#useAuthority(start, end);
  }

  /** What follows from a target alone. */
  #judgeTarget(slot: number, start: number, end: number): void {
    const { line } = this;
    const isPath = line.bytes[start] === SLASH;
    const path = isPath ? start : this.#pathBehindHost(start, end);
    const isOdd = !isPath && path < end && line.bytes[path] !== SLASH && line.bytes[path] !== QUESTION;
    const to = isOdd ? oddTargetEnd(line.bytes, path, end) : endOfPath(line.bytes, path, end);
    this.#targetPath[slot] = path - start;
    this.#targetPathEnd[slot] = to - start;
    const isRoot = to === path && path > start;
    this.#targetFile[slot] = isRoot ? (this.#files?.find('/') ?? -1) : this.#fileAt(path, to);
    this.#targetSignals[slot] = this.#signalsAt(path, end, 'target');
  }

  /** Of a target in absolute form its path; of an authority (`CONNECT user@host:443`) the host. */
  #pathBehindHost(start: number, end: number): number {
    const absolute = absoluteForm(this.line, start, end);
    if (absolute !== undefined) return absolute.path;
    const authority = this.line.bytes.subarray(start, authorityEnd(this.line.bytes, start, end));
    return start + authority.lastIndexOf(AT) + 1;
  }

  /** Formats which log path and query apart. */
  #findPath(): void {
    const { line } = this;
    const start = line.start[FIELD.path] ?? 0;
    const end = line.end[FIELD.path] ?? 0;
    this.hostStart = this.hostEnd = 0;
    this.isHostInvalid = false;
    this.pathStart = start;
    this.pathEnd = end;
    this.queryStart = line.start[FIELD.query] ?? 0;
    this.queryEnd = line.end[FIELD.query] ?? 0;
    const isNone = this.queryEnd - this.queryStart === 1 && line.bytes[this.queryStart] === DASH;
    if (isNone) this.queryEnd = this.queryStart;
    else if (line.bytes[this.queryStart] === QUESTION && this.queryEnd > this.queryStart) this.queryStart++;
    const found = this.#targets.find(line.view, start, end);
    const slot = found < 0 ? -1 - found : found;
    if (found < 0) {
      this.#targetFile[slot] = this.#fileAt(start, end);
      this.#targetSignals[slot] = this.#signalsAt(start, end, 'target');
    }
    this.file = this.#targetFile[slot] ?? -1;
    this.signals = this.#targetSignals[slot] ?? 0;
    if (this.queryEnd > this.queryStart) this.signals |= this.#signalsAt(this.queryStart, this.queryEnd, 'target');
  }

  #signalsAt(start: number, end: number, where: Where): number {
    return this.#withSignals ? signalsAt(this.line, start, end, where) : 0;
  }

  #fileAt(start: number, end: number): number {
    if (this.#files === undefined || end - start > LONGEST_PATH) return -1;
    if (!this.#files.mayBe(this.line.bytes, start, end)) return -1;
    return this.#files.find(this.line.latin1(start, end));
  }

  #findAgent(): void {
    const { line } = this;
    const start = line.start[FIELD.agent] ?? 0;
    const end = line.end[FIELD.agent] ?? 0;
    const found = this.#agents.find(line.view, start, end);
    const slot = found < 0 ? -1 - found : found;
    if (found < 0) {
      const text = line.latin1(start, Math.min(end, start + 2048));
      const bot = botOf(text);
      this.#agentBot[slot] = bot;
      this.#agentSignals[slot] = this.#signalsAt(start, end, 'all') | (isScanner(bot) ? SIGNAL.scannerAgent : 0);
    }
    this.bot = this.#agentBot[slot] ?? -1;
    this.signals |= this.#agentSignals[slot] ?? 0;
  }

  #setPath(start: number, end: number, targetEnd: number): void {
    this.pathStart = start;
    this.pathEnd = end;
    const hasQuery = end < targetEnd && this.line.bytes[end] === QUESTION;
    this.queryStart = hasQuery ? end + 1 : end;
    this.queryEnd = hasQuery ? targetEnd : end;
  }

  #useAuthority(start: number, end: number): void {
    const { line } = this;
    const absolute = absoluteForm(line, start, end);
    if (absolute === undefined) return;
    // `user:password@host`: what stands before the last `@` is no host, and nobody's business.
    const host = hostStart(line.bytes, absolute.host, absolute.path);
    this.isHostInvalid = host < 0;
    this.hostStart = host < 0 ? 0 : host;
    this.hostEnd = host < 0 ? 0 : absolute.path;
    if (this.pathEnd === this.pathStart) {
      // `GET http://host HTTP/1.1` asks for `/`.
      this.pathStart = line.slash;
      this.pathEnd = line.slash + 1;
    }
  }
}

/** Three digits, a dash, or a format without one. */
function isStatus({ bytes, start, end }: Line): boolean {
  const from = start[FIELD.status] ?? 0;
  const to = end[FIELD.status] ?? 0;
  if (to - from !== 3) return to === from || (to - from === 1 && bytes[from] === DASH);
  return isDigit(bytes[from]) && isDigit(bytes[from + 1]) && isDigit(bytes[from + 2]);
}

/** Digits, a dash, or a format without one. */
function isCount({ bytes, start, end }: Line): boolean {
  const from = start[FIELD.bytes] ?? 0;
  const to = end[FIELD.bytes] ?? 0;
  if (to - from > 15) return false;
  if (to - from === 1 && bytes[from] === DASH) return true;
  if (to - from > 1 && bytes[from] === 0x30) return false;
  for (let at = from; at < to; at++) if (!isDigit(bytes[at])) return false;
  return true;
}

/** A number, a dash, or a format without one: anything else is another field that stands where the duration should. */
function isDuration({ bytes, start, end }: Line): boolean {
  const to = end[FIELD.duration] ?? 0;
  for (let at = start[FIELD.duration] ?? 0; at < to; at++) {
    const byte = bytes[at];
    if (!isDigit(byte) && byte !== DOT && byte !== DASH) return false;
  }
  return true;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/** A sign-in that failed: POST, answered 401, 403 or 429. */
function isRefusedPost(line: Line): boolean {
  if (line.bytes[line.start[FIELD.method] ?? 0] !== 0x50) return false;
  const status = line.latin1(line.start[FIELD.status] ?? 0, line.end[FIELD.status] ?? 0);
  const method = line.latin1(line.start[FIELD.method] ?? 0, line.end[FIELD.method] ?? 0);
  return method === 'POST' && (status === '401' || status === '403' || status === '429');
}
