/**
 * One of several users of an SFTP session. What goes wrong for one, and its leaving in the middle of its work, is nothing to the
 * others: only the end of the connection ends all.
 */
import type { TieupError } from '../errors.ts';
import type { SftpSession } from './sftp-session.ts';

/**
 * The session as this user sees it; `fail` ends its part alone, and gives back the handles that it left open.
 * @param translate what this user is told when a request fails
 */
export function shareSession(session: SftpSession, translate: (error: unknown) => unknown): SftpSession {
  const waiting = new Set<(error: TieupError) => void>();
  const handles = new Set<Buffer>();
  let over: TieupError | undefined;

  const own = <Arguments extends readonly unknown[], T>(
    ask: (...words: Arguments) => Promise<T>,
    late?: (answer: T) => void,
  ) => {
    const settle = async (words: Arguments, resolve: (answer: T) => void, reject: (error: unknown) => void) => {
      try {
        const answer = await ask(...words);
        if (waiting.delete(reject)) resolve(answer);
        else late?.(answer);
      } catch (error) {
        if (waiting.delete(reject)) reject(translate(error));
      }
    };
    return (...words: Arguments): Promise<T> =>
      new Promise<T>((resolve, reject) => {
        if (over !== undefined) return reject(over);
        waiting.add(reject);
        void settle(words, resolve, reject);
      });
  };
  const giveBack = (handle: Buffer): void => void session.close(handle).catch(() => {});
  const opening = <Arguments extends readonly unknown[]>(ask: (...words: Arguments) => Promise<Buffer>) => {
    const open = own(ask, giveBack);
    return async (...words: Arguments): Promise<Buffer> => {
      const handle = await open(...words);
      if (over !== undefined) {
        giveBack(handle);
        throw over;
      }
      handles.add(handle);
      return handle;
    };
  };
  const closeHandle = own(session.close);

  return {
    open: opening(session.open),
    openFolder: opening(session.openFolder),
    close: (handle) => {
      handles.delete(handle);
      return closeHandle(handle);
    },
    read: own(session.read),
    write: own(session.write),
    setMode: own(session.setMode),
    fsync: own(session.fsync),
    lstat: own(session.lstat),
    readFolder: own(session.readFolder),
    makeFolder: own(session.makeFolder),
    removeFolder: own(session.removeFolder),
    remove: own(session.remove),
    rename: own(session.rename),
    replace: own(session.replace),
    hardLink: own(session.hardLink),
    symlink: own(session.symlink),
    readLink: own(session.readLink),
    realPath: own(session.realPath),
    freeBytes: own(session.freeBytes),
    inFlight: session.inFlight,
    roundTripMs: session.roundTripMs,
    failure: () => over ?? session.failure(),
    fail: (error) => {
      over ??= error;
      for (const reject of waiting) reject(over);
      waiting.clear();
      for (const handle of handles) giveBack(handle);
      handles.clear();
    },
  };
}
