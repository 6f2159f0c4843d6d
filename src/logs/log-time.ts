/** The time of a hit: from the forms in which servers write it to UTC with the offset that the server's clock had. */
import { FIELD, type Line } from './line.ts';

/**
 * `common`: `23/Nov/2026:22:00:00 +0500`. `iso-seconds`: ISO 8601 with an offset, always 25 bytes (nginx). `iso`: ISO 8601 of any
 * precision. `w3c`: a date and a time field, UTC. The others count from 1970, `seconds` with a fraction.
 */
export type TimeForm = 'common' | 'iso-seconds' | 'iso' | 'w3c' | 'seconds' | 'milliseconds' | 'microseconds';

const DAY_MS = 86_400_000;
const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const SLOTS = 16;
/** Of the time in common form: up to the minutes, and the offset. */
const MINUTE_LENGTH = 18;

/**
 * Reads the time of one line after the other.
 *
 * The common form is remembered by minute and offset, since neighbours in a log share them.
 */
export class LogTime {
  /** Days since 1970 in UTC: whose salt makes the visitor. */
  day = 0;
  /** `2026-11-23T22:00:00Z`, or with milliseconds when the log has them. */
  text: Uint8Array = new Uint8Array(24);
  textLength = 0;
  /** `+0500`, as the server wrote it; `+0000` where the form is UTC by definition. */
  zone: Uint8Array = Buffer.from('+0000');
  readonly #form: TimeForm;
  readonly #defaultZone: string;
  readonly #slots = Array.from({ length: SLOTS }, () => ({
    key: new Uint8Array(26),
    day: 0,
    text: Buffer.alloc(20),
    zone: Buffer.alloc(5),
  }));

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
    const slot =
      this.#slots[((bytes[at + 16] ?? 0) + ((bytes[at + 23] ?? 0) << 1) + ((bytes[at + 22] ?? 0) << 3)) % SLOTS];
    if (slot === undefined) return false;
    const tens = bytes[at + 18] ?? 0;
    const ones = bytes[at + 19] ?? 0;
    if (tens < 0x30 || tens > 0x35 || ones < 0x30 || ones > 0x39) return false;
    const { key } = slot;
    let same = true;
    for (let index = 0; index < 26; index++) {
      if (key[index] !== bytes[at + index] && (index < MINUTE_LENGTH || index >= MINUTE_LENGTH + 2)) {
        same = false;
        break;
      }
    }
    if (!same) {
      const text = Buffer.from(bytes.subarray(at, at + 26)).toString('latin1');
      const found = commonInstant(text);
      if (found === undefined) return false;
      key.set(bytes.subarray(at, at + 26));
      slot.day = Math.floor(found.ms / DAY_MS);
      slot.text.write(`${new Date(found.ms).toISOString().slice(0, 19)}Z`, 'latin1');
      slot.zone.write(found.zone, 'latin1');
    }
    this.day = slot.day;
    this.text = slot.text;
    this.textLength = 20;
    this.text[17] = tens;
    this.text[18] = ones;
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
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3));
  if (Number(offset.slice(3)) > 59 || minutes > 14 * 60) return undefined;
  const local = Date.parse(`${date}T${time}Z`);
  // A day that does not exist, such as 31 April, is moved by some engines.
  if (Number.isNaN(local) || new Date(local).toISOString().slice(0, 10) !== date) return undefined;
  const utc = local - (offset.startsWith('-') ? -minutes : minutes) * 60_000;
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
