/**
 * Opens folders and files below a root without following a link, even one that is put there while we look.
 *
 * The threat: the main site's account may write `exchange/inbox/` and can swap a folder for a link between a check and
 * its use (CWE-367). Node has no openat(2). On Linux the kernel tells what a descriptor really is: a file or folder is
 * opened first, then the path behind its descriptor must be the very path that was asked for, and what happens in a
 * folder happens through `/proc/self/fd/<n>/<name>`. Elsewhere every component is checked with lstat beforehand.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
  type Stats,
} from 'node:fs';
import { errorCode } from './storage-fault.ts';
import type { TreePlace } from './tree-fault.ts';
import { inTheWay, notFound, unsafe } from './tree-fault.ts';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;

/** Told before each system call that changes something; a test may throw or kill the process there. */
export type BeforeStep = (step: string) => void;

/** A folder that is known to be the one that its path names. */
export interface OpenFolder {
  /** What to hand to a system call for the child `name`. */
  child(name: string): string;
  /** fsync, so that the names in it survive a power failure. */
  flush(): void;
  close(): void;
}

/** A regular file that is known to be the one that its path names. */
export interface OpenFile {
  readonly fd: number;
  readonly length: number;
}

/** True where a descriptor's path can be read back. */
const tellsPaths = ((): boolean => {
  try {
    const fd = openSync('/', O_RDONLY | O_DIRECTORY);
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === '/';
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
})();

/** The real path of the folder `root`; undefined when it does not exist. */
export function realRoot(root: string): string | undefined {
  try {
    return realpathSync(root);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The folder below the real path `root`, or undefined when it is absent. @throws TIEUP_E_UNSAFE_PATH */
export function openFolder(root: string, components: readonly string[], place: TreePlace): OpenFolder | undefined {
  const path = join(root, components);
  let fd: number;
  try {
    if (!tellsPaths) checkWay(root, components, place);
    fd = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    const kind = checkWay(root, components, place);
    if (kind === 'absent' || errorCode(error) === 'ENOENT') return undefined;
    // A link was there when it was opened, and is gone again.
    if (['ENOTDIR', 'ELOOP'].includes(errorCode(error) ?? '')) throw unsafe(place, 'it changes meanwhile', error);
    throw error;
  }
  try {
    assertIs(fd, path, place);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  const base = tellsPaths ? `/proc/self/fd/${fd}` : path;
  return { child: (name) => `${base}/${name}`, flush: () => fsyncFolder(fd), close: () => closeSync(fd) };
}

/** Like {@link openFolder}, and makes what is missing, each new folder flushed into its parent unless `durable` is false. */
export function openOrMakeFolder(
  root: string,
  components: readonly string[],
  place: TreePlace,
  options: { readonly durable: boolean; readonly beforeStep: BeforeStep },
): OpenFolder {
  const there = openFolder(root, components, place);
  if (there !== undefined) return there;
  const name = components.at(-1);
  if (name === undefined) throw notFound(place);
  const parent = openOrMakeFolder(root, components.slice(0, -1), place, options);
  try {
    options.beforeStep(`mkdir ${components.join('/')}`);
    try {
      mkdirSync(parent.child(name));
    } catch (error) {
      // Somebody else may have made it since, which is fine; what else can be there is said below.
      if (errorCode(error) !== 'EEXIST') throw error;
    }
    if (options.durable) parent.flush();
  } finally {
    parent.close();
  }
  const made = openFolder(root, components, place);
  if (made === undefined) throw inTheWay(place, `${JSON.stringify(name)} on the way is a file`);
  return made;
}

/** The regular file below `root`, open for reading. @throws TIEUP_E_NOT_FOUND, TIEUP_E_UNSAFE_PATH */
export function openFile(root: string, components: readonly string[], place: TreePlace): OpenFile {
  const path = join(root, components);
  let fd: number;
  try {
    if (!tellsPaths) checkWay(root, components.slice(0, -1), place);
    // O_NONBLOCK: a FIFO in the inbox must not make us wait for ever.
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    checkWay(root, components.slice(0, -1), place);
    if (errorCode(error) === 'ELOOP') throw unsafe(place, 'it is a symbolic link', error);
    if (errorCode(error) === 'ENXIO') throw unsafe(place, 'it is no regular file', error);
    if (errorCode(error) === 'ENOTDIR') throw notFound(place, error);
    throw error;
  }
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw unsafe(place, stats.isDirectory() ? 'it is a folder' : 'it is no regular file');
    assertIs(fd, path, place);
    return { fd, length: stats.size };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** What is at the path itself, or undefined. @throws TIEUP_E_UNSAFE_PATH when a link is on the way. */
export function look(root: string, components: readonly string[], place: TreePlace): Stats | undefined {
  if (checkWay(root, components.slice(0, -1), place) === 'absent') return undefined;
  return lstat(join(root, components));
}

/** lstat, with undefined for what is not there. */
export function lstat(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // Below a file: throwIfNoEntry covers ENOENT alone on some versions.
    if (errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

function checkWay(root: string, components: readonly string[], place: TreePlace): 'folder' | 'absent' {
  let path = root === '/' ? '' : root;
  for (const component of components) {
    path += `/${component}`;
    const stats = lstat(path);
    if (stats === undefined) return 'absent';
    if (stats.isSymbolicLink()) throw unsafe(place, `${JSON.stringify(component)} on the way is a symbolic link`);
    if (!stats.isDirectory()) return 'absent';
  }
  return 'folder';
}

function assertIs(fd: number, path: string, place: TreePlace): void {
  if (!tellsPaths) return;
  const real = readlinkSync(`/proc/self/fd/${fd}`);
  // A file that was replaced or removed after we opened it was still the right one.
  if (real !== path && real !== `${path} (deleted)`) {
    throw unsafe(place, 'a symbolic link leads somewhere else');
  }
}

function fsyncFolder(fd: number): void {
  try {
    fsyncSync(fd);
  } catch (error) {
    // Some file systems (and Windows) cannot flush a folder; the file itself has been flushed.
    if (!['EINVAL', 'EPERM', 'ENOTSUP', 'EISDIR'].includes(errorCode(error) ?? '')) throw error;
  }
}

function join(root: string, components: readonly string[]): string {
  if (components.length === 0) return root;
  return `${root === '/' ? '' : root}/${components.join('/')}`;
}
