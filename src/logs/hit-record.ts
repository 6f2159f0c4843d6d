/** Writes a hit as a record: the one place where the policy decides what of it leaves. */
import { FIELD as RECORD, MAX_RAW_LINE } from '../protocol/log-scan.ts';
import { botText } from './bots.ts';
import type { HitReader } from './hit-reader.ts';
import { type Field, FIELD, type Line } from './line.ts';
import { endsAuthority, HOST_BYTE } from './authority.ts';
import { directiveText, keptQuery, type Privacy, redactLine, referrerOrigin } from './privacy.ts';
import { type Decimal, type RecordWriter } from './record-writer.ts';
import { RULE_SET, signalText } from './rules.ts';
import { ADDRESS_ROOM, type SaltOfDay, VISITOR_LENGTH, Visitors } from './visitor.ts';

const DASH = 0x2d;
const COLON = 0x3a;
const SLASH = 0x2f;
/** `http` as one word, and what makes letters lower case. */
const HTTP = 0x70747468;
const LOWER = 0x20202020;

/** RFC 6761, section 6.4: never a name of a host. */
const NO_HOST = 'invalid';

/** The signal of a line about the log itself, such as `#Fields`: no hit, and no fault of the log either. */
export const DIRECTIVE = `${RULE_SET}/directive`;

/** A line is judged for redaction a little beyond what is kept of it, so that what is cut off a time does not hide what it is. */
const MAX_REDACTED = MAX_RAW_LINE + 128;

export class HitRecords {
  readonly #privacy: Privacy;
  readonly #query: ReadonlySet<string>;
  readonly #visitors: Visitors;
  readonly #signals = new Map<number, Uint8Array>();
  readonly #bots = new Map<number, Uint8Array>();

  constructor(privacy: Privacy, saltOfDay: SaltOfDay) {
    this.#privacy = privacy;
    this.#query = new Set(privacy.query);
    this.#visitors = new Visitors(privacy.address, privacy.visitor === 'daily' ? saltOfDay : undefined);
  }

  /** Writes class T or O. `page` is the published path for a hit on a page, undefined for everything else. */
  writeHit(to: RecordWriter, seq: Decimal, hit: HitReader, host: Uint8Array, page: Uint8Array | undefined): void {
    const { line } = hit;
    to.decimal(seq);
    to.tab();
    to.raw(hit.time.text, 0, hit.time.text.length);
    to.tab();
    this.#host(to, hit, host);
    to.byte(to.tree === 'T' ? 0x54 : 0x4f);
    to.tab();
    if (page === undefined) to.nothing();
    else {
      to.text(page, 0, page.length, RECORD.page.limit);
      to.tab();
    }
    field(to, line, FIELD.method, RECORD.method.limit);
    to.value(line.bytes, line.view, hit.pathStart, hit.pathEnd, RECORD.path.limit);
    this.#keepQuery(to, hit);
    field(to, line, FIELD.protocol, RECORD.protocol.limit);
    field(to, line, FIELD.status, RECORD.status.limit);
    bytesSent(to, line);
    this.#referrer(to, line);
    field(to, line, FIELD.agent, RECORD.agent.limit);
    this.#visitor(to, hit);
    if (this.#privacy.user === 'drop') to.nothing();
    else field(to, line, FIELD.user, RECORD.user.limit);
    if (line.has(FIELD.duration)) to.plain(durationOf(hit));
    else to.byte(DASH);
    this.#verdicts(to, hit);
  }

  /** Writes class X. */
  writeUnreadable(to: RecordWriter, seq: Decimal, line: Line, start: number, end: number, signal = ''): void {
    to.decimal(seq);
    to.plain('\t-\t-\t-\tX\t-\t-\t');
    const raw = line.latin1(start, Math.min(end, start + MAX_REDACTED));
    const text = signal === DIRECTIVE ? directiveText(raw) : redactLine(raw);
    const bytes = Buffer.from(text, 'latin1');
    to.text(bytes, 0, bytes.length, MAX_RAW_LINE);
    if (end - start > MAX_REDACTED) to.cut = true;
    const signals = [signal, to.cut ? 'cut' : ''].filter((each) => each !== '').join(',');
    to.plain(`${'\t-'.repeat(11)}\t${signals === '' ? '-' : signals}`);
  }

  #host(to: RecordWriter, hit: HitReader, host: Uint8Array): void {
    const { line } = hit;
    const { limit } = RECORD.host;
    const start = line.start[FIELD.host] ?? 0;
    const end = line.end[FIELD.host] ?? 0;
    if (end > start && !(end - start === 1 && line.bytes[start] === DASH))
      to.value(line.bytes, line.view, start, end, limit);
    else if (hit.isHostInvalid) to.plain(`${NO_HOST}\t`);
    else if (hit.hostEnd > hit.hostStart) to.value(line.bytes, line.view, hit.hostStart, hit.hostEnd, limit);
    else if (host.length > 0) {
      to.raw(host, 0, host.length);
      to.tab();
    } else to.nothing();
  }

  #keepQuery(to: RecordWriter, { line, queryStart, queryEnd }: HitReader): void {
    if (this.#query.size === 0 || queryStart === queryEnd) {
      to.nothing();
      return;
    }
    const kept = Buffer.from(keptQuery(line.latin1(queryStart, queryEnd), this.#query), 'latin1');
    to.text(kept, 0, kept.length, RECORD.query.limit);
    to.tab();
  }

  #referrer(to: RecordWriter, line: Line): void {
    const start = line.start[FIELD.referrer] ?? 0;
    const end = line.end[FIELD.referrer] ?? 0;
    const { limit } = RECORD.referrer;
    if (this.#privacy.referrer === 'full') to.value(line.bytes, line.view, start, end, limit);
    else if (this.#privacy.referrer === 'drop' || end - start < 4) to.nothing();
    else {
      const cut = originEnd(line, start, end);
      if (cut > 0) to.value(line.bytes, line.view, start, cut, limit);
      else {
        const origin = Buffer.from(referrerOrigin(line, start, end) ?? '', 'latin1');
        to.text(origin, 0, origin.length, limit);
        to.tab();
      }
    }
  }

  #visitor(to: RecordWriter, hit: HitReader): void {
    const { line } = hit;
    const start = line.start[FIELD.ip] ?? 0;
    const end = line.end[FIELD.ip] ?? 0;
    if (end === start || (end - start === 1 && line.bytes[start] === DASH)) {
      to.nothing();
      to.nothing();
      return;
    }
    if (this.#privacy.address === 'full' && this.#privacy.visitor === 'none') {
      to.value(line.bytes, line.view, start, end, RECORD.ip.limit);
      to.nothing();
      return;
    }
    const visitors = this.#visitors;
    const slot = visitors.slot(line);
    if (this.#privacy.address === 'full') to.value(line.bytes, line.view, start, end, RECORD.ip.limit);
    else {
      const length = visitors.addressLengths[slot] ?? 0;
      const from = slot * ADDRESS_ROOM;
      if (length === 0) to.nothing();
      else {
        to.raw(visitors.addresses, from, from + length);
        to.tab();
      }
    }
    const visitor = visitors.find(line, slot, hit.time.day);
    if (visitor < 0) to.byte(DASH);
    else to.raw(visitors.visitors, visitor, visitor + VISITOR_LENGTH);
    to.tab();
  }

  #verdicts(to: RecordWriter, { bot, signals }: HitReader): void {
    to.tab();
    if (bot < 0) to.nothing();
    else {
      const text = remembered(this.#bots, bot, botText);
      to.raw(text, 0, text.length);
      to.tab();
    }
    if (signals !== 0) {
      const text = remembered(this.#signals, signals, signalText);
      to.raw(text, 0, text.length);
    }
    if (to.cut) to.plain(signals === 0 ? 'cut' : ',cut');
    else if (signals === 0) to.byte(DASH);
  }
}

function field(to: RecordWriter, line: Line, name: Field, limit: number): void {
  to.value(line.bytes, line.view, line.start[name] ?? 0, line.end[name] ?? 0, limit);
}

/** Apache's `%b` writes a dash for no bytes; a format without the field says nothing. */
function bytesSent(to: RecordWriter, line: Line): void {
  const start = line.start[FIELD.bytes] ?? 0;
  if (line.end[FIELD.bytes] === start + 1 && line.bytes[start] === DASH) {
    to.byte(0x30);
    to.tab();
  } else field(to, line, FIELD.bytes, RECORD.bytes.limit);
}

/** Where a referrer's origin ends, behind `http://host` or `https://host`; -1 when the quick look does not do. */
function originEnd({ bytes, view }: Line, start: number, end: number): number {
  if (end - start < 8 || (view.getInt32(start, true) | LOWER) !== HTTP) return -1;
  let at = start + 4;
  if (((bytes[at] ?? 0) | 0x20) === 0x73) at++;
  if (bytes[at] !== COLON || bytes[at + 1] !== SLASH || bytes[at + 2] !== SLASH) return -1;
  const host = at + 3;
  at = host;
  while (at < end && HOST_BYTE[bytes[at] ?? 0] === 1) at++;
  return at > host && at - host <= 255 && (at === end || endsAuthority(bytes[at] ?? 0)) ? at : -1;
}

function durationOf({ line, durationUnit }: HitReader): string {
  const start = line.start[FIELD.duration] ?? 0;
  const end = line.end[FIELD.duration] ?? 0;
  if (end === start || end - start > 20) return '-';
  const text = line.latin1(start, end);
  if (!/^\d+(?:\.\d+)?$/.test(text)) return '-';
  const microseconds = Math.round(Number(text) * durationUnit);
  return Number.isSafeInteger(microseconds) ? String(microseconds) : '-';
}

function remembered(known: Map<number, Uint8Array>, key: number, make: (key: number) => string): Uint8Array {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = Buffer.from(make(key));
  known.set(key, made);
  return made;
}
