import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endOfMoment, isMoment, isTimeZone, showMoment, startOfMoment } from '../../../src/protocol/moment.ts';

const start = (text: string, zone = 'Europe/Berlin') => startOfMoment(text, zone).toISOString();
const end = (text: string, zone = 'Europe/Berlin') => endOfMoment(text, zone).toISOString();

describe('days and times', () => {
  it('begin and end as clocks at the site show it', () => {
    expect(start('2026-12-20')).toBe('2026-12-19T23:00:00.000Z');
    expect(end('2026-12-20')).toBe('2026-12-20T23:00:00.000Z');
    expect(start('2026-07-01T08:30')).toBe('2026-07-01T06:30:00.000Z');
    expect(end('2026-07-01T08:30')).toBe('2026-07-01T06:30:00.000Z');
    expect(start('2026-07-01T08:30:15', 'UTC')).toBe('2026-07-01T08:30:15.000Z');
  });

  it('say themselves what they mean when they name an offset', () => {
    expect(start('2026-07-01T08:30Z')).toBe('2026-07-01T08:30:00.000Z');
    expect(start('2026-07-01T08:30-05:30', 'Asia/Tokyo')).toBe('2026-07-01T14:00:00.000Z');
  });

  it('are never lost when clocks change', () => {
    // Skipped, and there twice.
    expect(start('2026-03-29T02:30')).toBe('2026-03-29T01:30:00.000Z');
    expect(start('2026-10-25T02:30')).toBe('2026-10-25T00:30:00.000Z');
    // A day of 23 hours, a day of 25 hours, and a midnight that does not exist.
    expect([start('2026-03-29'), end('2026-03-29')]).toEqual(['2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z']);
    expect([start('2026-10-25'), end('2026-10-25')]).toEqual(['2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z']);
    expect(start('2018-11-04', 'America/Sao_Paulo')).toBe('2018-11-04T03:00:00.000Z');
  });

  it('have to be on the calendar', () => {
    const wrong = [
      '2026-02-29',
      '2026-13-01',
      '2026-1-1',
      '2026-01-01T24:00',
      '2026-01-01T10:60',
      '2026-01-01 10:00',
      '2026-01-01T10:00+25:00',
      '2026-01-01Z',
      'tomorrow',
      '',
    ];
    expect(wrong.filter(isMoment)).toEqual([]);
    expect(() => startOfMoment('tomorrow', 'UTC')).toThrow(RangeError);
    expect(() => startOfMoment('2026-01-01', 'Europe/Atlantis')).toThrow(RangeError);
  });

  it('are read in zones that exist', () => {
    expect(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires'].every(isTimeZone)).toBe(true);
    expect(['Europe/Atlantis', '', '+01:00', '../UTC'].some(isTimeZone)).toBe(false);
  });

  it('follow each other in every zone, and are shown as they were written', () => {
    const day = fc
      .date({ min: new Date('2000-01-01'), max: new Date('2060-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10));
    const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata');
    fc.assert(
      fc.property(day, zone, (text, timeZone) => {
        const from = startOfMoment(text, timeZone);
        const until = endOfMoment(text, timeZone);
        const hours = (until.getTime() - from.getTime()) / 3_600_000;
        expect(hours).toBeGreaterThanOrEqual(23);
        expect(hours).toBeLessThanOrEqual(25);
        expect(showMoment(from, timeZone)).toBe(`${text} 00:00 ${timeZone}`);
      }),
    );
  });
});
