/** Symbolic links and replacing renames on servers that do not do what the draft says. */
import type { SftpServerTraits } from './sftp-connection.ts';
import { lstatIfAny } from './sftp-folders.ts';
import type { SftpSession } from './sftp-session.ts';
import { hasStatus, STATUS } from './sftp-session.ts';
import type { TreePlace } from './tree-fault.ts';
import { storage } from './tree-fault.ts';
import { temporaryName } from './tree-path.ts';

/**
 * Gives `from` the name `to`, replacing a file or link there.
 *
 * With posix-rename that is one step. Without it, SSH_FXP_RENAME does when nothing is at `to`; otherwise what is there is
 * moved aside first, and back again when the second step fails. Between the two `to` is absent for one round trip, and a
 * connection that breaks just there leaves the old file aside under a temporary name.
 */
export async function replace(session: SftpSession, server: SftpServerTraits, from: string, to: string): Promise<void> {
  if (server.posixRename) return session.replace(from, to);
  try {
    return await session.rename(from, to);
  } catch (error) {
    if (!hasStatus(error) || (await lstatIfAny(session, to)) === undefined) throw error;
  }
  const aside = `${to.slice(0, to.lastIndexOf('/') + 1)}${temporaryName()}`;
  await session.rename(to, aside);
  try {
    await session.rename(from, to);
  } catch (error) {
    await session.rename(aside, to);
    throw error;
  }
  await session.remove(aside);
}

/**
 * Makes links in the order of arguments that the server understands. The draft and OpenSSH disagree on it, and ProFTPD
 * and others reverse it while they report success, so that what was made is read back before it is used.
 */
export function linkMaker(session: SftpSession): (target: string, path: string, place: TreePlace) => Promise<void> {
  let reversed = false;
  return async (target, path, place) => {
    let failure: unknown;
    for (const swap of reversed ? [true] : [false, true]) {
      try {
        await (swap ? session.symlink(path, target) : session.symlink(target, path));
      } catch (error) {
        // A reversed server may find something at `target`, which it takes for the place of the link.
        if (!hasStatus(error, STATUS.FAILURE, STATUS.NO_SUCH_FILE)) throw error;
        failure ??= error;
      }
      const text = await textOf(session, path);
      if (text === target) {
        reversed = swap;
        return;
      }
      if (text !== undefined) {
        await session.remove(path);
        throw storage(place, `the server changes the target of a link to ${JSON.stringify(text)}`);
      }
      // Made the wrong way round, at the place that `target` names for the server: undone.
      if ((await textOf(session, target)) === path) await session.remove(target);
    }
    throw storage(place, 'the server makes no symbolic links there', { cause: failure });
  };
}

async function textOf(session: SftpSession, path: string): Promise<string | undefined> {
  try {
    return await session.readLink(path);
  } catch (error) {
    if (hasStatus(error)) return undefined;
    throw error;
  }
}
