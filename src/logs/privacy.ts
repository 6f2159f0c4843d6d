/** What a partner's policy lets leave of a hit, before the hit becomes a leaf. */
import { type AddressPolicy, maskAddresses } from './address.ts';
import type { Line } from './line.ts';

export interface Privacy {
  readonly address: AddressPolicy;
  /** Whether hits carry a pseudonym that holds for a day. */
  readonly visitor: 'daily' | 'none';
  /** The query parameters that stay, by name. */
  readonly query: readonly string[];
  readonly referrer: 'origin' | 'full' | 'drop';
  readonly user: 'drop' | 'keep';
}

export const DEFAULT_PRIVACY: Privacy = {
  address: 'truncate',
  visitor: 'daily',
  query: [],
  referrer: 'origin',
  user: 'drop',
};

/** Of `[start, end)`, one byte a character, the parameters which the policy keeps, as they stand and in their order. */
export function keptQuery(query: string, names: ReadonlySet<string>): string {
  return query
    .split('&')
    .filter((parameter) => names.has(parameterName(parameter)))
    .join('&');
}

/**
 * Where the origin of a referrer ends (`https://www.example:8080`), and where it begins behind a user name and password:
 * these never leave. Undefined when the referrer has no origin.
 */
export function referrerOrigin(line: Line, start: number, end: number): string | undefined {
  const text = line.latin1(start, Math.min(end, start + 1024));
  const { scheme, host } =
    /^(?<scheme>[a-z][a-z\d+.-]{0,30}:\/\/)(?:[^/?#\\]*@)?(?<host>[^/?#\\@]+)/i.exec(text)?.groups ?? {};
  return scheme === undefined || host === undefined ? undefined : scheme + host;
}

/**
 * A line that no format can take apart, as the policy lets it leave: addresses shown as those of hits are, queries left
 * out. What a reader of logs sees of its form stays, so that an auditor can tell that it really is unreadable.
 */
export function redactLine(text: string, privacy: Privacy): string {
  const masked = maskAddresses(text, privacy.address);
  const names = new Set(privacy.query);
  return masked.replace(/\?([^\s"#]*)/g, (_, query: string) => `?${keptQuery(query, names)}`);
}

function parameterName(parameter: string): string {
  const cut = parameter.indexOf('=');
  const name = cut < 0 ? parameter : parameter.slice(0, cut);
  if (!/[%+]/.test(name)) return name;
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    // A name with a bad escape is on no list.
    return name;
  }
}
