/** Two clocks that are both roughly right differ by less than this: a day. */
export const CLOCK_TOLERANCE_MS = 24 * 60 * 60 * 1000;

/** ISO 8601 UTC without fractions, the form of every instant that tieup writes: `2026-11-23T22:00:00Z`. */
export function instant(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

/** True for exactly the form that {@link instant} writes, and a date that exists. */
export function isInstant(text: string): boolean {
  if (!INSTANT.test(text)) return false;
  const time = Date.parse(text);
  return !Number.isNaN(time) && instant(new Date(time)) === text;
}
