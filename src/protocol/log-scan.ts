/**
 * Records as byte ranges, for loops over millions of them: finds the fields of a line and checks that it is the one spelling of a
 * record, in one pass and without a string.
 */
import { BYTE_KINDS, notPlain, PLAIN, textFault } from './log-text.ts';

/** No record is longer, in bytes. */
export const MAX_RECORD = 16 * 1024;
/** An X record keeps this much of its line. */
export const MAX_RAW_LINE = 1024;

export type FieldName =
  | 'seq'
  | 'time'
  | 'zone'
  | 'host'
  | 'class'
  | 'page'
  | 'method'
  | 'path'
  | 'query'
  | 'protocol'
  | 'status'
  | 'bytes'
  | 'referrer'
  | 'agent'
  | 'ip'
  | 'visitor'
  | 'user'
  | 'duration'
  | 'bot'
  | 'signals';

interface Field {
  readonly index: number;
  /** How many bytes its spelling has at most. */
  readonly limit: number;
}

export const FIELD: Readonly<Record<FieldName, Field>> = {
  seq: { index: 0, limit: 16 },
  time: { index: 1, limit: 24 },
  zone: { index: 2, limit: 5 },
  host: { index: 3, limit: 255 },
  class: { index: 4, limit: 1 },
  page: { index: 5, limit: 1024 },
  method: { index: 6, limit: 32 },
  path: { index: 7, limit: 2048 },
  query: { index: 8, limit: 1024 },
  protocol: { index: 9, limit: 32 },
  status: { index: 10, limit: 3 },
  bytes: { index: 11, limit: 16 },
  referrer: { index: 12, limit: 512 },
  agent: { index: 13, limit: 512 },
  ip: { index: 14, limit: 64 },
  visitor: { index: 15, limit: 64 },
  user: { index: 16, limit: 128 },
  duration: { index: 17, limit: 16 },
  bot: { index: 18, limit: 64 },
  signals: { index: 19, limit: 512 },
};

const FIELD_COUNT = 20;
/** Offsets that a scan writes for a record: where each field starts, and where one more field would. */
export const FIELD_STRIDE = FIELD_COUNT + 1;

const TAB = 0x09;
const LINE_FEED = 0x0a;
const COMMA = 0x2c;
const DASH = 0x2d;
const DOT = 0x2e;
const SLASH = 0x2f;
const COLON = 0x3a;
const ZERO = 0x30;
const [CLASS_T, CLASS_O, CLASS_X, CLASS_S, CLASS_G] = [0x54, 0x4f, 0x58, 0x53, 0x47];

const NAMES = Object.keys(FIELD);
const LIMITS = Int32Array.from(Object.values<Field>(FIELD), ({ limit }) => limit);

/**
 * Scans the record that starts at `start` and ends before the next line feed, or at `end`. `view` is of the same bytes. Writes {@link FIELD_STRIDE} offsets to
 * `offsets` from `at` on: field f is `bytes[offsets[at + f], offsets[at + f + 1] - 1)`, and the next line starts at the last of them.
 * @returns why it is no record, in plain words; undefined when it is one.
 */
export function scanRecord(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  offsets: Int32Array,
  at: number,
): string | undefined {
  offsets[at] = start;
  let field = 1;
  let isPlain = true;
  let to = start;
  for (; to < end; to += 1) {
    if (to + 4 <= end) {
      const found = notPlain(view.getInt32(to, true));
      // Of a word of plain bytes three are passed here, the fourth by the loop.
      to += found === 0 ? 3 : (31 - Math.clz32(found & -found)) >> 3;
      if (found === 0) continue;
    }
    const byte = bytes[to] ?? 0;
    if (byte === TAB) {
      if (field === FIELD_COUNT) return `it has more than ${FIELD_COUNT} fields`;
      offsets[at + field] = to + 1;
      field += 1;
    } else if (byte === LINE_FEED) break;
    else if (BYTE_KINDS[byte] !== PLAIN) isPlain = false;
  }
  if (to - start > MAX_RECORD) return `it is longer than ${MAX_RECORD} bytes`;
  if (bytes[to - 1] === 0x0d) return 'its line ends with CRLF instead of LF';
  if (field !== FIELD_COUNT) return `it has ${field} fields, not ${FIELD_COUNT}`;
  offsets[at + FIELD_COUNT] = to + 1;
  return textFaultOf(bytes, offsets, at, isPlain) ?? formFault(bytes, offsets, at) ?? classFault(bytes, offsets, at);
}

/** What {@link scanRecord} reads words with. */
export function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** The class of a scanned record as its ASCII code. */
export function scannedClass(bytes: Uint8Array, offsets: Int32Array, at: number): number {
  return bytes[offsets[at + FIELD.class.index] ?? 0] ?? 0;
}

/** The number that stands from `from` to `to`, without leading zeros and below 2 ** 53; -1 when there is none. */
export function scanCount(bytes: Uint8Array, from: number, to: number): number {
  if (from >= to || to - from > 16 || (bytes[from] === ZERO && to - from > 1)) return -1;
  let value = 0;
  for (let at = from; at < to; at += 1) {
    const digit = (bytes[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : -1;
}

function textFaultOf(bytes: Uint8Array, offsets: Int32Array, at: number, isPlain: boolean): string | undefined {
  for (let field = 0; field < FIELD_COUNT; field += 1) {
    const from = offsets[at + field] ?? 0;
    const to = (offsets[at + field + 1] ?? 0) - 1;
    const limit = LIMITS[field] ?? 0;
    if (to - from > limit) return `its ${NAMES[field]} is longer than ${limit} bytes`;
    if (isPlain && to > from) continue;
    const fault = textFault(bytes, from, to);
    if (fault !== undefined) return `its ${NAMES[field]} ${fault}`;
  }
  return undefined;
}

/** The fields that are no free text. */
function formFault(bytes: Uint8Array, offsets: Int32Array, at: number): string | undefined {
  if (countIn(bytes, offsets, at, FIELD.seq) < 0) return 'its seq is not a number';
  if (!isClass(scannedClass(bytes, offsets, at))) return 'its class is not T, O, X, S or G';
  if (
    !lacks(bytes, offsets, at, FIELD.time) &&
    !isTime(bytes, fromOf(offsets, at, FIELD.time), toOf(offsets, at, FIELD.time))
  )
    return 'its time is not an instant such as 2026-11-23T22:00:00Z';
  if (
    !lacks(bytes, offsets, at, FIELD.zone) &&
    !isZone(bytes, fromOf(offsets, at, FIELD.zone), toOf(offsets, at, FIELD.zone))
  )
    return 'its zone is not an offset such as +0500';
  if (
    !lacks(bytes, offsets, at, FIELD.status) &&
    !isStatus(bytes, fromOf(offsets, at, FIELD.status), toOf(offsets, at, FIELD.status))
  )
    return 'its status is not three digits';
  if (!lacks(bytes, offsets, at, FIELD.bytes) && countIn(bytes, offsets, at, FIELD.bytes) < 0)
    return 'its bytes are not a number';
  if (!lacks(bytes, offsets, at, FIELD.duration) && countIn(bytes, offsets, at, FIELD.duration) < 0)
    return 'its duration is not a number';
  if (!areRules(bytes, fromOf(offsets, at, FIELD.bot), toOf(offsets, at, FIELD.bot), false))
    return 'its bot is not the id of a rule';
  if (!areRules(bytes, fromOf(offsets, at, FIELD.signals), toOf(offsets, at, FIELD.signals), true))
    return 'its signals are not ids of rules with commas between';
  return undefined;
}

function fromOf(offsets: Int32Array, at: number, { index }: Field): number {
  return offsets[at + index] ?? 0;
}

function toOf(offsets: Int32Array, at: number, { index }: Field): number {
  return (offsets[at + index + 1] ?? 0) - 1;
}

/** True when there is nothing in the field: a dash. */
function lacks(bytes: Uint8Array, offsets: Int32Array, at: number, field: Field): boolean {
  return isNothing(bytes, fromOf(offsets, at, field), toOf(offsets, at, field));
}

function countIn(bytes: Uint8Array, offsets: Int32Array, at: number, field: Field): number {
  return scanCount(bytes, fromOf(offsets, at, field), toOf(offsets, at, field));
}

/** What a class asks of the other fields. */
function classFault(bytes: Uint8Array, offsets: Int32Array, at: number): string | undefined {
  const recordClass = scannedClass(bytes, offsets, at);
  if (recordClass === CLASS_T || recordClass === CLASS_O) {
    if (lacks(bytes, offsets, at, FIELD.time)) return 'a hit needs its time';
    if (recordClass === CLASS_O && !lacks(bytes, offsets, at, FIELD.page)) return 'a hit of class O has a tie-up page';
  } else {
    for (const [name, field] of Object.entries<Field>(FIELD)) {
      if (!lacks(bytes, offsets, at, field) && !maySay(recordClass, name))
        return `its class does not have the field ${name}`;
    }
    const fault = recordClass === CLASS_X ? rawFault(offsets, at) : eventFault(bytes, offsets, at, recordClass);
    if (fault !== undefined) return fault;
  }
  const isLine = recordClass !== CLASS_S && recordClass !== CLASS_G;
  return isLine && bytes[offsets[at] ?? 0] === ZERO ? 'lines are numbered from 1 on' : undefined;
}

function maySay(recordClass: number, field: string): boolean {
  if (field === 'seq' || field === 'class' || field === 'path') return true;
  if (field === 'signals') return recordClass !== CLASS_G;
  if (recordClass === CLASS_X) return false;
  return field === 'time' || field === 'method' || field === 'query';
}

function rawFault(offsets: Int32Array, at: number): string | undefined {
  const length = toOf(offsets, at, FIELD.path) - fromOf(offsets, at, FIELD.path);
  return length > MAX_RAW_LINE ? `its raw line is longer than ${MAX_RAW_LINE} bytes` : undefined;
}

/** Switches and gaps are rare: strings will do. */
function eventFault(bytes: Uint8Array, offsets: Int32Array, at: number, recordClass: number): string | undefined {
  const [time, method, path, query] = [FIELD.time, FIELD.method, FIELD.path, FIELD.query].map((field) =>
    Buffer.from(bytes.subarray(fromOf(offsets, at, field), toOf(offsets, at, field))).toString(),
  );
  if (recordClass === CLASS_G) return method === 'GAP' ? undefined : 'the method of a gap is GAP';
  if (time === '-') return 'a switch needs its time';
  if (method === 'OWN')
    return query === '-' && path !== '-' ? undefined : 'a path of the partner’s own has a path and no query';
  if (method !== 'LIVE') return 'the method of a switch is LIVE or OWN';
  if (!/^(?:-|[0-9a-f]{64})$/.test(path ?? '')) return 'the path of a switch is the digest of a release';
  if (!/^publication=(?:0|[1-9]\d{0,14})&release=(?:0|[1-9]\d{0,14})$/.test(query ?? '')) {
    return 'the query of a switch is publication=<n>&release=<n>';
  }
  return undefined;
}

function isNothing(bytes: Uint8Array, from: number, to: number): boolean {
  return to - from === 1 && bytes[from] === DASH;
}

function isClass(byte: number): boolean {
  return byte === CLASS_T || byte === CLASS_O || byte === CLASS_X || byte === CLASS_S || byte === CLASS_G;
}

function isStatus(bytes: Uint8Array, from: number, to: number): boolean {
  return to - from === 3 && areDigits(bytes, from, to);
}

/** `2026-11-23T22:00:00Z` or with `.mmm`: a date that exists, a leap second not. */
function isTime(bytes: Uint8Array, from: number, to: number): boolean {
  const hasMillis = to - from === 24;
  if (!hasMillis && to - from !== 20) return false;
  if (hasMillis && (bytes[from + 19] !== DOT || !areDigits(bytes, from + 20, from + 23))) return false;
  if (bytes[from + 4] !== DASH || bytes[from + 7] !== DASH || bytes[from + 10] !== CLASS_T) return false;
  if (bytes[from + 13] !== COLON || bytes[from + 16] !== COLON || bytes[to - 1] !== 0x5a) return false;
  if (!areDigits(bytes, from, from + 4)) return false;
  const month = twoDigits(bytes, from + 5);
  const day = twoDigits(bytes, from + 8);
  const hour = twoDigits(bytes, from + 11);
  const minute = twoDigits(bytes, from + 14);
  const second = twoDigits(bytes, from + 17);
  if (month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23) return false;
  if (minute < 0 || minute > 59 || second < 0 || second > 59) return false;
  return day <= 28 || day <= daysIn(twoDigits(bytes, from) * 100 + twoDigits(bytes, from + 2), month);
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function isZone(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from !== 5 || (bytes[from] !== 0x2b && bytes[from] !== DASH)) return false;
  const hours = twoDigits(bytes, from + 1);
  const minutes = twoDigits(bytes, from + 3);
  return hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60;
}

/** A dash alone, or `[a-z0-9._-]+` with `/` and, in a list, `,` between them. */
function areRules(bytes: Uint8Array, from: number, to: number, isList: boolean): boolean {
  let isBetween = true;
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] ?? 0;
    const separates = byte === SLASH || (isList && byte === COMMA);
    if (separates ? isBetween : !isRuleCharacter(byte)) return false;
    isBetween = separates;
  }
  return !isBetween;
}

function isRuleCharacter(byte: number): boolean {
  return (byte >= 0x61 && byte <= 0x7a) || isDigit(byte) || byte === DASH || byte === DOT || byte === 0x5f;
}

function areDigits(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) if (!isDigit(bytes[at] ?? 0)) return false;
  return true;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39;
}

/** -1 unless there are two digits. */
function twoDigits(bytes: Uint8Array, at: number): number {
  return areDigits(bytes, at, at + 2) ? ((bytes[at] ?? 0) - ZERO) * 10 + (bytes[at + 1] ?? 0) - ZERO : -1;
}
