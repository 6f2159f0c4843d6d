/** Campaign dates: which pages are published at a moment, and when that changes next. */
import type { Problem } from '../errors.ts';
import { instant } from '../protocol/instant.ts';
import { endOfMoment, startOfMoment } from '../protocol/moment.ts';
import type { PageSource } from './source.ts';

/** A page with `publish-from` or `publish-until`. */
export interface ScheduledPage {
  /** Below the folder of pages. */
  readonly source: string;
  readonly title: string;
  /** Ids or tags of the partners that get it; undefined for all. */
  readonly partners: readonly string[] | undefined;
  /** `upcoming`: not published yet · `over`: published no more. */
  readonly state: 'upcoming' | 'published' | 'over';
  /** The first instant at which it is published; null when it always was. */
  readonly from: string | null;
  /** The first instant at which it no longer is; null when it stays. */
  readonly until: string | null;
}

export interface Schedule {
  /** Pages which are published at that time. */
  readonly current: readonly PageSource[];
  /** Pages which will be; they are checked already. */
  readonly upcoming: readonly PageSource[];
  readonly scheduled: readonly ScheduledPage[];
}

export type DatedPage = Pick<PageSource, 'path' | 'file'> & {
  readonly meta: Pick<PageSource['meta'], 'title' | 'partners' | 'publishFrom' | 'publishUntil'>;
};

/** @param at drafts play no part; they have to be left out before */
export function applySchedule(pages: readonly PageSource[], timeZone: string, at: Date, problems: Problem[]): Schedule {
  const scheduled: ScheduledPage[] = [];
  const current: PageSource[] = [];
  const upcoming: PageSource[] = [];
  for (const page of pages) {
    const entry = scheduleOf(page, timeZone, at, problems);
    if (entry !== undefined) scheduled.push(entry);
    if (entry === undefined || entry.state === 'published') current.push(page);
    else if (entry.state === 'upcoming') upcoming.push(page);
  }
  return { current, upcoming, scheduled };
}

/** Undefined for a page without dates. */
export function scheduleOf(
  { path, file, meta }: DatedPage,
  timeZone: string,
  at: Date,
  problems: Problem[],
): ScheduledPage | undefined {
  const { publishFrom, publishUntil, title, partners } = meta;
  if (publishFrom === undefined && publishUntil === undefined) return undefined;
  const from = publishFrom === undefined ? null : startOfMoment(publishFrom, timeZone);
  const until = publishUntil === undefined ? null : endOfMoment(publishUntil, timeZone);
  if (from !== null && until !== null && until <= from) {
    const message = `\`publish-until\` ${publishUntil} is not after \`publish-from\` ${publishFrom}: the page would never be published`;
    problems.push({ file, message });
  }
  const state = from !== null && at < from ? 'upcoming' : until !== null && at >= until ? 'over' : 'published';
  return {
    source: path,
    title,
    partners,
    state,
    from: from === null ? null : instant(from),
    until: until === null ? null : instant(until),
  };
}

/** The first instant after `at` at which a page comes or goes; undefined when none does. */
export function nextChange(scheduled: readonly ScheduledPage[], at: Date): string | undefined {
  const now = instant(at);
  return scheduled
    .flatMap(({ from, until }) => [from, until])
    .filter((each) => each !== null)
    .filter((each) => each > now)
    .toSorted()[0];
}
