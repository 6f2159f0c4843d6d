/**
 * Which published file a request is for: the question that decides what a partner pays.
 *
 * A path is compared after what web servers do to it before they open a file, so that no spelling of a link which the
 * server answers with a tie-up page is counted as the partner's own: percent-decoding (once, as servers do), `//`, dot
 * segments, index files, `name` for `name.html`. And no more than that, so that nothing of the partner's own counts as
 * tie-up.
 */

/** What a file is for billing: hits on a page carry its path, redirects and assets do not. */
export type PublishedKind = 'page' | 'asset';

/** The live tie-up files of a release, by published path as in the ledger: `with-main/index.html`, no leading slash. */
export type PublishedPaths = ReadonlyMap<string, PublishedKind>;

export interface ServingRules {
  /** Where the web tree lies below the host: `/` or `/blog/`. */
  readonly prefix?: string;
  /** IIS and other servers on case-insensitive file systems; they also take `\` for `/`. */
  readonly ignoreCase?: boolean;
}

/** Published files prepared for looking up requests. */
export interface PublishedFiles {
  readonly paths: readonly string[];
  readonly isPage: Uint8Array;
  /** The index of the file that a request's path, as received and without its query, is for; -1 when it is none of these. */
  find(path: string): number;
}

const INDEX = /(?:^|\/)index\.html?$/;

export function publishedFiles(published: PublishedPaths, rules: ServingRules = {}): PublishedFiles {
  const paths = [...published.keys()].sort();
  const prefix = normalPath(rules.prefix ?? '/', rules) ?? '/';
  const fold = (path: string): string => (rules.ignoreCase === true ? path.toLowerCase() : path);
  const known = new Map<string, number>();
  const add = (path: string, index: number): void => {
    const key = fold(joined(prefix, path));
    if (!known.has(key)) known.set(key, index);
  };
  paths.forEach((path, index) => add(path, index));
  // Folders come before `name.html`, as servers redirect or look into a folder first.
  paths.forEach((path, index) => {
    if (!INDEX.test(path)) return;
    const folder = path.replace(INDEX, '');
    add(`${folder}/`, index);
    if (folder !== '') add(folder, index);
  });
  paths.forEach((path, index) => {
    const name = path.replace(/\.html?$/, '');
    if (name === path || INDEX.test(path)) return;
    add(name, index);
    add(`${name}/`, index);
  });
  return {
    paths,
    isPage: Uint8Array.from(paths, (path) => (published.get(path) === 'page' ? 1 : 0)),
    find(path) {
      const normal = normalPath(path, rules);
      return normal === undefined ? -1 : (known.get(fold(normal)) ?? -1);
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
  if (text.includes('%')) text = decodeOnce(text);
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

/** Percent escapes to bytes to text; what is no escape, or no UTF-8, stays as a byte that no published path has. */
function decodeOnce(text: string): string {
  const bytes = text.replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

function joined(prefix: string, path: string): string {
  return `${prefix.endsWith('/') ? prefix : `${prefix}/`}${path === '/' ? '' : path}`;
}
