/** Quantities as people read them. */
import { TieupError } from '../errors.ts';

/** `1 page`, `3 pages`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  // Not toLocaleString: loading the world's number formats for one comma takes longer than to read this site's records.
  const digits = String(number).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
  return `${digits} ${number === 1 ? noun : plural}`;
}

/** `812 bytes`, `14.2 kB`, `3.1 MB`; powers of 1000. */
export function byteCount(bytes: number): string {
  if (bytes < 1000) return count(bytes, 'byte');
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = '';
  for (const next of units) {
    if (value < 1000) break;
    value /= 1000;
    unit = next;
  }
  return `${value < 100 ? value.toFixed(1) : value.toFixed(0)} ${unit}`;
}

const UNITS_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `90s`, `10m`, `2h`, `1d` in milliseconds; undefined when it is none of these. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (amount === undefined || !isUnit(unit)) return undefined;
  return Number(amount) * UNITS_MS[unit];
}

function isUnit(text: string | undefined): text is keyof typeof UNITS_MS {
  return text !== undefined && Object.hasOwn(UNITS_MS, text);
}

/** `40 s`, `12 min`, `5 h`, `3 d`: how long ago `then` was; `-` for a time to come, or none. */
export function age(then: Date, now: Date): string {
  const seconds = Math.floor((now.getTime() - then.getTime()) / 1000);
  if (!(seconds >= 0)) return '-';
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

const MAX_NUMBER = 10_000;

/** A whole number from 1 on, as an option has it. @throws TIEUP_E_USAGE that names the option. */
export function parseNumber(text: string, option: string): number {
  if (/^[1-9]\d{0,4}$/.test(text) && Number(text) <= MAX_NUMBER) return Number(text);
  throw new TieupError('TIEUP_E_USAGE', `${option} ${JSON.stringify(text)} is no number from 1 to ${MAX_NUMBER}`);
}

/** @throws TIEUP_E_USAGE unless it is such a time. */
export function requireDuration(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw new TieupError('TIEUP_E_USAGE', `${JSON.stringify(text)} is not a time`, { hint: 'write 90s, 10m, 2h or 1d' });
}

/** What an option says, read by `parse`; undefined when it was not given. */
export function given<T>(text: string | undefined, parse: (text: string) => T): T | undefined {
  return text === undefined ? undefined : parse(text);
}
