/** The operations of a local {@link FileTree} that change nothing. */
import { closeSync, readdirSync, readlinkSync, readSync, type Stats } from 'node:fs';
import type { FileEntry, FileKind, FileStat, FileTree } from './file-tree.ts';
import type { OpenFile } from './folder-access.ts';
import { lstat, openFile } from './folder-access.ts';
import type { FolderRoot } from './folder-root.ts';
import type { TreePlace } from './tree-fault.ts';
import { notFound, tooLarge, unsafe } from './tree-fault.ts';
import { byName, fileTreePath, isTemporaryName, treePath } from './tree-path.ts';

const STREAM_CHUNK = 256 * 1024;
/** After the end that was expected. */
const PROBE = 16 * 1024;

export function folderReading(root: FolderRoot): Pick<FileTree, 'stat' | 'list' | 'read' | 'stream' | 'readLink'> {
  const at = (verb: string, path: string): TreePlace => ({ verb, path, label: root.label });

  const open = (path: string, place: TreePlace): OpenFile => {
    const components = fileTreePath(path);
    const there = root.find();
    if (there === undefined) throw notFound(place);
    return openFile(there, components, place);
  };

  return {
    stat: (path) => {
      const place = at('look at', path);
      return root.run(place, () => {
        const stats = root.look(treePath(path), place);
        return stats && statOf(stats);
      });
    },

    list: (path, options) => {
      const place = at('list', path);
      return root.run(place, () => {
        const components = treePath(path);
        const folder = root.open(components, place);
        if (folder === undefined) {
          const stats = root.look(components, place);
          if (stats === undefined || stats.isDirectory()) return [];
          throw unsafe(place, `it is a ${describeKind(stats)}`);
        }
        try {
          const entries: FileEntry[] = [];
          for (const name of readdirSync(folder.child('.'))) {
            if (isTemporaryName(name) && options?.temporary !== true) continue;
            const stats = lstat(folder.child(name));
            if (stats !== undefined) entries.push({ name, ...statOf(stats) });
            // A name that is no UTF-8 cannot be addressed, but must not be hidden either.
            else if (name.includes('\uFFFD')) entries.push({ name, ...UNNAMEABLE });
          }
          return entries.sort(byName);
        } finally {
          folder.close();
        }
      });
    },

    read: (path, maxLength, room) => {
      const place = at('read', path);
      return root.run(place, () => {
        const { fd, length } = open(path, place);
        try {
          if (length > maxLength) throw tooLarge(place, maxLength, length);
          return readAll(
            fd,
            room !== undefined && length <= room.length ? room.subarray(0, length) : new Uint8Array(length),
          );
        } finally {
          closeSync(fd);
        }
      });
    },

    stream: async function* stream(path, maxLength) {
      const place = at('read', path);
      const { fd, length } = await root.run(place, () => open(path, place));
      try {
        if (length > maxLength) throw tooLarge(place, maxLength, length);
        let given = 0;
        while (true) {
          // One byte more than is expected: so the end is seen, and so is a file that grows meanwhile.
          const rest = given < length ? Math.min(STREAM_CHUNK, length - given) : Math.min(PROBE, maxLength - given);
          const chunk = new Uint8Array(rest + 1);
          const count = await root.run(place, () => readSync(fd, chunk, 0, chunk.length, null));
          if (count === 0) return;
          given += count;
          if (given > maxLength) throw tooLarge(place, maxLength);
          yield chunk.subarray(0, count);
        }
      } finally {
        closeSync(fd);
      }
    },

    readLink: (path) => {
      const place = at('read the link', path);
      return root.run(place, () =>
        root.inParent(path, place, (folder, name) => {
          const stats = lstat(folder.child(name));
          if (stats === undefined) throw notFound(place);
          if (!stats.isSymbolicLink()) throw unsafe(place, `it is a ${describeKind(stats)}`);
          return readlinkSync(folder.child(name));
        }),
      );
    },
  };
}

/** As a word in a sentence. */
export function describeKind(stats: Stats): string {
  const kind = kindOf(stats);
  if (kind === 'link') return 'symbolic link';
  return kind === 'other' ? 'special file' : kind;
}

const UNNAMEABLE: FileStat = { kind: 'other', length: 0, mode: undefined, modified: '1970-01-01T00:00:00.000Z' };

function statOf(stats: Stats): FileStat {
  return {
    kind: kindOf(stats),
    length: stats.isFile() ? stats.size : 0,
    mode: stats.mode & 0o7777,
    modified: stats.mtime.toISOString(),
  };
}

function kindOf(stats: Stats): FileKind {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'folder';
  return stats.isSymbolicLink() ? 'link' : 'other';
}

/** Fills `bytes`; what is given back is shorter when the file has become so meanwhile. */
function readAll(fd: number, bytes: Uint8Array): Uint8Array {
  let filled = 0;
  while (filled < bytes.length) {
    const count = readSync(fd, bytes, filled, bytes.length - filled, null);
    if (count === 0) break;
    filled += count;
  }
  return filled === bytes.length ? bytes : bytes.slice(0, filled);
}
