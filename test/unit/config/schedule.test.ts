/** Prescribed times: cron patterns in a time zone, quiet hours, the days on which clocks change. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePartnership } from '../../../src/config/partnership.ts';
import { isDue, isQuiet, lastTime, nextTime, type Schedule } from '../../../src/config/schedule.ts';

const schedule = (at: string, timezone = 'UTC', quiet: readonly string[] = []): Schedule => ({ at, timezone, quiet });
const MORNING = schedule('30 6 * * 1-5', 'Europe/Berlin');

describe('a partner with a schedule', () => {
  test.each<readonly [string, string | undefined, string, boolean]>([
    ['before its time', '2026-11-23T05:30:10Z', '2026-11-24T05:29:59Z', false],
    ['at its time, by the clock there', '2026-11-23T05:30:10Z', '2026-11-24T05:30:00Z', true],
    ['when it was served at its time', '2026-11-24T05:30:00Z', '2026-11-24T05:35:00Z', false],
    ['days later, once for all that was missed', '2026-11-16T06:00:00Z', '2026-11-21T12:00:00Z', true],
    ['on a Sunday after Friday was served', '2026-11-20T05:31:00Z', '2026-11-22T12:00:00Z', false],
    ['that was never served', undefined, '2026-11-24T12:00:00Z', true],
    ['in summer, when the clock there is an hour ahead', '2026-07-01T04:00:00Z', '2026-07-01T04:30:00Z', true],
  ])('%s', (_when, served, now, due) => {
    expect(isDue(MORNING, served === undefined ? undefined : new Date(served), new Date(now))).toBe(due);
  });

  test('is not disturbed in quiet hours, and served after them', () => {
    const night = schedule('*/10 * * * *', 'Europe/Berlin', ['22:00-06:00', '12:00-13:00']);
    const due = (now: string): boolean => isDue(night, new Date('2026-11-23T10:00:00Z'), new Date(now));
    expect(due('2026-11-23T20:59:00Z')).toBe(true);
    expect(due('2026-11-23T21:00:00Z')).toBe(false);
    expect(due('2026-11-24T04:59:59Z')).toBe(false);
    expect(due('2026-11-24T05:00:00Z')).toBe(true);
    expect(due('2026-11-24T11:30:00Z')).toBe(false);
  });

  test('on the night in which clocks go forward has its time once, and when they go back too', () => {
    const night = schedule('30 2 * * *', 'Europe/Berlin');
    let served = new Date('2026-03-28T12:00:00Z');
    const times: string[] = [];
    for (let minute = 0; minute < 3 * 24 * 12; minute++) {
      const now = new Date(Date.parse('2026-03-28T12:00:00Z') + minute * 5 * 60_000);
      if (isDue(night, served, now)) times.push((served = now).toISOString());
    }
    expect(times).toHaveLength(3);
    served = new Date('2026-10-24T12:00:00Z');
    const back: string[] = [];
    for (let minute = 0; minute < 2 * 24 * 12; minute++) {
      const now = new Date(Date.parse('2026-10-24T12:00:00Z') + minute * 5 * 60_000);
      if (isDue(night, served, now)) back.push((served = now).toISOString());
    }
    expect(back).toHaveLength(2);
  });
});

test('the last time is never after now, the next always', () => {
  const patterns = fc.constantFrom('* * * * *', '30 6 * * 1-5', '0 0 1 * *', '*/7 3,4 * 2 *', '15 2 * * *');
  const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe');
  const moments = fc.date({ min: new Date('2024-01-01'), max: new Date('2034-01-01'), noInvalidDate: true });
  fc.assert(
    fc.property(patterns, zones, moments, (at, timezone, now) => {
      const [last, next] = [lastTime(schedule(at, timezone), now), nextTime(schedule(at, timezone), now)];
      expect((last?.getTime() ?? 0) <= now.getTime()).toBe(true);
      expect((next?.getTime() ?? Infinity) > now.getTime()).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('an empty span is no quiet hour', () => {
  expect(isQuiet(schedule('* * * * *', 'UTC', ['00:00-00:00']), new Date('2026-11-23T00:00:00Z'))).toBe(false);
});

const file = (lines: string): string =>
  `id: harbour\nname: Harbour\nurl: https://harbour.example/\nmount: /with-us/\nperiod:\n  from: "2026-01-01"\n${lines}`;

test('a partnership file may have one', () => {
  const { schedule: found } = parsePartnership(
    file('schedule:\n  at: "30 6 * * 1-5"\n  timezone: Europe/Berlin\n'),
    'p.yaml',
  );
  expect(found).toEqual({ at: '30 6 * * 1-5', timezone: 'Europe/Berlin', quiet: [] });
});

test.each([
  ['at: "61 6 * * *"', 'cron pattern'],
  ['at: "* * * * * *"', 'cron pattern'],
  ['at: soon', 'cron pattern'],
  ['at: "0 0 31 2 *"', 'cron pattern'],
  ['at: "0 6 * * *"\n  timezone: Mars/Olympus', 'time zone'],
  ['at: "0 6 * * *"\n  quiet: ["25:00-06:00"]', 'span'],
])('%j is refused with its place', (lines, named) => {
  expect(() => parsePartnership(file(`schedule:\n  ${lines}\n`), 'p.yaml')).toThrow(
    expect.objectContaining({ problems: [expect.objectContaining({ message: expect.stringContaining(named) })] }),
  );
});
