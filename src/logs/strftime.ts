/**
 * Times in a form of the server's own, as Apache's `%{…}t` writes them by strftime in the C locale.
 *
 * Sources: strftime(3); Apache mod_log_config, which adds `msec_frac` and `usec_frac`.
 */

/** A form of time that a server was told to write. */
export interface TimePattern {
  readonly kind: 'strftime';
  /** How many bytes a time takes; 0 when that varies. */
  readonly length: number;
  /** The parts of a time in this form; undefined for anything else. */
  read(text: string): WrittenTime | undefined;
}

export interface WrittenTime {
  /** `2026-11-23T22:00:00` as the server's clock showed it, or the whole milliseconds since 1970 in UTC. */
  readonly clock: string | number;
  /** Digits of a second, none when the form has no fractions. */
  readonly fraction: string | undefined;
  /** `+0100`; undefined when the form does not say it. */
  readonly zone: string | undefined;
}

/** What a conversion is spelt like, and how many bytes it takes (0 when that varies). */
type Conversion = readonly [pattern: string, length: number];

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const CONVERSIONS: Readonly<Record<string, Conversion>> = {
  Y: [String.raw`(?<year>\d{4})`, 4],
  y: [String.raw`(?<shortYear>\d\d)`, 2],
  m: [String.raw`(?<month>0[1-9]|1[0-2])`, 2],
  b: [`(?<monthName>${MONTHS.join('|')})`, 3],
  B: [String.raw`(?<monthName>[A-Z][a-z]{2})[a-z]{0,6}`, 0],
  d: [String.raw`(?<day>\d\d)`, 2],
  e: [String.raw`(?<day>[ \d]\d)`, 2],
  H: [String.raw`(?<hour>\d\d)`, 2],
  k: [String.raw`(?<hour>[ \d]\d)`, 2],
  M: [String.raw`(?<minute>\d\d)`, 2],
  S: [String.raw`(?<second>\d\d)`, 2],
  I: [String.raw`(?<hour12>\d\d)`, 2],
  l: [String.raw`(?<hour12>[ \d]\d)`, 2],
  p: ['(?<half>[AP]M)', 2],
  z: [String.raw`(?<zone>[+-]\d{4})`, 5],
  Z: ['(?<zoneName>[A-Z]{1,5}|[+-]\\d\\d(?:\\d\\d)?)', 0],
  s: [String.raw`(?<epoch>\d{1,11})`, 0],
  a: ['[A-Z][a-z]{2}', 3],
  A: ['[A-Z][a-z]{5,8}', 0],
  j: [String.raw`\d{3}`, 3],
  u: ['[1-7]', 1],
  w: ['[0-6]', 1],
  '%': ['%', 1],
  n: [String.raw`\n`, 1],
  t: [String.raw`\t`, 1],
};
/** Conversions that are short for several. */
const SHORT: Readonly<Record<string, string>> = {
  h: '%b',
  F: '%Y-%m-%d',
  T: '%H:%M:%S',
  R: '%H:%M',
  r: '%I:%M:%S %p',
  D: '%m/%d/%y',
  x: '%m/%d/%y',
  X: '%H:%M:%S',
  c: '%a %b %e %H:%M:%S %Y',
};
/** What Apache writes for `%{msec_frac}t` and `%{usec_frac}t`, as conversions of this file alone. */
export const FRACTIONS: Readonly<Record<string, string>> = { msec_frac: '%3f', usec_frac: '%6f' };

/** Undefined when a conversion is not known, or when the form leaves the second in the dark. */
export function compileTime(form: string): TimePattern | undefined {
  const source: string[] = [];
  const named = new Set<string>();
  let length = 0;
  let varies = false;
  for (const [piece] of expanded(form).matchAll(/%[-_0^#EO]*(?:[36]f|[\s\S])|[^%]+/g)) {
    const conversion = piece.startsWith('%') ? conversionOf(piece) : literal(piece);
    if (conversion === undefined) return undefined;
    const [pattern, bytes] = conversion;
    // One that was there already says the same once more.
    source.push(pattern.replace(/\(\?<(\w+)>/g, (group, name: string) => (named.has(name) ? '(?:' : group)));
    for (const [, name = ''] of pattern.matchAll(/\(\?<(\w+)>/g)) named.add(name);
    varies ||= bytes === 0;
    length += bytes;
  }
  if (!isWhole(named)) return undefined;
  const expression = new RegExp(`^${source.join('')}$`);
  return {
    kind: 'strftime',
    length: varies ? 0 : length,
    read(text) {
      const groups = expression.exec(text)?.groups;
      return groups === undefined ? undefined : writtenTime(groups);
    },
  };
}

function expanded(form: string): string {
  return form.replace(/%([\s\S])/g, (conversion, letter: string) => SHORT[letter] ?? conversion);
}

function conversionOf(piece: string): Conversion | undefined {
  const digits = /^%([36])f$/.exec(piece)?.[1];
  if (digits !== undefined) return [`(?<fraction>\\d{${digits}})`, Number(digits)];
  // `%-d` and its like leave the padding away.
  const isPlain = piece.length === 2;
  const known = CONVERSIONS[piece.at(-1) ?? ''];
  if (known === undefined) return undefined;
  return isPlain ? known : [known[0].replaceAll(String.raw`\d\d)`, String.raw`\d{1,2})`), 0];
}

function literal(text: string): Conversion {
  return [text.replace(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`), Buffer.byteLength(text)];
}

function isWhole(named: ReadonlySet<string>): boolean {
  if (named.has('epoch')) return true;
  const hasYear = named.has('year') || named.has('shortYear');
  const hasMonth = named.has('month') || named.has('monthName');
  const hasHour = named.has('hour') || (named.has('hour12') && named.has('half'));
  return hasYear && hasMonth && named.has('day') && hasHour && named.has('minute') && named.has('second');
}

function writtenTime(groups: Readonly<Record<string, string | undefined>>): WrittenTime | undefined {
  const { epoch, fraction } = groups;
  const zone = groups['zone'] ?? zoneNamed(groups['zoneName']);
  if (epoch !== undefined) return { clock: Number(epoch) * 1000, fraction, zone };
  const month = groups['month'] ?? String(MONTHS.indexOf(groups['monthName'] ?? '') + 1);
  const hour = groups['hour'] ?? hourOfDay(groups['hour12'] ?? '', groups['half'] ?? '');
  const two = (text: string | undefined): string => (text ?? '').trim().padStart(2, '0');
  // POSIX: 69 to 99 are of the last century.
  const short = Number(groups['shortYear'] ?? 0);
  const year = groups['year'] ?? String(short + (short < 69 ? 2000 : 1900));
  const date = `${year}-${two(month)}-${two(groups['day'])}`;
  return { clock: `${date}T${two(hour)}:${two(groups['minute'])}:${two(groups['second'])}`, fraction, zone };
}

function hourOfDay(hour12: string, half: string): string {
  const hour = Number(hour12);
  if (hour < 1 || hour > 12) return 'none';
  return String((hour % 12) + (half === 'PM' ? 12 : 0));
}

/** Names of zones mean different things in different countries; only these are certain. */
function zoneNamed(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  if (name === 'UTC' || name === 'GMT' || name === 'Z') return '+0000';
  return /^[+-]/.test(name) ? name.padEnd(5, '0') : undefined;
}
