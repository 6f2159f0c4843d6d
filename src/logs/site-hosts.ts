/**
 * Which host names are a site's own: a log may be of several sites, and a visitor can name any host.
 *
 * A request for the path of a tie-up file is a hit on it only where the log names a host of the site, or none.
 */
import type { Line } from './line.ts';

/** Different hosts that are told apart when they are counted; anybody can make up more. */
const MAX_COUNTED = 20;
const LONGEST_HOST = 255;

/**
 * The names of the site at `url`: its own with and without `www.`, and those in `others`.
 * @param others host names, a port does not matter
 */
export function siteHosts(url: string, others: readonly string[] = []): ReadonlySet<string> {
  const own = hostName(new URL(url).hostname);
  return new Set([own, own.startsWith('www.') ? own.slice(4) : `www.${own}`, ...others.map(hostName)]);
}

/** Lower case, without port and without the dot that ends an absolute name. */
export function hostName(text: string): string {
  return text
    .replace(/:\d*$/, '')
    .replace(/\.$/, '')
    .replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Requests for paths of tie-up files at hosts which are none of the site's. */
export interface OtherHost {
  readonly host: string;
  readonly requests: number;
}

/** Judges the host of one line after the other, and counts those which are not the site's. */
export class HostCheck {
  readonly #own: ReadonlySet<string>;
  readonly #others = new Map<string, number>();
  #last: Uint8Array = new Uint8Array(0);
  #isLastOwn = false;

  constructor(own: ReadonlySet<string>) {
    this.#own = own;
  }

  /** True when the bytes in `[start, end)` are a host of the site; what is not is counted. */
  isOwn({ bytes }: Pick<Line, 'bytes'>, start: number, end: number): boolean {
    const length = end - start;
    if (length !== this.#last.length || bytes.compare(this.#last, 0, length, start, end) !== 0) {
      this.#last = Uint8Array.from(bytes.subarray(start, end));
      this.#isLastOwn = length <= LONGEST_HOST && this.#own.has(hostName(bytes.toString('latin1', start, end)));
    }
    if (!this.#isLastOwn) this.#count(hostName(bytes.toString('latin1', start, Math.min(end, start + LONGEST_HOST))));
    return this.#isLastOwn;
  }

  isOwnName(host: string): boolean {
    const isOwn = this.#own.has(hostName(host));
    if (!isOwn) this.#count(hostName(host));
    return isOwn;
  }

  others(): readonly OtherHost[] {
    return [...this.#others].map(([host, requests]) => ({ host, requests }));
  }

  #count(host: string): void {
    const before = this.#others.get(host);
    if (before !== undefined || this.#others.size < MAX_COUNTED) this.#others.set(host, (before ?? 0) + 1);
  }
}

/** Both counts together, those with most requests first, and no more hosts than one of them may have. */
export function addOtherHosts(before: readonly OtherHost[], more: readonly OtherHost[]): readonly OtherHost[] {
  const sums = new Map<string, number>();
  for (const { host, requests } of [...before, ...more]) sums.set(host, (sums.get(host) ?? 0) + requests);
  return [...sums]
    .map(([host, requests]) => ({ host, requests }))
    .toSorted((a, b) => b.requests - a.requests || (a.host < b.host ? -1 : 1))
    .slice(0, MAX_COUNTED);
}
