/**
 * Days and times as people write them in pages: `2026-12-20`, `2026-12-20T08:00`, `2026-12-20T08:00:30+01:00`. What names no
 * offset is meant in the time zone of the site.
 */

const MOMENT = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2})(?::(\d{2}))?(Z|[+-]\d{2}:\d{2})?)?$/;
const DAY_MS = 24 * 60 * 60 * 1000;
/** The zone of a site that names none; what knows the others takes tens of milliseconds to load. */
const UTC = 'UTC';

/** True for a day or a time that exists on the calendar. */
export function isMoment(text: string): boolean {
  return readMoment(text) !== undefined;
}

/** True for a zone of the IANA database that this machine knows: `Europe/Berlin`, `UTC`. */
export function isTimeZone(name: string): boolean {
  return name === UTC || (/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(name) && formatOf(name) !== undefined);
}

/**
 * When a moment begins: a day at its first instant. A time that a change of clocks skips is as long after the change as it
 * would have been without one; of a time that is there twice the first is meant.
 * @throws RangeError when `text` is no moment or `timeZone` no time zone
 */
export function startOfMoment(text: string, timeZone: string): Date {
  const { wall, offset } = readOrThrow(text);
  return new Date(offset === undefined ? fromWall(wall, timeZone) : wall - offset);
}

/** When a moment is over: a day at the first instant of the next one, a time at itself. @throws as {@link startOfMoment} */
export function endOfMoment(text: string, timeZone: string): Date {
  const { wall, isDay } = readOrThrow(text);
  return isDay ? new Date(fromWall(wall + DAY_MS, timeZone)) : startOfMoment(text, timeZone);
}

interface Moment {
  /** Milliseconds, as if the clock on the wall showed UTC. */
  readonly wall: number;
  readonly isDay: boolean;
  /** Milliseconds east of UTC; undefined where the time zone of the site is meant. */
  readonly offset: number | undefined;
}

function readMoment(text: string): Moment | undefined {
  const [, day, time, seconds = '00', zone] = MOMENT.exec(text) ?? [];
  if (day === undefined) return undefined;
  const written = `${day}T${time ?? '00:00'}:${seconds}`;
  const wall = Date.parse(`${written}Z`);
  // Date.parse takes 30 February for 2 March, and 24:00 for the next day.
  if (Number.isNaN(wall) || new Date(wall).toISOString().slice(0, 19) !== written) return undefined;
  const offset = zone === undefined ? undefined : offsetOf(zone);
  return Number.isNaN(offset) ? undefined : { wall, isDay: time === undefined, offset };
}

/** NaN when there is no such offset. */
function offsetOf(zone: string): number {
  if (zone === 'Z') return 0;
  const [hours = 99, minutes = 99] = zone.slice(1).split(':').map(Number);
  if (hours > 14 || minutes > 59) return Number.NaN;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60 * 1000;
}

function readOrThrow(text: string): Moment {
  const moment = readMoment(text);
  if (moment === undefined) throw new RangeError(`${JSON.stringify(text)} is no day and no time`);
  return moment;
}

/** The instant at which clocks in `timeZone` show `wall`. */
function fromWall(wall: number, timeZone: string): number {
  const before = wall - zoneOffset(wall - DAY_MS, timeZone);
  const after = wall - zoneOffset(wall + DAY_MS, timeZone);
  const shows = (instant: number): boolean => instant + zoneOffset(instant, timeZone) === wall;
  const found = [before, after].filter(shows);
  return found.length === 0 ? before : Math.min(...found);
}

/** Milliseconds east of UTC at an instant. */
function zoneOffset(instant: number, timeZone: string): number {
  if (timeZone === UTC) return 0;
  const format = formatOf(timeZone);
  if (format === undefined) throw new RangeError(`${JSON.stringify(timeZone)} is no time zone`);
  const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  const wall = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return wall - Math.floor(instant / 1000) * 1000;
}

const formats = new Map<string, Intl.DateTimeFormat | undefined>();

function formatOf(timeZone: string): Intl.DateTimeFormat | undefined {
  if (!formats.has(timeZone)) formats.set(timeZone, makeFormat(timeZone));
  return formats.get(timeZone);
}

function makeFormat(timeZone: string): Intl.DateTimeFormat | undefined {
  const number = 'numeric';
  try {
    return new Intl.DateTimeFormat('en-u-ca-iso8601', {
      timeZone,
      hourCycle: 'h23',
      year: number,
      month: number,
      day: number,
      hour: number,
      minute: number,
      second: number,
    });
  } catch {
    return undefined;
  }
}

/** What clocks in a time zone show at an instant, as if that were UTC. */
export function wallClock(at: Date, timeZone: string): Date {
  return new Date(at.getTime() + zoneOffset(at.getTime(), timeZone));
}

/** An instant as clocks in a time zone show it, for people: `2026-12-20 08:00 Europe/Berlin`. */
export function showMoment(at: Date, timeZone: string): string {
  const wall = wallClock(at, timeZone).toISOString();
  return `${wall.slice(0, 10)} ${wall.slice(11, 16)} ${timeZone}`;
}
