/** The operations of a local {@link FileTree} that change something, each made durable in the order of its port. */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { promisify } from 'node:util';
import type { FileContent, FileTree, WriteOptions } from './file-tree.ts';
import type { OpenFolder } from './folder-access.ts';
import { lstat, openFile } from './folder-access.ts';
import { describeKind } from './folder-reading.ts';
import type { FolderRoot } from './folder-root.ts';
import { errorCode } from './storage-fault.ts';
import type { TreePlace } from './tree-fault.ts';
import { inTheWay, notFound, unsafe } from './tree-fault.ts';
import { fileTreePath, parentPaths, temporaryName, treePath } from './tree-path.ts';

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
/** fsync calls in flight: the thread pool has four threads, and a journaling file system groups what comes together. */
const FLUSHES = 8;

type Writing = Pick<
  FileTree,
  'write' | 'create' | 'makeFolder' | 'rename' | 'hardLink' | 'replaceLink' | 'remove' | 'removeFolder' | 'sync'
>;

export function folderWriting(root: FolderRoot): Writing {
  const at = (verb: string, path: string): TreePlace => ({ verb, path, label: root.label });

  const flush = (folder: OpenFolder, path: string): void => {
    root.step(`fsync-folder ${path}`);
    folder.flush();
  };

  /** Makes the file `name`, which must not exist, and fills it; takes it away again when that fails. */
  const fillNew = async (
    folder: OpenFolder,
    name: string,
    content: FileContent,
    options: { readonly path: string; readonly mode: number; readonly durable: boolean },
  ): Promise<void> => {
    const { path, mode, durable } = options;
    root.step(`open ${path}`);
    const fd = openSync(folder.child(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    try {
      try {
        // The umask may have taken bits away.
        if ((fstatSync(fd).mode & 0o7777) !== mode) fchmodSync(fd, mode);
        for await (const chunk of content instanceof Uint8Array ? [content] : content) {
          root.step(`write ${path}`);
          writeAll(fd, chunk);
        }
        if (durable) {
          root.step(`fsync ${path}`);
          fsyncSync(fd);
        }
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      removeQuietly(folder.child(name));
      throw error;
    }
  };

  const inMadeParent = async (
    path: string,
    place: TreePlace,
    options: WriteOptions | undefined,
    work: (folder: OpenFolder, name: string, how: { readonly path: string; mode: number; durable: boolean }) => unknown,
  ): Promise<void> => {
    const components = fileTreePath(path);
    const how = { path, mode: options?.mode ?? 0o644, durable: options?.durable !== false };
    const folder = root.openOrMake(components.slice(0, -1), place, how.durable);
    try {
      await work(folder, components.at(-1) ?? '', how);
      if (how.durable) flush(folder, path);
    } finally {
      folder.close();
    }
  };

  /** Moves the finished temporary file to its place; takes it away when that fails. */
  const settle = (folder: OpenFolder, temporary: string, name: string, path: string): void => {
    try {
      root.step(`rename ${path}`);
      renameSync(folder.child(temporary), folder.child(name));
    } catch (error) {
      removeQuietly(folder.child(temporary));
      throw error;
    }
  };

  return {
    write: (path, content, options) => {
      const place = at('write', path);
      return root.run(place, () =>
        inMadeParent(path, place, options, async (folder, name, how) => {
          const there = lstat(folder.child(name));
          if (there?.isSymbolicLink() === true) throw unsafe(place, 'it is a symbolic link');
          if (there?.isFile() === false) throw inTheWay(place, `a ${describeKind(there)} is there`);
          const temporary = temporaryName();
          await fillNew(folder, temporary, content, how);
          settle(folder, temporary, name, path);
        }),
      );
    },

    create: (path, content, options) => {
      const place = at('create', path);
      return root.run(place, () =>
        inMadeParent(path, place, options, (folder, name, how) => fillNew(folder, name, content, how)),
      );
    },

    makeFolder: (path) => {
      const place = at('make the folder', path);
      return root.run(place, () => root.openOrMake(treePath(path), place, true).close());
    },

    rename: (from, to) => {
      const place = at('rename', from);
      return root.run(place, () =>
        root.inParent(from, place, (source, oldName) =>
          root.inParent(to, at('rename to', to), (target, newName) => {
            const moved = lstat(source.child(oldName));
            if (moved === undefined) throw notFound(place);
            if (from === to) return;
            if (to.startsWith(`${from}/`)) throw unsafe(place, 'a folder cannot be moved into itself');
            const there = lstat(target.child(newName));
            if (there !== undefined && (there.isDirectory() || moved.isDirectory())) {
              throw inTheWay(place, `a ${describeKind(there)} is at ${JSON.stringify(to)}`);
            }
            root.step(`rename ${to}`);
            renameSync(source.child(oldName), target.child(newName));
            flush(target, to);
            flush(source, from);
          }),
        ),
      );
    },

    hardLink: (from, to) => {
      const place = at('link', from);
      return root.run(place, () =>
        root.inParent(from, place, (source, oldName) =>
          root.inParent(to, at('link to', to), (target, newName) => {
            requireFile(lstat(source.child(oldName)), place);
            root.step(`link ${to}`);
            try {
              linkSync(source.child(oldName), target.child(newName));
            } catch (error) {
              throw errorCode(error) === 'EEXIST' ? inTheWay(at('link to', to), 'it exists already', error) : error;
            }
          }),
        ),
      );
    },

    replaceLink: (path, target) => {
      const place = at('link', path);
      return root.run(place, () =>
        root.inParent(path, place, (folder, name) => {
          if (target === '' || target.includes('\0'))
            throw unsafe(place, 'the target of a link cannot be empty or hold a NUL');
          const there = lstat(folder.child(name));
          if (there?.isSymbolicLink() === false) throw inTheWay(place, `a ${describeKind(there)} is there`);
          const temporary = temporaryName();
          root.step(`symlink ${path}`);
          symlinkSync(target, folder.child(temporary));
          settle(folder, temporary, name, path);
          flush(folder, path);
        }),
      );
    },

    remove: (path) => {
      const place = at('remove', path);
      return root.run(place, () =>
        root.inParentIfAny(path, place, (folder, name) => {
          const there = lstat(folder.child(name));
          if (there === undefined) return;
          if (there.isDirectory()) throw unsafe(place, 'it is a folder');
          root.step(`unlink ${path}`);
          unlinkSync(folder.child(name));
        }),
      );
    },

    removeFolder: (path) => {
      const place = at('remove the folder', path);
      return root.run(place, () => {
        const removed = root.inParentIfAny(path, place, (folder, name) => {
          const there = lstat(folder.child(name));
          if (there === undefined) return false;
          if (!there.isDirectory()) throw unsafe(place, `it is a ${describeKind(there)}`);
          root.step(`rmdir ${path}`);
          return removeIfEmpty(folder.child(name));
        });
        return removed === true;
      });
    },

    sync: async (paths) => {
      for (let start = 0; start < paths.length; start += FLUSHES) {
        await Promise.all(paths.slice(start, start + FLUSHES).map((path) => flushFile(root, path, at('flush', path))));
      }
      // Deepest first: a name is durable when every folder above it is.
      const folders = [...new Set(paths.flatMap(parentPaths))].sort((a, b) => b.length - a.length);
      for (const path of folders) {
        const place = at('flush', path);
        await root.run(place, () => {
          const folder = root.open(treePath(path), place);
          if (folder === undefined) return;
          try {
            flush(folder, path);
          } finally {
            folder.close();
          }
        });
      }
    },
  };
}

async function flushFile(root: FolderRoot, path: string, place: TreePlace): Promise<void> {
  await root.run(place, async () => {
    const components = treePath(path);
    const there = root.find();
    // What was removed needs its folder flushed alone, and a link has no content.
    if (there === undefined || root.look(components, place)?.isFile() !== true) return;
    const { fd } = openFile(there, components, place);
    try {
      root.step(`fsync ${path}`);
      await promisify(fsync)(fd);
    } finally {
      closeSync(fd);
    }
  });
}

function requireFile(stats: Stats | undefined, place: TreePlace): void {
  if (stats === undefined) throw notFound(place);
  if (!stats.isFile()) throw unsafe(place, `it is a ${describeKind(stats)}`);
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += writeSync(fd, bytes, written, bytes.length - written);
}

function removeIfEmpty(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(errorCode(error) ?? '')) return false;
    throw error;
  }
}

/** On the way out of a failure, whose error matters more than this one. */
function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // The temporary file stays; `list` hides it and names it on demand.
  }
}
