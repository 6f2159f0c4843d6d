/** The operations of an SFTP tree that change something, in the order that leaves whole files at every moment. */
import type { FileContent, FileTree } from './file-tree.ts';
import type { SftpAccess } from './sftp-access.ts';
import { absolutePath, describeKind, lookAtFile, lookInParent, naming } from './sftp-access.ts';
import { linkMaker, replace } from './sftp-links.ts';
import { hasStatus, STATUS } from './sftp-session.ts';
import { upload } from './sftp-transfer.ts';
import type { TreePlace } from './tree-fault.ts';
import { inTheWay, notFound, storage, unsafe } from './tree-fault.ts';
import { fileTreePath, temporaryName, treePath } from './tree-path.ts';

type Writing = Pick<
  FileTree,
  'write' | 'create' | 'makeFolder' | 'rename' | 'hardLink' | 'replaceLink' | 'remove' | 'removeFolder' | 'sync'
>;

export function sftpWriting(access: SftpAccess): Writing {
  const { session, server, folders, label } = access;
  const makeLink = linkMaker(session);
  const at = (verb: string, path: string): TreePlace => ({ verb, path, label });

  /** Makes the file, which must not exist, and fills it; takes it away again when that fails. */
  const fillNew = async (
    file: string,
    content: FileContent,
    mode: number | undefined,
    durable: boolean,
  ): Promise<void> => {
    const handle = await session.open(file, 'wx', mode ?? 0o644);
    try {
      try {
        // The server's umask may have taken bits away. Some servers allow no change of mode: that matters for a mode
        // that was asked for.
        const setMode = session.setMode(handle, mode ?? 0o644).catch((error: unknown) => {
          if (mode !== undefined || !hasStatus(error)) throw error;
        });
        await Promise.all([setMode, upload(session, handle, content)]);
      } catch (error) {
        await session.close(handle).catch(() => {});
        throw error;
      }
      await Promise.all([durable && server.fsync ? session.fsync(handle) : undefined, session.close(handle)]);
    } catch (error) {
      await session.remove(file).catch(() => {});
      throw error;
    }
  };

  return {
    write: (path, content, options) => {
      const place = at('write', path);
      return naming(place, async () => {
        const components = fileTreePath(path);
        const there = await folders.look(components, place);
        if (there?.isSymbolicLink() === true) throw unsafe(place, 'it is a symbolic link');
        if (there?.isFile() === false) throw inTheWay(place, `a ${describeKind(there)} is there`);
        await folders.make(components.slice(0, -1), place);
        const temporary = await folders.absolute([...components.slice(0, -1), temporaryName()]);
        await fillNew(temporary, content, options?.mode, options?.durable !== false);
        try {
          await replace(session, server, temporary, await absolutePath(access, path));
        } catch (error) {
          await session.remove(temporary).catch(() => {});
          throw error;
        }
      });
    },

    create: (path, content, options) => {
      const place = at('create', path);
      return naming(place, async () => {
        const components = fileTreePath(path);
        const there = await folders.look(components, place);
        if (there !== undefined) throw inTheWay(place, 'it exists already');
        await folders.make(components.slice(0, -1), place);
        try {
          await fillNew(await absolutePath(access, path), content, options?.mode, options?.durable !== false);
        } catch (error) {
          // SFTP 3 has no status for "exists". The file that another one made must not be removed, and is not: fillNew
          // removes only what it has opened.
          const now = hasStatus(error, STATUS.FAILURE) ? await folders.look(components, place) : undefined;
          throw now === undefined ? error : inTheWay(place, 'it exists already', error);
        }
      });
    },

    makeFolder: (path) => {
      const place = at('make the folder', path);
      return naming(place, () => folders.make(treePath(path), place));
    },

    rename: (from, to) => {
      const place = at('rename', from);
      return naming(place, async () => {
        const [moved, there] = await Promise.all([
          lookInParent(access, from, place),
          lookInParent(access, to, at('rename to', to)),
        ]);
        if (moved === undefined) throw notFound(place);
        if (from === to) return;
        if (to.startsWith(`${from}/`)) throw unsafe(place, 'a folder cannot be moved into itself');
        if (there !== undefined && (there.isDirectory() || moved.isDirectory())) {
          throw inTheWay(place, `a ${describeKind(there)} is at ${JSON.stringify(to)}`);
        }
        folders.forget(from);
        await replace(session, server, await absolutePath(access, from), await absolutePath(access, to));
      });
    },

    hardLink: (from, to) => {
      const place = at('link', from);
      return naming(place, async () => {
        await lookAtFile(access, from, place);
        const there = await lookInParent(access, to, at('link to', to));
        if (there !== undefined) throw inTheWay(at('link to', to), 'it exists already');
        if (!server.hardLink) throw storage(place, 'the server makes no hard links');
        await session.hardLink(await absolutePath(access, from), await absolutePath(access, to));
      });
    },

    replaceLink: (path, target) => {
      const place = at('link', path);
      return naming(place, async () => {
        if (target === '' || target.includes('\0')) {
          throw unsafe(place, 'the target of a link cannot be empty or hold a NUL');
        }
        const there = await lookInParent(access, path, place);
        if (there?.isSymbolicLink() === false) throw inTheWay(place, `a ${describeKind(there)} is there`);
        const temporary = await folders.absolute([...treePath(path).slice(0, -1), temporaryName()]);
        await makeLink(target, temporary, place);
        folders.forget(path);
        try {
          await replace(session, server, temporary, await absolutePath(access, path));
        } catch (error) {
          await session.remove(temporary).catch(() => {});
          throw error;
        }
      });
    },

    remove: (path) => {
      const place = at('remove', path);
      return naming(place, async () => {
        const there = await folders.look(fileTreePath(path), place);
        if (there === undefined) return;
        if (there.isDirectory()) throw unsafe(place, 'it is a folder');
        await session.remove(await absolutePath(access, path));
      });
    },

    removeFolder: (path) => {
      const place = at('remove the folder', path);
      return naming(place, async () => {
        const there = await folders.look(fileTreePath(path), place);
        if (there === undefined) return false;
        if (!there.isDirectory()) throw unsafe(place, `it is a ${describeKind(there)}`);
        folders.forget(path);
        try {
          await session.removeFolder(await absolutePath(access, path));
          return true;
        } catch (error) {
          // SFTP 3 has no status for "not empty".
          if (hasStatus(error, STATUS.FAILURE, STATUS.NO_SUCH_FILE)) return false;
          throw error;
        }
      });
    },

    sync: async (paths) => {
      for (const path of paths) {
        const place = at('flush', path);
        await naming(place, async () => {
          const there = await folders.look(treePath(path), place);
          if (!server.fsync || there?.isFile() !== true) return;
          const handle = await session.open(await absolutePath(access, path), 'r', 0);
          try {
            await session.fsync(handle);
          } finally {
            await session.close(handle);
          }
        });
      }
    },
  };
}
