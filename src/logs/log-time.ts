/** The time of a hit: from the forms in which servers write it to UTC with the offset that the server's clock had. */
import { FIELD, type Line } from './line.ts';

/**
 * `common`: `23/Nov/2026:22:00:00 +0500`. `iso-seconds`: ISO 8601 with an offset, always 25 bytes (nginx). `iso`: ISO 8601 of any
 * precision. `w3c`: a date and a time field, UTC. The others count from 1970, `seconds` with a fraction.
 */
export type TimeForm = 'common' | 'iso-seconds' | 'iso' | 'w3c' | 'seconds' | 'milliseconds' | 'microseconds';

const DAY_MS = 86_400_000;
const COLON = 0x3a;
const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const SLOTS = 16;

/**
 * Reads the time of one line after the other.
 *
 * Dates in common form are remembered with their offset, since neighbours in a log share them.
 */
export class LogTime {
  /** Days since 1970 in UTC: whose salt makes the visitor. */
  day = 0;
  /** `2026-11-23T22:00:00Z`, or with milliseconds when the log has them. */
  text: Uint8Array = new Uint8Array(0);
  textLength = 0;
  /** `+0500`, as the server wrote it; `+0000` where the form is UTC by definition. */
  zone: Uint8Array = Buffer.from('+0000');
  readonly #form: TimeForm;
  readonly #defaultZone: string;
  readonly #slots = Array.from({ length: SLOTS }, () => new CommonDay());

  /** `zone` is for logs which do not say it: `+0100`. */
  constructor(form: TimeForm, zone = '+0000') {
    this.#form = form;
    this.#defaultZone = zone;
  }

  /** False when the line's time is none. */
  read(line: Line): boolean {
    const start = line.start[FIELD.time] ?? 0;
    const end = line.end[FIELD.time] ?? 0;
    if (this.#form === 'common') return end - start === 26 && this.#readCommon(line.bytes, start);
    if (end - start > 40) return false;
    return this.#take(this.#instant(line, line.latin1(start, end)));
  }

  #readCommon(bytes: Uint8Array, at: number): boolean {
    const place = (bytes[at + 1] ?? 0) + ((bytes[at + 23] ?? 0) << 1) + ((bytes[at + 22] ?? 0) << 2);
    const slot = this.#slots[place % SLOTS];
    if (slot === undefined || !(slot.holds(bytes, at) || slot.take(bytes, at))) return false;
    if (!slot.setClock(bytes, at)) return false;
    this.day = slot.day;
    this.text = slot.text;
    this.textLength = slot.text.length;
    this.zone = slot.zone;
    return true;
  }

  #instant(line: Line, text: string): Instant | undefined {
    switch (this.#form) {
      case 'common':
        return commonInstant(text);
      case 'iso':
      case 'iso-seconds':
        return isoInstant(text, this.#defaultZone);
      case 'w3c':
        return isoInstant(`${line.latin1(line.start[FIELD.date] ?? 0, line.end[FIELD.date] ?? 0)}T${text}Z`, '+0000');
      case 'seconds':
        return countedInstant(text, 1000, this.#defaultZone);
      case 'milliseconds':
        return countedInstant(text, 1, this.#defaultZone);
      case 'microseconds':
        return countedInstant(text, 0.001, this.#defaultZone);
    }
  }

  #take(found: Instant | undefined): boolean {
    if (found === undefined || !(found.ms >= 0 && found.ms < 253_402_300_800_000)) return false;
    this.day = Math.floor(found.ms / DAY_MS);
    const iso = new Date(found.ms).toISOString();
    this.text = Buffer.from(found.precise ? iso : `${iso.slice(0, 19)}Z`);
    this.textLength = this.text.length;
    this.zone = Buffer.from(found.zone);
    return true;
  }
}

/** A date in common form with an offset, and the last time of that day in UTC. */
class CommonDay {
  day = 0;
  readonly text = Buffer.from('1970-01-01T00:00:00Z');
  readonly zone = Buffer.from('+0000');
  readonly #key = Buffer.alloc(26);
  #offsetMinutes = 0;
  #localDay = 0;

  /** True when the time at `at` has this date and offset. */
  holds(bytes: Uint8Array, at: number): boolean {
    const key = this.#key;
    for (let index = 0; index < 11; index++) if (key[index] !== bytes[at + index]) return false;
    for (let index = 20; index < 26; index++) if (key[index] !== bytes[at + index]) return false;
    return true;
  }

  /** Takes the date and offset of the time at `at`; false when it is no time. */
  take(bytes: Uint8Array, at: number): boolean {
    const text = Buffer.from(bytes.subarray(at, at + 26)).toString('latin1');
    const found = commonInstant(text);
    if (found === undefined) return false;
    this.#key.write(text, 'latin1');
    this.zone.write(found.zone, 'latin1');
    this.#offsetMinutes = offsetMinutes(found.zone);
    this.#localDay = Math.floor((found.ms + this.#offsetMinutes * 60_000) / DAY_MS);
    this.#setDay(Math.floor(found.ms / DAY_MS));
    return true;
  }

  /** Puts the clock of the time at `at` in; false when it is none. */
  setClock(bytes: Uint8Array, at: number): boolean {
    const hours = twoDigits(bytes, at + 12);
    const minutes = twoDigits(bytes, at + 15);
    const seconds = twoDigits(bytes, at + 18);
    const isClock = hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60 && seconds >= 0 && seconds < 60;
    if (!isClock || bytes[at + 11] !== COLON || bytes[at + 14] !== COLON || bytes[at + 17] !== COLON) return false;
    const utc = hours * 60 + minutes - this.#offsetMinutes;
    const days = utc < 0 ? -1 : utc >= 1440 ? 1 : 0;
    if (this.#localDay + days < 0) return false;
    if (this.day !== this.#localDay + days) this.#setDay(this.#localDay + days);
    const minuteOfDay = utc - days * 1440;
    const hour = Math.floor(minuteOfDay / 60);
    putTwoDigits(this.text, 11, hour);
    putTwoDigits(this.text, 14, minuteOfDay - hour * 60);
    putTwoDigits(this.text, 17, seconds);
    return true;
  }

  #setDay(day: number): void {
    this.day = day;
    this.text.write(new Date(day * DAY_MS).toISOString().slice(0, 10), 'latin1');
  }
}

function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] ?? 0) - 0x30;
  const ones = (bytes[at + 1] ?? 0) - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

function putTwoDigits(target: Uint8Array, at: number, value: number): void {
  const tens = Math.floor(value / 10);
  target[at] = 0x30 + tens;
  target[at + 1] = 0x30 + value - tens * 10;
}

function offsetMinutes(zone: string): number {
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3));
  return zone.startsWith('-') ? -minutes : minutes;
}

interface Instant {
  readonly ms: number;
  readonly zone: string;
  /** True when the log has fractions of a second. */
  readonly precise: boolean;
}

const COMMON =
  /^(?<day>\d\d)\/(?<month>[A-Z][a-z]{2})\/(?<year>\d{4}):(?<time>(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d) (?<zone>[+-]\d{4})$/;

function commonInstant(text: string): Instant | undefined {
  const { day = '', month = '', year = '', time = '', zone = '' } = COMMON.exec(text)?.groups ?? {};
  const place = MONTHS.indexOf(month);
  if (month === '' || place % 3 !== 0) return undefined;
  return isoInstant(`${year}-${String(place / 3 + 1).padStart(2, '0')}-${day}T${time}${zone}`, zone);
}

const ISO =
  /^(?<date>\d{4}-\d\d-\d\d)[T ](?<time>(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:[.,](?<fraction>\d{1,9}))?(?<zone>Z|[+-]\d\d:?\d\d)?$/;

function isoInstant(text: string, defaultZone: string): Instant | undefined {
  const { date, time, fraction, zone = defaultZone } = ISO.exec(text)?.groups ?? {};
  if (date === undefined || time === undefined) return undefined;
  const offset = zone === 'Z' ? '+0000' : zone.replace(':', '');
  const minutes = offsetMinutes(offset);
  if (Number(offset.slice(3)) > 59 || Math.abs(minutes) > 14 * 60) return undefined;
  const local = Date.parse(`${date}T${time}Z`);
  // A day that does not exist, such as 31 April, is moved by some engines.
  if (Number.isNaN(local) || new Date(local).toISOString().slice(0, 10) !== date) return undefined;
  const utc = local - minutes * 60_000;
  return {
    ms: utc + Number((fraction ?? '').padEnd(3, '0').slice(0, 3)),
    zone: offset,
    precise: fraction !== undefined,
  };
}

function countedInstant(text: string, unitMs: number, zone: string): Instant | undefined {
  if (!/^\d{1,17}(?:\.\d{1,9})?$/.test(text)) return undefined;
  const ms = unitMs === 1000 ? wholeMilliseconds(text) : Math.floor(Number(text) * unitMs);
  return { ms, zone, precise: unitMs !== 1000 || text.includes('.') };
}

/** Without the rounding of binary fractions: `1.001` s is 1001 ms. */
function wholeMilliseconds(text: string): number {
  const [seconds = '0', fraction = ''] = text.split('.');
  return Number(seconds) * 1000 + Number(fraction.padEnd(3, '0').slice(0, 3));
}
