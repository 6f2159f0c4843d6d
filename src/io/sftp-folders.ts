/**
 * The folders of a tree on an SFTP server: resolved once, looked at before use, remembered while the connection lasts.
 *
 * SFTP has neither openat nor O_NOFOLLOW, so a check and the use after it are two requests. That is enough here: the
 * threat is a link that somebody left in the tree, not one that the server's own user swaps in while we look, who could
 * change every file there anyway.
 */
import type { Stats } from 'ssh2';
import type { SftpSession } from './sftp-session.ts';
import { hasStatus, STATUS } from './sftp-session.ts';
import type { TreePlace } from './tree-fault.ts';
import { inTheWay, unsafe } from './tree-fault.ts';

export interface SftpFolders {
  /** The absolute path on the server. */
  absolute(components: readonly string[]): Promise<string>;
  /** What the path itself is; the folders on the way are checked in the same round trip. @throws TIEUP_E_UNSAFE_PATH */
  look(components: readonly string[], place: TreePlace): Promise<Stats | undefined>;
  /** Makes the folder and what is missing above it. @throws TIEUP_E_EXISTS, TIEUP_E_UNSAFE_PATH */
  make(components: readonly string[], place: TreePlace): Promise<void>;
  /** True when this connection has seen that the folder, and all above it, are folders and no links. */
  isKnown(components: readonly string[]): boolean;
  /** Forgets that `path` and what is below it are folders. */
  forget(path: string): void;
}

export function sftpFolders(session: SftpSession, root: string): SftpFolders {
  const known = new Set<string>();
  /** Under way: what is asked for several files at a time is asked once. */
  const looking = new Map<string, Promise<Stats | undefined>>();
  const making = new Map<string, Promise<void>>();
  let base: Promise<string> | undefined;

  const absolute = async (components: readonly string[]): Promise<string> => {
    const from = await (base ??= resolveRoot(session, root));
    return components.length === 0 ? from : [from === '/' ? '' : from, ...components].join('/');
  };
  const lstat = async (components: readonly string[]): Promise<Stats | undefined> =>
    lstatIfAny(session, await absolute(components));

  const lookOnce = (way: readonly string[]): Promise<Stats | undefined> => {
    const name = way.join('/');
    const underWay = looking.get(name) ?? lstat(way).finally(() => looking.delete(name));
    looking.set(name, underWay);
    return underWay;
  };

  const look: SftpFolders['look'] = async (components, place) => {
    const ways = components.map((_, index) => components.slice(0, index)).filter((way) => way.length > 0);
    // One round trip for all; what is asked below a link is answered too, and thrown away here.
    const [last, ...stats] = await Promise.all([
      lstat(components),
      ...ways.map((way) => (known.has(way.join('/')) ? 'known' : lookOnce(way))),
    ]);
    for (const [index, stat] of stats.entries()) {
      if (stat === 'known') continue;
      if (stat === undefined) return undefined;
      const way = ways[index] ?? [];
      if (stat.isSymbolicLink()) throw unsafe(place, `${JSON.stringify(way.at(-1))} on the way is a symbolic link`);
      if (!stat.isDirectory()) return undefined;
      known.add(way.join('/'));
    }
    return last;
  };

  const isKnown: SftpFolders['isKnown'] = (components) => components.length > 0 && known.has(components.join('/'));

  const make: SftpFolders['make'] = (components, place) => {
    if (isKnown(components)) return Promise.resolve();
    const name = components.join('/');
    const underWay = making.get(name) ?? makeUnknown(components, place).finally(() => making.delete(name));
    making.set(name, underWay);
    return underWay;
  };

  const makeUnknown: SftpFolders['make'] = async (components, place) => {
    const there = await look(components, place);
    const name = JSON.stringify(components.at(-1) ?? '');
    if (there?.isDirectory() === true) {
      known.add(components.join('/'));
      return;
    }
    if (there?.isSymbolicLink() === true) throw unsafe(place, `${name} on the way is a symbolic link`);
    if (there !== undefined) throw inTheWay(place, `${name} on the way is a file`);
    if (components.length > 0) await make(components.slice(0, -1), place);
    const path = await absolute(components);
    if (components.length === 0) await makeAbove(session, path);
    await makeOne(session, path);
    known.add(components.join('/'));
  };

  return {
    absolute,
    look,
    make,
    isKnown,
    forget: (path) => {
      for (const folder of known) if (folder === path || folder.startsWith(`${path}/`)) known.delete(folder);
    },
  };
}

/** lstat, with undefined for what is not there. */
export async function lstatIfAny(session: SftpSession, path: string): Promise<Stats | undefined> {
  try {
    return await session.lstat(path);
  } catch (error) {
    if (hasStatus(error, STATUS.NO_SUCH_FILE)) return undefined;
    // Below a file some servers say "failure".
    if (hasStatus(error, STATUS.FAILURE)) return undefined;
    throw error;
  }
}

/** The folders above the root that are missing. */
async function makeAbove(session: SftpSession, path: string): Promise<void> {
  const parent = path.slice(0, path.lastIndexOf('/'));
  if (parent === '' || (await lstatIfAny(session, parent)) !== undefined) return;
  await makeAbove(session, parent);
  await makeOne(session, parent);
}

async function makeOne(session: SftpSession, path: string): Promise<void> {
  try {
    await session.makeFolder(path);
  } catch (error) {
    // Somebody else may have made it since.
    if ((await lstatIfAny(session, path))?.isDirectory() !== true) throw error;
  }
}

async function resolveRoot(session: SftpSession, root: string): Promise<string> {
  const start = root.startsWith('~') ? await session.realPath('.') : '';
  const path = root.startsWith('~') ? `${start === '/' ? '' : start}${root.slice(1)}` || '/' : root;
  // The root may be reached through links of the server's own; below it none is followed.
  const [there, real] = await Promise.all([
    lstatIfAny(session, path),
    session.realPath(path).catch((error: unknown) => {
      if (hasStatus(error)) return error;
      throw error;
    }),
  ]);
  if (there === undefined) return path;
  if (typeof real === 'string') return real;
  throw real;
}
