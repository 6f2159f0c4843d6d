/** The offset of a server's clock where its log does not say it: always the same, or that of a place with summer time. */

import { isTimeZone } from './moment.ts';

const OFFSET = /^[+-](?:0\d|1[0-4])[0-5]\d$/;
const DAY_MS = 86_400_000;
const QUARTER_MS = 900_000;
/** Quarters of an hour that are remembered. */
const MAX_KNOWN = 1024;

/** True for an offset such as `+0100`, or a place such as `Europe/Berlin`. */
export function isZone(text: string): boolean {
  if (OFFSET.test(text)) return true;
  // What else this could be is an abbreviation, which means different things in different countries.
  return (text === 'UTC' || text.includes('/')) && isTimeZone(text);
}

export class Zone {
  readonly #fixed: string | undefined;
  readonly #format: Intl.DateTimeFormat | undefined;
  readonly #known = new Map<number, string>();

  /** @param name see {@link isZone} */
  constructor(name: string) {
    if (OFFSET.test(name)) this.#fixed = name;
    else this.#format = new Intl.DateTimeFormat('en-GB', { timeZone: name, timeZoneName: 'longOffset' });
  }

  /** At an instant, in milliseconds since 1970. */
  at(ms: number): string {
    return this.#fixed ?? this.#remembered(Math.floor(ms / QUARTER_MS) * QUARTER_MS);
  }

  /**
   * When the server's clock shows `localMs`, the milliseconds since 1970 as if it were UTC. In the hour that there is twice when summer
   * time ends, the first one.
   */
  atLocal(localMs: number): string {
    if (this.#fixed !== undefined) return this.#fixed;
    const before = this.at(localMs - DAY_MS);
    const after = this.at(localMs + DAY_MS);
    return before === after || this.at(localMs - minutesOf(before) * 60_000) === before ? before : after;
  }

  #remembered(ms: number): string {
    const found = this.#known.get(ms);
    if (found !== undefined) return found;
    const parts = this.#format?.formatToParts(ms) ?? [];
    const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign = '+', hours = '00', minutes = '00'] = /^GMT([+-])(\d\d):(\d\d)/.exec(name) ?? [];
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(ms, `${sign}${hours}${minutes}`);
    return `${sign}${hours}${minutes}`;
  }
}

/** Of an offset such as `-0330`. */
export function minutesOf(offset: string): number {
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3));
  return offset.startsWith('-') ? -minutes : minutes;
}
