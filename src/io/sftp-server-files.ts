/** The files that a login of the embedded SFTP server sees: one folder, from which neither `..` nor a link leads out. */
import { lstatSync, realpathSync } from 'node:fs';
import { posix } from 'node:path';

/** A path as the client wrote it does not lead anywhere in the jail, or may not be changed. */
export class JailError extends Error {
  readonly code: 'ENOENT' | 'EACCES';

  constructor(code: 'ENOENT' | 'EACCES', path: string) {
    super(`${code}: ${path}`);
    this.name = 'JailError';
    this.code = code;
  }
}

export interface JailedFiles {
  /** The client's path without `.`, `..` and double slashes, from `/`. */
  normal(path: string): string;
  /** The local path of the name itself: links are followed on the way, not at the end. */
  name(path: string): string;
  /** The local path of what the name leads to. @throws JailError when that is outside, or a dangling link */
  target(path: string): string;
  /** Like {@link JailedFiles.name} for a name that is about to change. @throws JailError where the login may not write */
  writableName(path: string): string;
  /** Like {@link JailedFiles.target} for a file that is about to change. */
  writableTarget(path: string): string;
}

/** @param writable - folders below `root`; an empty path is the root */
export function jailedFiles(root: string, writable: readonly string[]): JailedFiles {
  const real = realpathSync(root);
  const folders = writable.map((folder) => (folder === '' ? real : posix.join(real, folder)));

  const name = (path: string): string => {
    const inside = normal(path);
    if (inside === '/') return real;
    const parent = realpathSync(posix.join(real, posix.dirname(inside)));
    if (parent !== real && !isBelow(parent, real)) throw new JailError('ENOENT', path);
    return posix.join(parent, posix.basename(inside));
  };
  const target = (path: string): string => {
    const local = name(path);
    // A new file has no target yet.
    if (lstatSync(local, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return local;
    const led = realpathSync(local);
    if (led !== real && !isBelow(led, real)) throw new JailError('ENOENT', path);
    return led;
  };
  const requireWritable = (local: string, path: string): string => {
    if (!folders.some((folder) => isBelow(local, folder))) throw new JailError('EACCES', path);
    return local;
  };
  return {
    normal,
    name,
    target,
    writableName: (path) => requireWritable(name(path), path),
    writableTarget: (path) => requireWritable(target(path), path),
  };
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder === '/' ? '/' : `${folder}/`);
}

function normal(path: string): string {
  return posix.normalize(`/${path}`).replace(/(.)\/$/, '$1');
}
