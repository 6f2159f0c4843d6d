/** The time of a hit: from the forms in which servers write it to UTC with the offset that the server's clock had. */
import { minutesOf, Zone } from '../protocol/zone.ts';
import { FIELD, type Line } from './line.ts';
import type { TimePattern, WrittenTime } from './strftime.ts';

/**
 * `common`: `23/Nov/2026:22:00:00 +0500`. `iso-seconds`: ISO 8601 with an offset, always 25 bytes (nginx). `iso`: ISO 8601 of any
 * precision. `w3c`: a date and a time field, UTC. The others count from 1970, `seconds` with a fraction.
 */
export type TimeForm =
  | 'common'
  | 'iso-seconds'
  | 'iso'
  | 'w3c'
  | 'seconds'
  | 'milliseconds'
  | 'microseconds'
  | TimePattern;

const DAY_MS = 86_400_000;
/** The year 10000. */
const END_OF_TIME = 253_402_300_800_000;
/** `Wednesday, 23. September 2026, 22:00:00.123456 +0000` and a little more. */
const LONGEST = 64;
const UTC = new Zone('+0000');
const COLON = 0x3a;
const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const SLOTS = 16;
/** Where in a text without milliseconds the offset stands. */
const ZONE_AT = 21;

/**
 * Reads the time of one line after the other.
 *
 * Dates in common form are remembered with their offset, since neighbours in a log share them.
 */
export class LogTime {
  /** Days since 1970 in UTC: whose salt makes the visitor. */
  day = 0;
  /**
   * `2026-11-23T22:00:00Z`, with milliseconds when the log has them, a tab, and the offset as the server wrote it: `+0500`, or
   * `+0000` where the form is UTC by definition.
   */
  text: Uint8Array = new Uint8Array(0);
  readonly #form: TimeForm;
  readonly #zone: Zone;
  readonly #slots = Array.from({ length: SLOTS }, () => new CommonDay());

  /** `zone` is for logs which do not say it: `+0100` or `Europe/Berlin`. */
  constructor(form: TimeForm, zone = '+0000') {
    this.#form = form;
    this.#zone = new Zone(zone);
  }

  /** False when the line's time is none. */
  read(line: Line): boolean {
    const start = line.start[FIELD.time] ?? 0;
    const end = line.end[FIELD.time] ?? 0;
    if (this.#form === 'common') return end - start === 26 && this.#readCommon(line.bytes, start);
    if (end - start > LONGEST) return false;
    return this.#take(this.#instant(line, line.latin1(start, end)));
  }

  #readCommon(bytes: Uint8Array, at: number): boolean {
    const place = (bytes[at + 1] ?? 0) + ((bytes[at + 23] ?? 0) << 1) + ((bytes[at + 22] ?? 0) << 2);
    const slot = this.#slots[place % SLOTS];
    if (slot === undefined || !(slot.holds(bytes, at) || slot.take(bytes, at))) return false;
    if (!slot.setClock(bytes, at)) return false;
    this.day = slot.day;
    this.text = slot.text;
    return true;
  }

  #instant(line: Line, text: string): Instant | undefined {
    if (typeof this.#form === 'object') return writtenInstant(this.#form.read(text), this.#zone);
    switch (this.#form) {
      case 'common':
        return commonInstant(text);
      case 'iso':
      case 'iso-seconds':
        return isoInstant(text, this.#zone);
      case 'w3c':
        return isoInstant(`${line.latin1(line.start[FIELD.date] ?? 0, line.end[FIELD.date] ?? 0)}T${text}Z`, UTC);
      case 'seconds':
        return countedInstant(text, 1000, this.#zone);
      case 'milliseconds':
        return countedInstant(text, 1, this.#zone);
      case 'microseconds':
        return countedInstant(text, 0.001, this.#zone);
    }
  }

  #take(found: Instant | undefined): boolean {
    if (found === undefined || !(found.ms >= 0 && found.ms < END_OF_TIME)) return false;
    this.day = Math.floor(found.ms / DAY_MS);
    const iso = new Date(found.ms).toISOString();
    this.text = Buffer.from(`${found.precise ? iso : `${iso.slice(0, 19)}Z`}\t${found.zone}`);
    return true;
  }
}

/** A date in common form with an offset, and the last time of that day in UTC. */
class CommonDay {
  day = 0;
  readonly text = Buffer.from('1970-01-01T00:00:00Z\t+0000');
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
    this.text.write(found.zone, ZONE_AT, 'latin1');
    this.#offsetMinutes = minutesOf(found.zone);
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
  return isoInstant(`${year}-${String(place / 3 + 1).padStart(2, '0')}-${day}T${time}${zone}`, UTC);
}

const ISO =
  /^(?<date>\d{4}-\d\d-\d\d)[T ](?<time>(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:[.,](?<fraction>\d{1,9}))?(?<zone>Z|[+-]\d\d:?\d\d)?$/;

function isoInstant(text: string, defaultZone: Zone): Instant | undefined {
  const { date, time, fraction, zone } = ISO.exec(text)?.groups ?? {};
  if (date === undefined || time === undefined) return undefined;
  const local = Date.parse(`${date}T${time}Z`);
  // A day that does not exist, such as 31 April, is moved by some engines.
  if (Number.isNaN(local) || new Date(local).toISOString().slice(0, 10) !== date) return undefined;
  const offset = zone === undefined ? defaultZone.atLocal(local) : zone === 'Z' ? '+0000' : zone.replace(':', '');
  const minutes = minutesOf(offset);
  if (Number(offset.slice(3)) > 59 || Math.abs(minutes) > 14 * 60) return undefined;
  return {
    ms: local - minutes * 60_000 + milliseconds(fraction),
    zone: offset,
    precise: fraction !== undefined,
  };
}

function writtenInstant(written: WrittenTime | undefined, zone: Zone): Instant | undefined {
  if (written === undefined) return undefined;
  const { clock, fraction, zone: said } = written;
  if (typeof clock === 'string') {
    return isoInstant(`${clock}${fraction === undefined ? '' : `.${fraction}`}${said ?? ''}`, zone);
  }
  return { ms: clock + milliseconds(fraction), zone: said ?? zone.at(clock), precise: fraction !== undefined };
}

function countedInstant(text: string, unitMs: number, zone: Zone): Instant | undefined {
  if (!/^\d{1,17}(?:\.\d{1,9})?$/.test(text)) return undefined;
  const ms = unitMs === 1000 ? wholeMilliseconds(text) : Math.floor(Number(text) * unitMs);
  if (ms >= END_OF_TIME) return undefined;
  return { ms, zone: zone.at(ms), precise: unitMs !== 1000 || text.includes('.') };
}

function milliseconds(fraction: string | undefined): number {
  return Number((fraction ?? '').padEnd(3, '0').slice(0, 3));
}

/** Without the rounding of binary fractions: `1.001` s is 1001 ms. */
function wholeMilliseconds(text: string): number {
  const [seconds = '0', fraction = ''] = text.split('.');
  return Number(seconds) * 1000 + milliseconds(fraction);
}
