/** The operations of an SFTP tree that change something, in the order that leaves whole files at every moment. */
import type { FileContent, FileTree, StagedFile, StageOptions, WriteOptions } from './file-tree.ts';
import type { SftpAccess } from './sftp-access.ts';
import { absolutePath, describeKind, lookAtFile, lookInParent, naming } from './sftp-access.ts';
import { linkMaker, replace } from './sftp-links.ts';
import { hasStatus, STATUS } from './sftp-session.ts';
import { assertBeginning, takeOver, WrongBeginning } from './sftp-resume.ts';
import { upload } from './sftp-transfer.ts';
import { forEachFile, together } from './together.ts';
import type { TreePlace } from './tree-fault.ts';
import { inTheWay, notFound, storage, unsafe } from './tree-fault.ts';
import { fileTreePath, temporaryName, treePath } from './tree-path.ts';

type Writing = Pick<
  FileTree,
  | 'stage'
  | 'write'
  | 'create'
  | 'makeFolder'
  | 'rename'
  | 'hardLink'
  | 'replaceLink'
  | 'remove'
  | 'removeFolder'
  | 'sync'
>;

type OpenNew = (file: string, mode: number) => Promise<Buffer>;

/** Of a file of which the beginning is there. */
interface Resumed {
  /** Where the content goes. */
  readonly start: number;
  /** What must be before it. */
  readonly beginning: Uint8Array;
}

export function sftpWriting(access: SftpAccess): Writing {
  const { session, server, folders, label } = access;
  const makeLink = linkMaker(session);
  const at = (verb: string, path: string): TreePlace => ({ verb, path, label });
  /** What was flushed on the way, with the request that closed it: asked for by itself it takes four round trips. */
  const flushed = new Set<string>();

  /** Fills the open file, flushes it where the server can, and closes it. */
  const fill = async (handle: Buffer, content: FileContent, options: WriteOptions | undefined, resumed?: Resumed) => {
    const { mode } = options ?? {};
    const flush = async (): Promise<void> => {
      if (server.fsync) await session.fsync(handle);
    };
    let closing: Promise<unknown> | undefined;
    const close = (): void => {
      closing = Promise.all([flush(), session.close(handle)]);
      // It is awaited below, unless what came before it fails.
      closing.catch(() => {});
    };
    try {
      // The server's umask may have taken bits away. Some servers allow no change of mode: that matters for a mode
      // that was asked for.
      const setMode = session.setMode(handle, mode ?? 0o644).catch((error: unknown) => {
        if (mode !== undefined || !hasStatus(error)) throw error;
      });
      const { start = 0, beginning = new Uint8Array() } = resumed ?? {};
      // What is there is still being read: the file is closed afterwards.
      const onSent = server.inOrder && start === 0 ? close : noop;
      await together([
        setMode,
        upload(session, handle, content, { large: server.inOrder, position: start, onSent }),
        assertBeginning(session, handle, beginning),
      ]);
      if (closing === undefined) await flush();
    } catch (error) {
      await (closing ?? session.close(handle)).catch(() => {});
      throw error;
    }
    await (closing ?? session.close(handle));
  };

  const openExclusive: OpenNew = (file, mode) => session.open(file, 'wx', mode);
  /** Also where the server knows of no exclusive files: for a name that nobody can guess. */
  const openTemporary: OpenNew = async (file, mode) => {
    if (server.refusesExclusive === true) return session.open(file, 'w', mode);
    try {
      return await openExclusive(file, mode);
    } catch (error) {
      if (!hasStatus(error, STATUS.OP_UNSUPPORTED)) throw error;
      server.refusesExclusive = true;
      return session.open(file, 'w', mode);
    }
  };

  /** Makes the file, which must not exist, and fills it; takes it away again when that fails. */
  const fillNew = async (
    file: string,
    content: FileContent,
    options: WriteOptions | undefined,
    open = openTemporary,
  ): Promise<void> => {
    const handle = await open(file, options?.mode ?? 0o644);
    try {
      await fill(handle, content, options);
    } catch (error) {
      await session.remove(file).catch(() => {});
      throw error;
    }
  };

  /** Goes on with what was cut off; false, and no such file, when it is not the beginning of the content. */
  const fillOn = async (file: string, content: FileContent, { from, ...options }: StageOptions): Promise<boolean> => {
    if (from === undefined || !(content instanceof Uint8Array)) return false;
    const taken = await takeOver(session, await absolutePath(access, from), file, content.length);
    if (taken === undefined) return false;
    const { handle, start } = taken;
    try {
      await fill(handle, content.subarray(start), options, { start, beginning: content.subarray(0, start) });
      return true;
    } catch (error) {
      await session.remove(file).catch(() => {});
      if (error instanceof WrongBeginning) return false;
      throw error;
    }
  };

  /** Where the server makes no exclusive files, its rename decides, which replaces nothing. */
  const createAt = async (
    components: readonly string[],
    content: FileContent,
    options: WriteOptions | undefined,
  ): Promise<void> => {
    const target = await folders.absolute(components);
    if (server.refusesExclusive !== true) {
      try {
        return await fillNew(target, content, options, openExclusive);
      } catch (error) {
        if (!hasStatus(error, STATUS.OP_UNSUPPORTED)) throw error;
        server.refusesExclusive = true;
      }
    }
    const temporary = await folders.absolute([...components.slice(0, -1), temporaryName()]);
    await fillNew(temporary, content, options);
    try {
      await session.rename(temporary, target);
    } catch (error) {
      await session.remove(temporary).catch(() => {});
      throw error;
    }
  };

  const fillAny = async (file: string, content: FileContent, options: StageOptions): Promise<void> => {
    if (!(await fillOn(file, content, options))) await fillNew(file, content, options);
  };

  const stage = (path: string, content: FileContent, options: StageOptions = {}): Promise<StagedFile> => {
    const place = at('write', path);
    return naming(place, async () => {
      const components = fileTreePath(path);
      const parent = components.slice(0, -1);
      const assertFree = async (): Promise<void> => {
        const there = await folders.look(components, place);
        if (there?.isSymbolicLink() === true) throw unsafe(place, 'it is a symbolic link');
        if (there?.isFile() === false) throw inTheWay(place, `a ${describeKind(there)} is there`);
        if (there !== undefined && options.isNew === true) throw inTheWay(place, 'it exists already');
      };
      const temporary = await folders.absolute([...parent, temporaryName(options.tag)]);
      const target = await absolutePath(access, path);
      const discard = (): Promise<void> => session.remove(temporary).catch(() => {});
      if (folders.isKnown(parent)) {
        // One round trip less: what is in the way of the file is not in the way of a temporary one.
        const [free, filled] = await Promise.allSettled([assertFree(), fillAny(temporary, content, options)]);
        if (filled.status === 'fulfilled' && free.status === 'rejected') await discard();
        if (free.status === 'rejected') throw free.reason;
        if (filled.status === 'rejected') throw filled.reason;
      } else {
        await assertFree();
        await folders.make(parent, place);
        await fillNew(temporary, content, options);
      }
      return {
        discard,
        commit: () =>
          naming(place, async () => {
            try {
              // SFTP's own rename replaces nothing; of servers other than OpenSSH some do not know that.
              if (options.isNew === true && !server.inOrder) await assertFree();
              await (options.isNew === true
                ? session.rename(temporary, target)
                : replace(session, server, temporary, target));
            } catch (error) {
              await discard();
              if (options.isNew === true && hasStatus(error, STATUS.FAILURE)) await assertFree();
              throw error;
            }
            if (options.durable === false) flushed.add(path);
          }),
      };
    });
  };

  return {
    stage,

    write: async (path, content, options) => {
      const staged = await stage(path, content, options);
      await staged.commit();
    },

    create: (path, content, options) => {
      const place = at('create', path);
      return naming(place, async () => {
        const components = fileTreePath(path);
        const assertAbsent = async (): Promise<void> => {
          if ((await folders.look(components, place)) !== undefined) throw inTheWay(place, 'it exists already');
        };
        // A server that knows of no exclusive files would empty the one that is there.
        if (!(server.inOrder && folders.isKnown(components.slice(0, -1)))) {
          await assertAbsent();
          await folders.make(components.slice(0, -1), place);
        }
        try {
          await createAt(components, content, options);
        } catch (error) {
          // SFTP 3 has no status for "exists". The file that another one made must not be removed, and is not: fillNew
          // removes only what it has opened.
          if (hasStatus(error, STATUS.FAILURE)) await assertAbsent();
          throw error;
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
        const components = fileTreePath(path);
        const remove = async (): Promise<void> => session.remove(await absolutePath(access, path));
        if (server.inOrder && folders.isKnown(components.slice(0, -1))) {
          try {
            return await remove();
          } catch (error) {
            if (hasStatus(error, STATUS.NO_SUCH_FILE)) return;
            // What is there is looked at below.
            if (!hasStatus(error, STATUS.FAILURE)) throw error;
          }
        }
        const there = await folders.look(components, place);
        if (there === undefined) return;
        if (there.isDirectory()) throw unsafe(place, 'it is a folder');
        await remove();
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

    sync: (paths) =>
      forEachFile([session], paths, async (path) => {
        if (flushed.delete(path)) return undefined;
        const place = at('flush', path);
        return naming(place, async () => {
          const there = await folders.look(treePath(path), place);
          if (!server.fsync || there?.isFile() !== true) return;
          const handle = await session.open(await absolutePath(access, path), 'r', 0);
          try {
            await session.fsync(handle);
          } finally {
            await session.close(handle);
          }
        });
      }),
  };
}

function noop(): void {}
