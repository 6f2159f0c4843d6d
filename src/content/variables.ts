/** The variables of templates and pages: which there are, and what is known of each before a partner is. */
import { nearest } from '../protocol/nearest.ts';
import type { Collection, Collections, Pagination } from './collections.ts';
import type { Condition } from './condition.ts';
import type { Data } from './data.ts';
import type { PartnerView, SiteIdentity } from './source.ts';

/** Source of a pattern: names with dots between them. */
export const NAME = '[A-Za-z][A-Za-z0-9_.-]*';
/** `{{ partner.name }}`; the first group is the name. Anything else in double braces is plain text. */
export const VARIABLE = new RegExp(`\\{\\{[ \\t]*(${NAME})[ \\t]*\\}\\}`);

/** A variable as far as it can be resolved without a partner. */
export type Variable =
  | { readonly kind: 'constant'; readonly value: string }
  /** Of a partner: built in, or one of its values. */
  | { readonly kind: 'partner'; readonly name: string }
  /** The page's address at the partner, or the one which search engines are told. */
  | { readonly kind: 'page-address'; readonly which: 'url' | 'canonical' }
  /** The address of what has this percent-encoded path below the mount. */
  | { readonly kind: 'mount-address'; readonly path: string }
  /** The release in which the page last changed. */
  | { readonly kind: 'since' }
  /** How many pages the pagination has for the partner. */
  | { readonly kind: 'total'; readonly collection: string; readonly size: number };

/** What a page contributes; undefined while a template is compiled that all pages share. */
export interface PageScope {
  readonly title: string;
  readonly description: string;
  readonly language: string;
  /** Below the mount: `guide/intro.html`. */
  readonly path: string;
  /** The page's address at the main site. */
  readonly source: string;
  /** ISO 8601. */
  readonly date: string | undefined;
  readonly tags: readonly string[];
  readonly values: Readonly<Record<string, string>>;
  /** Names of values that any page has: a condition may ask every page for them. */
  readonly known: ReadonlySet<string>;
  readonly collections: Collections;
  readonly pagination: Pagination | undefined;
}

/** True for what a hole can hold. */
export function isVariable(found: Lookup): found is Variable {
  return ['constant', 'partner', 'page-address', 'since', 'total'].includes(found.kind);
}

/** What can be said about a name: a variable, nothing before the page is known, or what is wrong with it. */
export type Lookup =
  | Variable
  | { readonly kind: 'later' }
  /** A list or a mapping, for loops and conditions. */
  | { readonly kind: 'list'; readonly value: Data }
  /** Pages of a collection, from one place up to, without, another. */
  | { readonly kind: 'pages'; readonly collection: Collection; readonly from: number; readonly to: number }
  /** A value that is there for some partners. */
  | { readonly kind: 'when'; readonly condition: Condition; readonly value: string }
  /** Not there, which a condition may ask for. */
  | { readonly kind: 'absent'; readonly message: string }
  | { readonly kind: 'unknown'; readonly message: string };

const SITE = ['name', 'url', 'language'] as const;
const PAGE = ['title', 'description', 'language', 'path', 'source', 'url', 'canonical', 'date', 'tags'] as const;
const PARTNER = ['id', 'name', 'url', 'mount'] as const;

/** Names that `site.values`, `page.values` and a partner's values cannot have. */
export const BUILT_IN: Readonly<Record<'site' | 'page' | 'partner', readonly string[]>> = {
  site: [...SITE, 'values'],
  page: PAGE,
  partner: PARTNER,
};

/** Variables whose values are checked addresses, paths or ids of the partnership, never free text of anybody. */
const TRUSTED = new Set([
  'mount',
  'partner.mount',
  'partner.url',
  'partner.id',
  'site.url',
  'page.path',
  'page.url',
  'page.canonical',
  'page.source',
]);

/** True when a value may decide from where a page loads a script, a style or a frame. */
export function isTrusted(name: string): boolean {
  return TRUSTED.has(name);
}

export function isMount(name: string): boolean {
  return name === 'mount' || name === 'partner.mount';
}

export function lookUp(name: string, site: SiteIdentity, page: PageScope | undefined): Lookup {
  const dot = name.indexOf('.');
  const [scope, key] = dot === -1 ? [name, ''] : [name.slice(0, dot), name.slice(dot + 1)];
  switch (scope) {
    case 'site':
      return ofSite(name, key, site);
    case 'page':
      return ofPage(name, key, page);
    case 'partner':
      return key === '' ? unknown(name, page) : { kind: 'partner', name: key };
    case 'mount':
      return key === '' ? { kind: 'partner', name: 'mount' } : unknown(name, page);
    case 'release':
      return key === 'since' ? { kind: 'since' } : unknown(name, page);
    case 'generator':
      return key === '' ? { kind: 'constant', value: 'tieup' } : unknown(name, page);
    default:
      return unknown(name, page);
  }
}

function ofSite(name: string, key: string, site: SiteIdentity): Lookup {
  if (key === 'name' || key === 'url' || key === 'language') return { kind: 'constant', value: site[key] };
  const value = own(site.values, key.startsWith('values.') ? key.slice('values.'.length) : key);
  if (value !== undefined) return { kind: 'constant', value };
  return suggest(
    name,
    [...SITE, ...Object.keys(site.values)].map((known) => `site.${known}`),
  );
}

function ofPage(name: string, key: string, page: PageScope | undefined): Lookup {
  if (key === 'url' || key === 'canonical') return { kind: 'page-address', which: key };
  if (page === undefined) return { kind: 'later' };
  if (key === 'title' || key === 'description' || key === 'language' || key === 'path' || key === 'source') {
    return { kind: 'constant', value: page[key] };
  }
  if (key === 'tags') return { kind: 'list', value: page.tags };
  const value = key === 'date' ? page.date : own(page.values, key);
  if (value !== undefined) return { kind: 'constant', value };
  if (key === 'date' || page.known.has(key)) return { kind: 'absent', message: `the page has no \`${key}\`` };
  const known = pageNames(page);
  const found = suggest(name, known);
  // A template asks for what pages may have; that none of them has it, and nothing alike, is no slip of the fingers.
  const mayLack = !key.includes('.') && nearestName(name, known) === undefined;
  return mayLack ? { kind: 'absent', message: found.message } : found;
}

/** The value of a partner's variable; undefined when this partner has none of that name. */
export function partnerValue(partner: PartnerView, name: string): string | undefined {
  if (name === 'id' || name === 'name' || name === 'url' || name === 'mount') return partner[name];
  return own(partner.values, name);
}

/** True when every partner has the value. */
export function partnerValueIsSure(name: string): boolean {
  return PARTNER.some((known) => known === name);
}

/** What to say of a variable which `partner` lacks. */
export function missingPartnerValue(partner: PartnerView, name: string): string {
  const known = [...PARTNER, ...Object.keys(partner.values)].map((key) => `partner.${key}`);
  const meant = nearestName(`partner.${name}`, known);
  const end = meant === undefined ? '' : ` (did you mean \`${meant}\`?)`;
  return `partner ${JSON.stringify(partner.id)} has no value for \`partner.${name}\`${end}`;
}

/** What is no value but a list of links, for the blocks of a template. */
export const PLACED = ['navigation', 'breadcrumbs'] as const;

function unknown(name: string, page: PageScope | undefined): Lookup {
  const partner = PARTNER.map((key) => `partner.${key}`);
  const site = SITE.map((key) => `site.${key}`);
  return suggest(name, [...partner, ...site, ...pageNames(page), 'mount', 'release.since', 'generator', ...PLACED]);
}

function pageNames(page: PageScope | undefined): string[] {
  return [...PAGE, ...Object.keys(page?.values ?? {})].map((key) => `page.${key}`);
}

function suggest(name: string, known: readonly string[]): Extract<Lookup, { readonly kind: 'unknown' }> {
  const meant = nearestName(name, known);
  const end = meant === undefined ? ': write \\{{ for two braces as text' : ` (did you mean \`${meant}\`?)`;
  return { kind: 'unknown', message: `unknown variable \`${name}\`${end}` };
}

/** The known name that was probably meant. Where the names before the last dot are right, they make nothing alike: `page.nope` is not `page.date`. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const scope = name.slice(0, name.lastIndexOf('.') + 1);
  const beside = known.filter((each) => each.startsWith(scope)).map((each) => each.slice(scope.length));
  const meant = beside.length === 0 ? nearest(name, known) : nearest(name.slice(scope.length), beside);
  return meant === undefined || beside.length === 0 ? meant : `${scope}${meant}`;
}

/** Names come from files: `constructor` is not a value. */
function own(values: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(values, key) ? values[key] : undefined;
}
