/** What every operation of an SFTP tree needs: where things are, what they are, and what an answer of the server means. */
import type { Stats } from 'ssh2';
import { isTieupError, TieupError } from '../errors.ts';
import type { FileKind, FileStat } from './file-tree.ts';
import type { SftpServerTraits } from './sftp-connection.ts';
import type { SftpFolders } from './sftp-folders.ts';
import type { SftpSession } from './sftp-session.ts';
import { hasStatus, STATUS } from './sftp-session.ts';
import type { TreePlace } from './tree-fault.ts';
import { notFound, storage, unsafe } from './tree-fault.ts';
import { fileTreePath, treePath } from './tree-path.ts';

export interface SftpAccess {
  readonly label: string;
  readonly session: SftpSession;
  readonly server: SftpServerTraits;
  readonly folders: SftpFolders;
}

/** Runs `work` and names what the server answers. */
export async function naming<T>(place: TreePlace, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw statusFault(error, place);
  }
}

/** The absolute path on the server. */
export async function absolutePath({ folders }: SftpAccess, path: string): Promise<string> {
  return folders.absolute(treePath(path));
}

/** What is at `path`, whose folder must exist. @throws TIEUP_E_NOT_FOUND */
export async function lookInParent(
  { folders }: SftpAccess,
  path: string,
  place: TreePlace,
): Promise<Stats | undefined> {
  const components = fileTreePath(path);
  const [there, parent] = await Promise.all([
    folders.look(components, place),
    folders.look(components.slice(0, -1), place),
  ]);
  if (parent?.isDirectory() !== true) throw notFound(place);
  return there;
}

/** @throws TIEUP_E_NOT_FOUND, TIEUP_E_UNSAFE_PATH when it is no regular file */
export async function lookAtFile({ folders }: SftpAccess, path: string, place: TreePlace): Promise<Stats> {
  const there = await folders.look(fileTreePath(path), place);
  if (there === undefined) throw notFound(place);
  if (!there.isFile()) throw unsafe(place, `it is a ${describeKind(there)}`);
  return there;
}

export function statusFault(error: unknown, place: TreePlace): unknown {
  if (isTieupError(error) || !hasStatus(error)) return error;
  switch (error.status) {
    case STATUS.NO_SUCH_FILE:
      return notFound(place, error);
    case STATUS.PERMISSION_DENIED:
      return storage(place, 'the server denies permission', {
        hint: 'check the owner and the mode of the file and of its folder on the server',
        cause: error,
      });
    case STATUS.OP_UNSUPPORTED:
      return storage(place, 'the server cannot do this', { cause: error });
    case STATUS.NO_CONNECTION:
    case STATUS.CONNECTION_LOST:
      return new TieupError('TIEUP_E_CONNECTION', `the server lost its connection at ${place.label}`, { cause: error });
    default:
      return storage(place, 'the server says that it failed', {
        hint: 'a full disk, a quota or a read-only file system are the usual reasons',
        cause: error,
      });
  }
}

/** A server may leave out each attribute (draft-ietf-secsh-filexfer-02, section 5), whatever the types say. */
export function statOf(stats: Stats): FileStat {
  return {
    kind: kindOf(stats),
    length: stats.isFile() ? orZero(stats.size) : 0,
    mode: stats.mode & 0o7777,
    modified: new Date(orZero(stats.mtime) * 1000).toISOString(),
  };
}

function orZero(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function kindOf(stats: Stats): FileKind {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'folder';
  return stats.isSymbolicLink() ? 'link' : 'other';
}

export function describeKind(stats: Stats): string {
  const kind = kindOf(stats);
  if (kind === 'link') return 'symbolic link';
  return kind === 'other' ? 'special file' : kind;
}
