/**
 * A folder that is written in bulk, for output which can be made again: synchronously, without flushing, and only what
 * is not there yet. Each file is whole, and a link that stands in its way is refused, as in every {@link FileTree}.
 */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { dirname } from 'node:path/posix';
import { lstat, openFolder, openOrMakeFolder, realRoot, type OpenFolder } from './folder-access.ts';
import { errorCode, storageFault } from './storage-fault.ts';
import { inTheWay, unsafe, type TreePlace } from './tree-fault.ts';
import { fileTreePath, temporaryName } from './tree-path.ts';

/** What a file was like when it was written: a file that is still like that has not been touched. */
export interface FileStamp {
  readonly length: number;
  readonly modifiedMs: number;
}

export interface OutputFolder {
  /** Absolute. */
  readonly label: string;
  /** undefined when there is no file. @throws TIEUP_E_UNSAFE_PATH at a link */
  stamp(path: string): FileStamp | undefined;
  /** Writes the file, with the folders it needs; nothing outside of this folder. @throws TIEUP_E_UNSAFE_PATH, TIEUP_E_STORAGE, TIEUP_E_EXISTS */
  write(path: string, bytes: Uint8Array): FileStamp;
  /** Whether every one of these files is as it was written. Looks, and does nothing that a link in the way could lead astray. */
  areUntouched(files: Iterable<readonly [path: string, written: FileStamp]>): boolean;
  /** Takes away a file that is still as it was written, and folders which that leaves empty; false when it is not. @throws TIEUP_E_UNSAFE_PATH, TIEUP_E_STORAGE */
  removeUntouched(path: string, written: FileStamp): boolean;
  close(): void;
}

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
const MODE = 0o644;

/** @param root absolute; made when something is written */
export function outputFolder(root: string): OutputFolder {
  let real: string | undefined;
  // Files come in the order of their paths: the folder of the last one is mostly that of the next.
  let open: { readonly path: string; readonly folder: OpenFolder } | undefined;

  const folderOf = (path: string, place: TreePlace): OpenFolder => {
    const above = dirname(path);
    if (open?.path === above) return open.folder;
    open?.folder.close();
    open = undefined;
    real ??= madeRoot(root, place);
    const components = fileTreePath(path).slice(0, -1);
    const folder = openOrMakeFolder(real, components, place, { durable: false, beforeStep: () => undefined });
    open = { path: above, folder };
    return folder;
  };
  const named = <T>(verb: string, path: string, work: (place: TreePlace, name: string) => T): T => {
    const place = { verb, path, label: root };
    try {
      return work(place, path === '' ? '' : (fileTreePath(path).at(-1) ?? ''));
    } catch (error) {
      throw storageFault(error, place);
    }
  };
  return {
    label: root,
    stamp: (path) =>
      named('look at', path, (place, name) => {
        if ((real ?? realRoot(root)) === undefined) return undefined;
        const stats = fileAt(folderOf(path, place).child(name), place);
        return stats && stampOf(stats);
      }),
    write: (path, bytes) =>
      named('write', path, (place, name) => {
        const folder = folderOf(path, place);
        try {
          return fill(folder.child(name), bytes);
        } catch (error) {
          if (errorCode(error) !== 'EEXIST') throw error;
        }
        fileAt(folder.child(name), place);
        // What is there is replaced, never written into: another name may lead to it.
        const beside = temporaryName();
        const stamp = fill(folder.child(beside), bytes);
        renameSync(folder.child(beside), folder.child(name));
        return stamp;
      }),
    areUntouched: (files) =>
      named('look into', '', () => {
        const there = realRoot(root);
        if (there === undefined) return false;
        for (const [path, written] of files) {
          if (!isAsWritten(lstat(`${there}/${path}`), written)) return false;
        }
        return true;
      }),
    removeUntouched: (path, written) =>
      named('remove', path, (place, name) => {
        const components = fileTreePath(path);
        real ??= realRoot(root);
        const folder = real === undefined ? undefined : openFolder(real, components.slice(0, -1), place);
        if (real === undefined || folder === undefined) return false;
        try {
          if (!isAsWritten(lstat(folder.child(name)), written)) return false;
          rmSync(folder.child(name));
        } finally {
          folder.close();
        }
        removeEmpty(real, components.slice(0, -1), place);
        return true;
      }),
    close() {
      open?.folder.close();
      open = undefined;
    },
  };
}

function isAsWritten(stats: Stats | undefined, { length, modifiedMs }: FileStamp): boolean {
  return stats?.isFile() === true && stats.size === length && stats.mtimeMs === modifiedMs;
}

/** Takes away the folder and those above it, below the root, as far as nothing is in them. */
function removeEmpty(root: string, components: readonly string[], place: TreePlace): void {
  const name = components.at(-1);
  if (name === undefined) return;
  const parent = openFolder(root, components.slice(0, -1), place);
  if (parent === undefined) return;
  try {
    rmdirSync(parent.child(name));
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return;
    throw error;
  } finally {
    parent.close();
  }
  removeEmpty(root, components.slice(0, -1), place);
}

function madeRoot(root: string, place: TreePlace): string {
  const there = realRoot(root);
  if (there !== undefined) return there;
  const above = realRoot(dirname(root)) ?? madeRoot(dirname(root), place);
  const name = root.slice(dirname(root).length).replace(/^\//, '');
  openOrMakeFolder(above, [name], place, { durable: false, beforeStep: () => undefined }).close();
  return realRoot(root) ?? root;
}

function fileAt(path: string, place: TreePlace): Stats | undefined {
  const stats = lstat(path);
  if (stats === undefined || stats.isFile()) return stats;
  if (stats.isSymbolicLink()) throw unsafe(place, 'it is a symbolic link');
  throw inTheWay(place, stats.isDirectory() ? 'a folder is there' : 'a special file is there');
}

/** A new file, which is taken away again when it cannot be filled. */
function fill(path: string, bytes: Uint8Array): FileStamp {
  const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, MODE);
  try {
    let written = 0;
    while (written < bytes.length) written += writeSync(fd, bytes, written);
    return stampOf(fstatSync(fd));
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

function stampOf({ size, mtimeMs }: Stats): FileStamp {
  return { length: size, modifiedMs: mtimeMs };
}
