/** Paths of a site on their way from the folder of the main site to the web root of a partner. */
import { checkPaths, pathFault } from '../protocol/names.ts';
import type { Problem } from '../errors.ts';

/** `guide/intro.md` → `guide/intro.html`, below the mount. */
export function publishedPath(page: string): string {
  return `${page.replace(/\.md$/i, '')}.html`;
}

/** Folder of assets, in the site's folder and below the mount. */
export const ASSETS = 'assets/';

/** `/`-separated path as part of an address. */
export function encodePath(path: string): string {
  return PLAIN_PATH.test(path) ? path : path.split('/').map(encodeURIComponent).join('/');
}

/** Nearly every path: nothing in it is encoded. */
const PLAIN_PATH = /^[\w./~!*'()-]*$/;

/** The path that an address is written for; undefined when a broken percent escape names no file. */
export function decodePath(written: string): string | undefined {
  try {
    return decodeURIComponent(written).normalize('NFC');
  } catch {
    return undefined;
  }
}

/** The address of `to` as written in `from`, both below the mount; percent-encoded. */
export function relativeAddress(from: string, to: string): string {
  const source = from.split('/').slice(0, -1);
  const target = to.split('/');
  let shared = 0;
  while (shared < source.length && shared < target.length - 1 && source[shared] === target[shared]) shared++;
  const up = '../'.repeat(source.length - shared);
  return `${up}${encodePath(target.slice(shared).join('/'))}`;
}

/** `path` below `base`, which is an address with or without a slash at its end. */
export function addressBelow(base: string, path: string): string {
  return `${base.replace(/\/*$/, '/')}${encodePath(path)}`;
}

/** Where the feed and the sitemap of a partner lie, below its mount. */
export const FEED_FILE = 'feed.xml';
export const SITEMAP_FILE = 'sitemap.xml';

/** The address of what lies at `path` below a mount. */
export function mountAddress(path: string, { url, mount }: { readonly url: string; readonly mount: string }): string {
  return addressBelow(url, `${mount.slice(1)}${path}`);
}

/** Resolves `.` and `..` of `path` below `folder`; undefined when it leaves the top. */
export function joinPath(folder: string, path: string): string | undefined {
  const components = folder === '' ? [] : folder.split('/');
  for (const component of path.split('/')) {
    if (component === '' || component === '.') continue;
    if (component !== '..') components.push(component);
    else if (components.pop() === undefined) return undefined;
  }
  return components.join('/') + (/(^|\/)\.{0,2}$/.test(path) && components.length > 0 ? '/' : '');
}

/** A path that will be published, with the file to name when it cannot be. */
export interface PublishedPath {
  readonly path: string;
  readonly file: string;
}

/** Everything that is wrong with paths below a mount, each with its file. */
export function checkPublishedPaths(published: readonly PublishedPath[]): Problem[] {
  const problems: Problem[] = [];
  const fine: PublishedPath[] = [];
  for (const entry of published) {
    const fault = pathFault(entry.path);
    if (fault === undefined) fine.push(entry);
    else problems.push({ file: entry.file, message: `the path ${JSON.stringify(entry.path)} ${fault}` });
  }
  for (const { message } of checkPaths(
    fine.map((entry) => entry.path),
    '/',
  )) {
    const owner = fine.findLast((entry) => message.includes(JSON.stringify(entry.path)));
    problems.push({ message, ...(owner === undefined ? {} : { file: owner.file }) });
  }
  return problems;
}
