/** When pages are to be brought to a partner: a cron pattern in a time zone, and hours in which nobody is disturbed. Owner of croner. */
import { Cron } from 'croner';
import { z } from 'zod';
import { isTimeZone } from '../protocol/moment.ts';

export interface Schedule {
  /** A cron pattern of five fields: minute, hour, day of the month, month, day of the week. */
  readonly at: string;
  /** IANA name of the time zone that both settings below are in: `Europe/Berlin`. */
  readonly timezone: string;
  /** `22:00-06:00`: nothing is pushed from the first minute on until the last; what was due is pushed after it. */
  readonly quiet: readonly string[];
}

const QUIET = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/;
const MINUTES_A_DAY = 24 * 60;

export const scheduleSchema: z.ZodType<Schedule> = z.strictObject({
  at: z
    .string()
    .max(200)
    .refine(isPattern, {
      error: 'must be a cron pattern such as "30 6 * * 1-5": minute, hour, day, month, day of the week',
    })
    .meta({ description: 'when to push: minute, hour, day of the month, month, day of the week' }),
  timezone: z
    .string()
    .max(100)
    .refine(isTimeZone, { error: 'must be a time zone such as Europe/Berlin' })
    .default('UTC')
    .meta({ description: 'the time zone of both' }),
  quiet: z
    .array(z.string().regex(QUIET, { error: 'must be a span such as 22:00-06:00' }))
    .max(10)
    .default([])
    .meta({ description: 'hours in which nothing is pushed' }),
});

function isPattern(text: string): boolean {
  if (text.trim().split(/\s+/).length !== 5) return false;
  try {
    return new Cron(text, { paused: true }).nextRun(new Date(0)) !== null;
  } catch {
    return false;
  }
}

/** The last prescribed time up to `now`; undefined when there was none. */
export function lastTime({ at, timezone }: Schedule, now: Date): Date | undefined {
  // croner looks for times before the given one: the second that has just begun counts.
  const second = Math.floor(now.getTime() / 1000) * 1000;
  const [last] = new Cron(at, { timezone, paused: true }).previousRuns(1, new Date(second + 1000));
  return last;
}

/** The first prescribed time after `now`; undefined when there is none. */
export function nextTime({ at, timezone }: Schedule, now: Date): Date | undefined {
  return new Cron(at, { timezone, paused: true }).nextRun(now) ?? undefined;
}

/** Whether nobody is to be disturbed at `now`, by the clock on the wall there. */
export function isQuiet({ quiet, timezone }: Schedule, now: Date): boolean {
  if (quiet.length === 0) return false;
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const [hour = 0, minute = 0] = clock.format(now).split(':').map(Number);
  const at = hour * 60 + minute;
  return quiet.some((span) => {
    const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = (QUIET.exec(span) ?? []).slice(1).map(Number);
    const from = fromHour * 60 + fromMinute;
    const length = (toHour * 60 + toMinute - from + MINUTES_A_DAY) % MINUTES_A_DAY;
    return (at - from + MINUTES_A_DAY) % MINUTES_A_DAY < length;
  });
}

/**
 * Whether a prescribed time has come since `served`, and this is no quiet hour. What was missed is done once, not once for
 * every time that was missed.
 * @param served when everything that was due before had been done; undefined: never
 */
export function isDue(schedule: Schedule, served: Date | undefined, now: Date): boolean {
  if (isQuiet(schedule, now)) return false;
  const last = lastTime(schedule, now);
  return last !== undefined && (served === undefined || served < last);
}
