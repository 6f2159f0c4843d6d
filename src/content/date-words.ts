/**
 * How dates are written in the languages whose words ship with tieup. They are those of the Unicode CLDR 48, kept here because another
 * version of Node brings another version of it: pages would then change, and be sent again, with the machine that makes them.
 */

export const FORMS = ['long', 'medium', 'short', 'time'] as const;

export type DateForm = (typeof FORMS)[number];

interface DateWords extends Readonly<Record<DateForm, string>> {
  /** Twelve words each. */
  readonly months: string;
  readonly shortMonths: string;
}

const CLOCK = '{HH}:{mm}';

const AMERICAN: DateWords = {
  months: 'January February March April May June July August September October November December',
  shortMonths: 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec',
  long: '{MMMM} {d}, {y}',
  medium: '{MMM} {d}, {y}',
  short: '{M}/{d}/{yy}',
  time: '{h}:{mm} {a}',
};
const BRITISH: DateWords = {
  months: AMERICAN.months,
  shortMonths: 'Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec',
  long: '{d} {MMMM} {y}',
  medium: '{d} {MMM} {y}',
  short: '{dd}/{MM}/{y}',
  time: CLOCK,
};
const GERMAN: DateWords = {
  months: 'Januar Februar März April Mai Juni Juli August September Oktober November Dezember',
  shortMonths: 'Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.',
  long: '{d}. {MMMM} {y}',
  medium: '{dd}.{MM}.{y}',
  short: '{dd}.{MM}.{yy}',
  time: CLOCK,
};
const FRENCH: DateWords = {
  months: 'janvier février mars avril mai juin juillet août septembre octobre novembre décembre',
  shortMonths: 'janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.',
  long: '{d} {MMMM} {y}',
  medium: '{d} {MMM} {y}',
  short: '{dd}/{MM}/{y}',
  time: CLOCK,
};
const SPANISH: DateWords = {
  months: 'enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre',
  shortMonths: 'ene feb mar abr may jun jul ago sept oct nov dic',
  long: '{d} de {MMMM} de {y}',
  medium: '{d} {MMM} {y}',
  short: '{d}/{M}/{yy}',
  time: '{H}:{mm}',
};
const ITALIAN: DateWords = {
  months: 'gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre',
  shortMonths: 'gen feb mar apr mag giu lug ago set ott nov dic',
  long: '{d} {MMMM} {y}',
  medium: '{d} {MMM} {y}',
  short: '{dd}/{MM}/{yy}',
  time: CLOCK,
};
const DUTCH: DateWords = {
  months: 'januari februari maart april mei juni juli augustus september oktober november december',
  shortMonths: 'jan feb mrt apr mei jun jul aug sep okt nov dec',
  long: '{d} {MMMM} {y}',
  medium: '{d} {MMM} {y}',
  short: '{dd}-{MM}-{y}',
  time: CLOCK,
};

/** By language in lower case; of other countries with the same language, others write dates otherwise. */
const WORDS: ReadonlyMap<string, DateWords> = new Map([
  ['en', AMERICAN],
  ['en-us', AMERICAN],
  ['en-gb', BRITISH],
  ['de', GERMAN],
  ['de-de', GERMAN],
  ['fr', FRENCH],
  ['fr-fr', FRENCH],
  ['es', SPANISH],
  ['es-es', SPANISH],
  ['it', ITALIAN],
  ['it-it', ITALIAN],
  ['nl', DUTCH],
  ['nl-nl', DUTCH],
]);

/** @param wall what a clock on the wall shows, as if that were UTC. @returns undefined for other languages. */
export function writeDate(wall: Date, form: DateForm, language: string): string | undefined {
  const words = WORDS.get(language.toLowerCase());
  if (words === undefined) return undefined;
  const [year, month, day] = [wall.getUTCFullYear(), wall.getUTCMonth(), wall.getUTCDate()];
  const [hour, minute] = [wall.getUTCHours(), wall.getUTCMinutes()];
  const two = (value: number): string => String(value).padStart(2, '0');
  const values: Readonly<Record<string, string | undefined>> = {
    y: String(year),
    yy: two(year % 100),
    M: String(month + 1),
    MM: two(month + 1),
    MMM: words.shortMonths.split(' ')[month],
    MMMM: words.months.split(' ')[month],
    d: String(day),
    dd: two(day),
    H: String(hour),
    HH: two(hour),
    h: String(hour % 12 === 0 ? 12 : hour % 12),
    mm: two(minute),
    a: hour < 12 ? 'AM' : 'PM',
  };
  return words[form].replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '');
}
