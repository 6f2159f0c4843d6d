/** A connection to a real SFTP server that is lost at a chosen request, without the cost of a new one for each. */
import { TieupError } from '../../src/errors.ts';
import type { SftpConnection } from '../../src/io/sftp-connection.ts';
import type { SftpSession } from '../../src/io/sftp-session.ts';

export interface DroppingConnection extends SftpConnection {
  /** How many requests there were. */
  requests(): number;
}

export interface Drop {
  /** The number of the request, from 1. */
  readonly at: number;
  /** `request`: it never reaches the server; `answer`: the server does it, and its answer is lost. */
  readonly lost: 'request' | 'answer';
}

/** `connection` as it looks to who loses it; it stays open for those who come after. */
export function droppingConnection(connection: SftpConnection, { at, lost }: Drop): DroppingConnection {
  let count = 0;
  let isDead = false;
  const broken = (): TieupError => new TieupError('TIEUP_E_CONNECTION', `the connection broke at request ${at}`);
  const asking = <Given extends readonly unknown[], Answer>(ask: (...given: Given) => Promise<Answer>) => {
    return async (...given: Given): Promise<Answer> => {
      if (isDead) throw broken();
      count += 1;
      const isLast = count === at;
      if (isLast) isDead = true;
      if (isLast && lost === 'request') throw broken();
      const answer = ask(...given);
      if (!isLast) return answer;
      await answer.catch(() => {});
      throw broken();
    };
  };
  const { session } = connection;
  const dropping: SftpSession = {
    open: asking(session.open),
    close: asking(session.close),
    read: asking(session.read),
    write: asking(session.write),
    setMode: asking(session.setMode),
    fsync: asking(session.fsync),
    lstat: asking(session.lstat),
    openFolder: asking(session.openFolder),
    readFolder: asking(session.readFolder),
    makeFolder: asking(session.makeFolder),
    removeFolder: asking(session.removeFolder),
    remove: asking(session.remove),
    rename: asking(session.rename),
    replace: asking(session.replace),
    hardLink: asking(session.hardLink),
    symlink: asking(session.symlink),
    readLink: asking(session.readLink),
    realPath: asking(session.realPath),
    freeBytes: asking(session.freeBytes),
    inFlight: session.inFlight,
    roundTripMs: session.roundTripMs,
    failure: () => (isDead ? broken() : undefined),
    fail: () => {},
  };
  return { ...connection, session: dropping, close: async () => {}, requests: () => count };
}
