/** Paths inside a {@link FileTree}: the rules of its port, and the names of temporary files. */
import { randomBytes } from 'node:crypto';
import { TieupError } from '../errors.ts';

const TEMPORARY = '.tieup-tmp-';

/** The components of `path`; none for the root. @throws TIEUP_E_UNSAFE_PATH for anything that could name something else. */
export function treePath(path: string): readonly string[] {
  if (path === '') return [];
  const fault = treePathFault(path);
  if (fault !== undefined) {
    throw new TieupError('TIEUP_E_UNSAFE_PATH', `the path ${JSON.stringify(path)} ${fault}`);
  }
  return path.split('/');
}

/** Like {@link treePath}, for what the root cannot be. */
export function fileTreePath(path: string): readonly [string, ...string[]] {
  const [first, ...rest] = treePath(path);
  if (first === undefined) {
    throw new TieupError('TIEUP_E_UNSAFE_PATH', 'the empty path names the root, which is a folder');
  }
  return [first, ...rest];
}

function treePathFault(path: string): string | undefined {
  if (path.includes('\0')) return 'contains a NUL';
  if (path.includes('\\')) return 'contains a backslash';
  // A lone surrogate would be written as U+FFFD, so that two paths become one.
  if (!path.isWellFormed()) return 'is not valid Unicode';
  if (path.startsWith('/')) return 'is absolute';
  for (const component of path.split('/')) {
    if (component === '') return 'has an empty component';
    if (component === '.' || component === '..') return 'leaves its folder';
  }
  return undefined;
}

/** `a/b` of `a/b/c`; the empty path of `a`. */
export function parentPath(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** Every folder that `path` lies in, the nearest first, the root last. */
export function parentPaths(path: string): readonly string[] {
  const parents: string[] = [];
  for (let parent = path; parent !== '';) {
    parent = parentPath(parent);
    parents.push(parent);
  }
  return parents;
}

/**
 * A fresh name for a file that is written beside its final place; unguessable, so that nobody can be there first.
 * @param tag letters and digits by which {@link hasTag} knows it again
 */
export function temporaryName(tag?: string): string {
  return `${TEMPORARY}${tag === undefined ? '' : `${tag}-`}${randomBytes(9).toString('hex')}`;
}

/** Whether a path ends with a temporary name that has this tag. */
export function hasTag(path: string, tag: string): boolean {
  return path.slice(path.lastIndexOf('/') + 1).startsWith(`${TEMPORARY}${tag}-`);
}

export function isTemporaryName(name: string): boolean {
  return name.startsWith(TEMPORARY);
}

/** Order by the bytes of UTF-8, the same on every machine. */
export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));
}
