/** Campaign dates on the command line: as an option, and as what a person reads. */
import type { ScheduledPage } from '../content/schedule.ts';
import { TieupError } from '../errors.ts';
import { isMoment, showMoment, startOfMoment } from '../protocol/moment.ts';
import { visible } from './visible.ts';

/** @throws TIEUP_E_USAGE when `text` is no day and no time. */
export function momentOption(option: string, text: string | undefined, timeZone: string): Date | undefined {
  if (text === undefined) return undefined;
  if (isMoment(text)) return startOfMoment(text, timeZone);
  throw new TieupError('TIEUP_E_USAGE', `${option} ${JSON.stringify(text)} is no day and no time`, {
    hint: 'write 2026-12-20, 2026-12-20T08:00, or 2026-12-20T08:00+01:00',
  });
}

/** A line for each page that is still to come or to go. */
export function scheduleLines(scheduled: readonly ScheduledPage[], timeZone: string): string {
  const show = (at: string): string => showMoment(new Date(at), timeZone);
  return scheduled
    .map(({ source, state, from, until }) => {
      const comes = state === 'upcoming' && from !== null ? [`goes live ${show(from)}`] : [];
      const goes = state !== 'over' && until !== null ? [`leaves ${show(until)}`] : [];
      return { source, said: [...comes, ...goes] };
    })
    .filter(({ said }) => said.length > 0)
    .map(({ source, said }) => `  by date: ${visible(source)} ${said.join(', ')}\n`)
    .join('');
}
