/** The operations of an SFTP tree that change nothing. */
import { joinChunks } from './chunks.ts';
import type { FileEntry, FileTree } from './file-tree.ts';
import type { SftpAccess } from './sftp-access.ts';
import { absolutePath, describeKind, lookAtFile, naming, statOf, statusFault } from './sftp-access.ts';
import { download } from './sftp-transfer.ts';
import type { TreePlace } from './tree-fault.ts';
import { notFound, tooLarge, unsafe } from './tree-fault.ts';
import { byName, fileTreePath, isTemporaryName, treePath } from './tree-path.ts';

/** A server can list without end; nothing that tieup keeps has so many files in one folder. */
const MAX_ENTRIES = 1_000_000;

export function sftpReading(access: SftpAccess): Pick<FileTree, 'stat' | 'list' | 'read' | 'stream' | 'readLink'> {
  const { session, folders, label } = access;
  const at = (verb: string, path: string): TreePlace => ({ verb, path, label });

  async function* stream(path: string, maxLength: number): AsyncGenerator<Uint8Array> {
    const place = at('read', path);
    const { size } = await lookAtFile(access, path, place);
    if (size > maxLength) throw tooLarge(place, maxLength, size);
    const handle = await session.open(await absolutePath(access, path), 'r', 0);
    try {
      yield* download(session, handle, size);
    } finally {
      // Nothing hangs on the answer, and a connection that broke has its own error.
      session.close(handle).catch(() => {});
    }
  }

  return {
    stat: (path) => {
      const place = at('look at', path);
      return naming(place, async () => {
        const there = await folders.look(treePath(path), place);
        return there && statOf(there);
      });
    },

    list: (path, options) => {
      const place = at('list', path);
      return naming(place, async () => {
        const there = await folders.look(treePath(path), place);
        if (there === undefined) return [];
        if (!there.isDirectory()) throw unsafe(place, `it is a ${describeKind(there)}`);
        const handle = await session.openFolder(await absolutePath(access, path));
        const entries: FileEntry[] = [];
        try {
          for (
            let batch = await session.readFolder(handle);
            batch !== undefined;
            batch = await session.readFolder(handle)
          ) {
            for (const { name, stats } of batch) {
              if (isTemporaryName(name) && options?.temporary !== true) continue;
              if (name === '' || name.includes('/'))
                throw unsafe(place, `the server lists the name ${JSON.stringify(name)}`);
              entries.push({ name, ...statOf(stats) });
            }
            if (entries.length > MAX_ENTRIES) throw unsafe(place, `it has more than ${MAX_ENTRIES} entries`);
          }
        } finally {
          session.close(handle).catch(() => {});
        }
        return entries.sort(byName);
      });
    },

    read: (path, maxLength) =>
      naming(at('read', path), async () => {
        const chunks: Uint8Array[] = [];
        for await (const chunk of stream(path, maxLength)) chunks.push(chunk);
        return joinChunks(chunks);
      }),

    stream: async function* streamNamingFaults(path, maxLength) {
      try {
        yield* stream(path, maxLength);
      } catch (error) {
        throw statusFault(error, at('read', path));
      }
    },

    readLink: (path) => {
      const place = at('read the link', path);
      return naming(place, async () => {
        const there = await folders.look(fileTreePath(path), place);
        if (there === undefined) throw notFound(place);
        if (!there.isSymbolicLink()) throw unsafe(place, `it is a ${describeKind(there)}`);
        return session.readLink(await absolutePath(access, path));
      });
    },
  };
}
