/**
 * Days and times as people read them, in the language of the page and the time zone of the site: `{{ page.date.long }}`.
 *
 * In languages whose words do not ship, they are those of this Node; blanks that change from one version of it to the next are
 * plain ones here.
 */
import { isMoment, startOfMoment, wallClock } from '../protocol/moment.ts';
import { FORMS, writeDate, type DateForm } from './date-words.ts';

const FALLBACK = 'en';

export function isDateForm(word: string): word is DateForm {
  return FORMS.some((form) => form === word);
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** @returns undefined when `moment` is none, or has no time and `form` asks for it */
export function formatMoment(
  moment: string,
  form: DateForm,
  { language, timeZone }: { readonly language: string; readonly timeZone: string },
): string | undefined {
  if (!isMoment(moment) || (form === 'time' && !moment.includes('T'))) return undefined;
  const at = startOfMoment(moment, timeZone);
  const wall = wallClock(at, timeZone);
  const written = writeDate(wall, form, language);
  if (written !== undefined) return written;
  const [locale] = supported(language);
  if (locale === undefined) return writeDate(wall, form, FALLBACK);
  return formatOf(form, locale, timeZone)
    .format(at)
    .replaceAll(/[\u00A0\u2009\u202F]/g, ' ');
}

function formatOf(form: DateForm, locale: string, timeZone: string): Intl.DateTimeFormat {
  const key = `${form} ${locale} ${timeZone}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat(locale, {
    timeZone,
    ...(form === 'time' ? { timeStyle: 'short' } : { dateStyle: form }),
  });
  formats.set(key, made);
  return made;
}

/** A language may be well-formed enough for a page and not for Intl. */
function supported(language: string): readonly string[] {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(language);
  } catch {
    return [];
  }
}
