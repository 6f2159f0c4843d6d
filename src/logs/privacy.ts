/** What a partner's policy lets leave of a hit, before the hit becomes a leaf. */
import type { AddressPolicy } from './address.ts';
import { authorityEnd, hostStart } from './authority.ts';
import { JSON_NAMES } from './json-reader.ts';
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

/**
 * The parameters which the policy keeps, as they stand and in their order; one byte a character.
 *
 * A value is kept up to a `;` or `?`, behind which some servers begin another parameter, and a `#`.
 */
export function keptQuery(query: string, names: ReadonlySet<string>): string {
  return query
    .split('&')
    .map((parameter) => parameter.replace(/[;?#].*$/s, ''))
    .filter((parameter) => names.has(parameterName(parameter)))
    .join('&');
}

/**
 * The origin of a referrer (`https://www.example:8080`) without user name and password: these never leave. Undefined when it has
 * none that is beyond doubt, or is no address of a page or an app.
 */
export function referrerOrigin(line: Line, start: number, end: number): string | undefined {
  const scheme = /^(?:https?|android-app):\/\//i.exec(line.latin1(start, Math.min(end, start + 16)))?.[0];
  if (scheme === undefined) return undefined;
  const authority = start + scheme.length;
  const to = authorityEnd(line.bytes, authority, end);
  const host = hostStart(line.bytes, authority, to);
  return host < 0 ? undefined : scheme + line.latin1(host, to);
}

const METHODS = 'GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PROPFIND';
/** What of an unreadable line stays as it is: times, the first request's method and path, protocols, names that servers give to members of JSON. */
const STAYS = [
  String.raw`\[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]`,
  String.raw`(?<=")\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)(?=")`,
  String.raw`(?<request>(?<=")(?:${METHODS}) \/[\w\/.~-]*)`,
  String.raw`(?<="request_uri"\s?:\s?")\/[\w\/.~-]*`,
  String.raw`(?<= )HTTP\/\d(?:\.\d)?(?=")`,
  String.raw`(?<name>(?<=")[\w.@-]{1,40}(?="\s?:))`,
  String.raw`(?<=:\s?)(?:true|false|null)(?=[,}\]])`,
  String.raw`\\["\\/bfnrt]`,
];
const UNICODE = String.raw`\\u[\da-fA-F]{4}`;
const DIGITS = String.raw`(?<first>\d)\d*`;
/** Letters, and whatever else does not show where fields begin and end. */
const OTHERS = String.raw`[^\s\d"[\]{}:,.\\\/?-]|[^ \t\x21-\x7e]`;

const PARTS = new RegExp(`${STAYS.join('|')}|${UNICODE}|${DIGITS}|${OTHERS}`, 'g');

/**
 * A line that no format can take apart, as it may leave under any policy: its form. Nobody can tell what of it is a name, a query
 * or an address, so letters become `x` and digits `1`.
 *
 * An auditor can still tell that it really is unreadable: the form is read by a format exactly when the line is. So times, and what
 * separates fields, stay; so do method and path of a request, which leave of a hit too. One character a byte.
 */
export function redactLine(text: string): string {
  let hasRequest = false;
  // A name of JSON that is spelt with escapes may be one that stands there twice; masked, it would be another one.
  const areNamesShown = !/\\u[\da-f]{4}/i.test(text);
  return text.replace(PARTS, (...found: unknown[]) => {
    const [part, groups] = [String(found[0]), groupsOf(found.at(-1))];
    if (groups['request'] !== undefined) {
      const stays = !hasRequest;
      hasRequest = true;
      return stays ? part : masked(part);
    }
    if (groups['name'] !== undefined) return areNamesShown && JSON_NAMES.has(part) ? part : masked(part);
    if (groups['first'] !== undefined) return `${groups['first'] === '0' ? '0' : '1'}${'1'.repeat(part.length - 1)}`;
    if (part.length === 6 && part.startsWith('\\u')) return '\\u1111';
    return part.length === 1 && part !== '/' ? 'x' : part;
  });
}

/** A line about a W3C log itself, whole where it is one of those that servers write. */
export function directiveText(text: string): string {
  return /^#(?:Fields|Version|Date|Software|Start-Date|End-Date):/i.test(text) ? text : redactLine(text);
}

function masked(text: string): string {
  return text.replace(/\d/g, '1').replace(/[^\d .:/-]/g, 'x');
}

function groupsOf(groups: unknown): Readonly<Record<string, string | undefined>> {
  return typeof groups === 'object' && groups !== null ? { ...groups } : {};
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
