/**
 * Values encoded by where they stand, so that no value can change the shape of a page.
 *
 * A hole is typed once, when its template or page is compiled; after that only this file decides what a value may
 * become. Threat: a partner's or a page's value that breaks out of its text or attribute, or that turns a link into a script.
 */
import { colourFault } from './colour.ts';

/**
 * Where a value stands:
 * - `json`: inside a string of a JSON data block, which must not end its element;
 * - `text`: between tags, also inside `<title>` and `<textarea>`;
 * - `attribute`: in a quoted attribute whose value is plain text;
 * - `address`: where an address begins, so that the value decides its scheme;
 * - `address-next`: in an address after nothing but other holes; two slashes must not meet and name another origin;
 * - `address-path`: in an address whose origin is settled; `/` stays a separator;
 * - `colour`: in a style, where nothing but a colour can stand;
 * - `address-part`: anywhere else in an address; everything that has a meaning there is percent-encoded.
 */
export type HoleContext =
  | 'json'
  | 'text'
  | 'attribute'
  | 'colour'
  | 'address'
  | 'address-next'
  | 'address-path'
  | 'address-part';

const REFERENCES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  // A bare carriage return becomes a line feed when the page is parsed.
  '\r': '&#13;',
};

/** Controls that HTML cannot carry, not even as a character reference, except tab, line feed and carriage return. */
const UNCARRIABLE = /[^\P{Cc}\t\n\r]/gu;

function escapeWith(text: string, special: RegExp): string {
  return text
    .toWellFormed()
    .replace(UNCARRIABLE, '\uFFFD')
    .replace(special, (character) => REFERENCES[character] ?? character);
}

export function escapeText(text: string): string {
  return escapeWith(text, /[&<>\r]/g);
}

/** For attributes in either kind of quotes. */
export function escapeAttribute(text: string): string {
  return escapeWith(text, /[&<>"'\r]/g);
}

/** JSON as it can stand in `<script>`: the same document, in which no `<` begins a tag. */
export function escapeJson(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** Percent-encodes what an address cannot hold; existing `%XX` stay. */
function encodeAddress(address: string): string {
  return encodeURI(address.toWellFormed()).replace(/%25([0-9A-Fa-f]{2})/g, '%$1');
}

/** The value as it stands in the page; {@link valueFault} has found nothing wrong with it before. */
export function encodeValue(value: string, context: HoleContext): string {
  if (context === 'text') return escapeText(value);
  if (context === 'json') return escapeJson(JSON.stringify(value.toWellFormed())).slice(1, -1);
  // A colour has nothing to escape, in a style element as little as in an attribute.
  if (context === 'colour') return value;
  return escapeAttribute(context === 'attribute' ? value : encodeForAddress(value, context));
}

function encodeForAddress(
  value: string,
  context: Exclude<HoleContext, 'json' | 'text' | 'attribute' | 'colour'>,
): string {
  if (context === 'address') return encodeAddress(value);
  const part = encodeURIComponent(value.toWellFormed());
  if (context === 'address-part') return part;
  const path = part.replaceAll('%2F', '/');
  return context === 'address-path' ? path : path.replace(/^\/+/, (slashes) => '%2F'.repeat(slashes.length));
}

const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
const ALLOWED_SCHEME = /^(?:https?:\/\/[^/?#]|mailto:|tel:)/i;
/** Browsers drop tabs and line feeds, trim controls and blanks, and read `\` as `/` in addresses. */
const TROUBLE_IN_ADDRESS = /[\p{Cc}\p{Cf}\p{Z}\\]/u;

/** Why `address` cannot be where a link or a source leads, as the end of a sentence. */
export function addressFault(address: string): string | undefined {
  if (TROUBLE_IN_ADDRESS.test(address)) return 'holds a blank, a control character or a backslash';
  if (address.startsWith('//')) return 'starts with two slashes';
  if (SCHEME.test(address) && !ALLOWED_SCHEME.test(address))
    return 'is not an http, https, mailto, tel or relative address';
  return undefined;
}

/** Why `value` cannot stand in a hole of this kind, as the end of a sentence. */
export function valueFault(value: string, context: HoleContext): string | undefined {
  if (context === 'colour') return colourFault(value);
  return context === 'address' ? addressFault(value) : undefined;
}

/**
 * The kind of a hole in an address. `before` is the address so far, decoded, with {@link HOLE} for every earlier hole.
 */
export function addressContext(before: string): HoleContext {
  if (before === '') return 'address';
  if (before.replaceAll(HOLE, '') === '') return 'address-next';
  // A hole at the start has settled the origin.
  const settled =
    /^(?:https?:\/\/[^/?#]+\/|\/[^/]|[^:/?#]+\/|[?#]|mailto:|tel:)/i.test(before) || before.startsWith(HOLE);
  return settled ? 'address-path' : 'address-part';
}

/** Stands for a hole where the constant text of an address is judged; no address holds it unencoded. */
export const HOLE = '\uFFFC';
