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
const PATH = String.raw`\/[\w\/.~-]*`;
/** What of an unreadable line stays as it is: times, the first request's method and path, protocols, names that servers give to members of JSON. */
const STAYS = new RegExp(
  [
    String.raw`\[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]`,
    String.raw`"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)(?=")`,
    `"(?<request>(?:${METHODS}) ${PATH})`,
    String.raw`"request_uri"\s?:\s?"${PATH}`,
    String.raw`"(?<name>[\w.@-]{1,40})(?="\s?:)`,
    String.raw` HTTP\/\d(?:\.\d)?(?=")`,
    String.raw`:\s?(?:true|false|null)(?=[,}\]])`,
    String.raw`\\(?:["\\\/bfnrt]|(?<unicode>u[\da-fA-F]{4}))`,
  ].join('|'),
  'g',
);

const [LETTER, ONE, ZERO] = [0x78, 0x31, 0x30];
/** What stands for each byte: itself where it shows where fields begin and end, `1` for a digit, `x` for all others. */
const FORM = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  if (/\d/.test(character)) return ONE;
  return /[ \t"[\]{}:,.\\/?-]/.test(character) ? byte : LETTER;
});

/**
 * A line that no format can take apart, as it may leave under any policy: its form. Nobody can tell what of it is a name, a query
 * or an address, so letters become `x` and digits `1`.
 *
 * An auditor can still tell that it really is unreadable: the form is read by a format exactly when the line is. So times, and what
 * separates fields, stay; so do method and path of a request, which leave of a hit too. One character a byte.
 */
export function redactLine(text: string): string {
  const form = Buffer.from(text, 'latin1');
  form.forEach((byte, at) => {
    // A number that begins with 0 is none to some formats.
    const isZero = byte === ZERO && !isDigit(text.charCodeAt(at - 1));
    form[at] = isZero ? ZERO : (FORM[byte] ?? LETTER);
  });
  let hasRequest = false;
  // A name of JSON that is spelt with escapes may be one that stands there twice; masked, it would be another one.
  const areNamesShown = !/\\u[\da-f]{4}/i.test(text);
  for (const { 0: part, index, groups } of text.matchAll(STAYS)) {
    const { request, name, unicode } = groups ?? {};
    if (unicode !== undefined) form.write('u1111', index + 1, 'latin1');
    else if (request !== undefined ? !hasRequest : name === undefined || (areNamesShown && JSON_NAMES.has(name)))
      form.write(part, index, 'latin1');
    hasRequest ||= request !== undefined;
  }
  return form.toString('latin1');
}

/** A line about a W3C log itself, whole where it is one of those that servers write. */
export function directiveText(text: string): string {
  return /^#(?:Fields|Version|Date|Software|Start-Date|End-Date):/i.test(text) ? text : redactLine(text);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
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
