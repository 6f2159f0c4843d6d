/** The operations of an SFTP tree that change nothing. */
import { joinChunks } from './chunks.ts';
import type { FileEntry, FileTree } from './file-tree.ts';
import type { SftpAccess } from './sftp-access.ts';
import { absolutePath, describeKind, lookAtFile, naming, statOf, statusFault } from './sftp-access.ts';
import type { SftpName, SftpSession } from './sftp-session.ts';
import { download } from './sftp-transfer.ts';
import type { TreePlace } from './tree-fault.ts';
import { notFound, tooLarge, unsafe } from './tree-fault.ts';
import { byName, fileTreePath, isTemporaryName, treePath } from './tree-path.ts';

/** A server can list without end; nothing that tieup keeps has so many files in one folder. */
const MAX_ENTRIES = 1_000_000;

/** Two requests are under way at a time: most folders fit into one answer, and the second one says that it was the last. */
async function* readBatches(session: SftpSession, handle: Buffer): AsyncGenerator<readonly SftpName[]> {
  const ask = (): Promise<readonly SftpName[] | undefined> => {
    const reading = session.readFolder(handle);
    // It is awaited later, or never when an earlier one fails.
    reading.catch(() => {});
    return reading;
  };
  let next = ask();
  for (;;) {
    const after = ask();
    const batch = await next;
    if (batch === undefined) return;
    yield batch;
    next = after;
  }
}

export function sftpReading(access: SftpAccess): Pick<FileTree, 'stat' | 'list' | 'read' | 'stream' | 'readLink'> {
  const { session, folders, label } = access;
  const at = (verb: string, path: string): TreePlace => ({ verb, path, label });

  async function* stream(path: string, maxLength: number): AsyncGenerator<Uint8Array> {
    const place = at('read', path);
    // Before it is opened, not at the same time: opening a pipe makes OpenSSH wait for somebody who writes into it.
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
        const [looked, opened] = await Promise.allSettled([
          folders.look(treePath(path), place),
          absolutePath(access, path).then((folder) => session.openFolder(folder)),
        ]);
        const entries: FileEntry[] = [];
        try {
          if (looked.status === 'rejected') throw looked.reason;
          if (looked.value === undefined) return [];
          if (!looked.value.isDirectory()) throw unsafe(place, `it is a ${describeKind(looked.value)}`);
          if (opened.status === 'rejected') throw opened.reason;
          for await (const batch of readBatches(session, opened.value)) {
            for (const { name, stats } of batch) {
              if (isTemporaryName(name) && options?.temporary !== true) continue;
              if (name === '' || name.includes('/'))
                throw unsafe(place, `the server lists the name ${JSON.stringify(name)}`);
              entries.push({ name, ...statOf(stats) });
            }
            if (entries.length > MAX_ENTRIES) throw unsafe(place, `it has more than ${MAX_ENTRIES} entries`);
          }
        } finally {
          if (opened.status === 'fulfilled') session.close(opened.value).catch(() => {});
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
