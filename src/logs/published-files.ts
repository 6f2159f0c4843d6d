/**
 * Which published file a request is for: the question that decides what a partner pays.
 *
 * A path is compared after what web servers do to it before they open a file, so that no spelling of a link which the
 * server answers with a tie-up page is counted as the partner's own: percent-decoding (once, as servers do), `//`, dot
 * segments, index files, `name` for `name.html`. And no more than that, so that nothing of the partner's own counts as
 * tie-up.
 */

import { decodePercent } from './percent.ts';

/** What a file is for billing: hits on a page carry its path, redirects and assets do not. */
export type PublishedKind = 'page' | 'asset';

/** The live tie-up files of a release, by published path as in the ledger: `with-main/index.html`, no leading slash. */
export type PublishedPaths = ReadonlyMap<string, PublishedKind>;

export interface ServingRules {
  /** Where the web tree lies below the host: `/` or `/blog/`. */
  readonly prefix?: string;
  /**
   * Paths at which the partner has something of its own, as in the ledger: what they spell is no tie-up file, unless one has exactly
   * that path.
   */
  readonly own?: readonly string[];
  /** IIS and other servers on case-insensitive file systems; they also take `\` for `/`. */
  readonly ignoreCase?: boolean;
}

/** Published files prepared for looking up requests. */
export interface PublishedFiles {
  readonly paths: readonly string[];
  readonly isPage: Uint8Array;
  /** False when no file can be meant by these bytes of a path; certain, and without a string. */
  mayBe(bytes: Uint8Array, start: number, end: number): boolean;
  /** The index of the file that a request's path is for, -1 for none. The path as received, one byte a character, without its query. */
  find(path: string): number;
}

/** Bytes of the filter, a power of two. */
const FILTER = 1 << 16;
/** Of no published file. */
const NONE = -1;
const INDEX = /(?:^|\/)index\.html?$/;

export function publishedFiles(published: PublishedPaths, rules: ServingRules = {}): PublishedFiles {
  const paths = [...published.keys()].sort();
  const prefix = normalPath(rules.prefix ?? '/', rules) ?? '/';
  const fold = (path: string): string => (rules.ignoreCase === true ? lowerCase(path) : path);
  const known = new Map<string, number>();
  const add = (path: string, index: number): void => {
    const key = fold(latin1(joined(prefix, path)));
    if (!known.has(key)) known.set(key, index);
  };
  const own = rules.own ?? [];
  paths.forEach((path, index) => add(path, index));
  for (const path of own) add(path, NONE);
  paths.forEach((path, index) => {
    if (INDEX.test(path)) add(path.replace(INDEX, '/'), index);
  });
  // Behind those of tie-up files: an `index.htm` of the partner's own beside an `index.html` hides nothing. But what asks for `name`
  // gets a `name.html` of the partner's own rather than a folder, to which servers only redirect.
  for (const path of own) {
    if (INDEX.test(path)) add(path.replace(INDEX, '/'), NONE);
    else add(path.replace(/\.html?$/, ''), NONE);
  }
  // Folders come before `name.html`, as servers redirect or look into a folder first.
  paths.forEach((path, index) => {
    const folder = path.replace(INDEX, '');
    if (folder !== path && folder !== '') add(folder, index);
  });
  paths.forEach((path, index) => {
    const name = path.replace(/\.html?$/, '');
    if (name === path || INDEX.test(path)) return;
    add(name, index);
    add(`${name}/`, index);
  });
  const filter = new Uint8Array(FILTER);
  for (const path of known.keys()) filter[filterPlace(Buffer.from(path, 'latin1'), 0, path.length)] = 1;
  return {
    paths,
    mayBe: (bytes, start, end) => {
      if (rules.ignoreCase === true) return true;
      const place = filterPlace(bytes, start, end);
      return place < 0 || filter[place] === 1;
    },
    isPage: Uint8Array.from(paths, (path) => (published.get(path) === 'page' ? 1 : 0)),
    find(path) {
      const normal = normalPath(path, rules);
      return normal === undefined ? NONE : (known.get(fold(normal)) ?? NONE);
    },
  };
}

/**
 * The path as a server uses it to look for a file: decoded once, without `//`, `.` and `..`; undefined when no server
 * would open a file for it.
 */
export function normalPath(path: string, { ignoreCase = false }: ServingRules = {}): string | undefined {
  // nginx ends the path at a raw `#`; an encoded one is part of a name.
  const cut = path.indexOf('#');
  let text = cut < 0 ? path : path.slice(0, cut);
  if (!text.startsWith('/')) return undefined;
  text = decodePercent(text);
  if (ignoreCase) text = text.replaceAll('\\', '/');
  if (text.includes('\0')) return undefined;
  if (!/\/[./]/.test(text)) return text;
  const kept: string[] = [];
  const segments = text.split('/').slice(1);
  segments.forEach((segment, index) => {
    const last = index === segments.length - 1;
    if (segment === '..') kept.pop();
    const isEmpty = segment === '' || segment === '.' || segment === '..';
    if (!isEmpty) kept.push(segment);
    // What ends in a slash or a dot segment is a folder.
    else if (last) kept.push('');
  });
  return `/${kept.join('/')}`;
}

/** A place in the filter for a path that is as servers use it; -1 for one whose spelling they change. */
function filterPlace(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  let before = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    const isChanged = byte === 0x25 || byte === 0x23 || (before === 0x2f && (byte === 0x2f || byte === 0x2e));
    if (isChanged) return -1;
    hash = Math.imul(hash ^ byte, 0x01000193);
    before = byte;
  }
  return (hash ^ (hash >>> 15)) & (FILTER - 1);
}

/** Of ASCII only: what is one byte of a longer character has no case. */
function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** UTF-8 as one byte a character, as requests are looked up. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function joined(prefix: string, path: string): string {
  return `${prefix.endsWith('/') ? prefix : `${prefix}/`}${path === '/' ? '' : path}`;
}
