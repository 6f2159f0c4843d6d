/**
 * One connection for all partners that are reached with the same login at the same server, and at most a few connections to one
 * host at a time: sshd begins to turn logins away at ten that are under way (`MaxStartups`).
 *
 * A connection that broke while several used it is shared no more: the next of them get one each, so that what broke it for
 * one of them breaks nothing for the others.
 */
import { TieupError } from '../errors.ts';
import { BrokenLine, isBrokenLine } from './broken-line.ts';
import type { PartnerLogin } from './partner-login.ts';
import { shareSession } from './session-share.ts';
import { parseSftpAddress, renderSftpAddress, type SftpAddress } from './sftp-address.ts';
import type { SftpConnection } from './sftp-connection.ts';

export interface SharedLogins {
  /** A connection that this caller closes, as if it were its own. @throws what `login` throws */
  connect(to: PartnerLogin): Promise<SftpConnection>;
  /** Ends all connections; who still waits for one is refused. */
  close(): Promise<void>;
}

export interface SharedLoginOptions {
  /** @throws like `loginToPartner` */
  readonly login: (to: PartnerLogin) => Promise<SftpConnection>;
  /** Connections to a host at a time; {@link PER_HOST} unless given. */
  readonly perHost?: number;
  /** How long a connection that nobody uses waits for the next; {@link IDLE_MS} unless given. */
  readonly idleMs?: number;
}

const PER_HOST = 8;
const IDLE_MS = 5000;

interface Line {
  readonly key: string;
  /** Where who opened it wanted to go. */
  readonly label: string;
  readonly place: Place;
  readonly connecting: Promise<SftpConnection>;
  readonly isShared: boolean;
  users: number;
  idle: NodeJS.Timeout | undefined;
}

/** What one host is to us. */
interface Place {
  taken: number;
  readonly lines: Set<Line>;
  /** Who waits until one of the connections ends. */
  readonly queue: { readonly go: () => void; readonly refuse: (error: TieupError) => void }[];
}

interface Joined {
  readonly line: Line;
  readonly connection: SftpConnection;
}

export function sharedLogins({ login, perHost = PER_HOST, idleMs = IDLE_MS }: SharedLoginOptions): SharedLogins {
  const places = new Map<string, Place>();
  const shared = new Map<string, Line>();
  /** Keys whose connection broke while several used it. */
  const separate = new Set<string>();
  let closed: TieupError | undefined;

  const placeOf = ({ host, port }: SftpAddress): Place => {
    const name = `${host}:${port}`;
    const place = places.get(name) ?? { taken: 0, lines: new Set(), queue: [] };
    places.set(name, place);
    return place;
  };

  const enter = async (place: Place): Promise<void> => {
    if (closed !== undefined) throw closed;
    if (place.taken < perHost) {
      place.taken += 1;
      return;
    }
    const entering = new Promise<void>((go, refuse) => void place.queue.push({ go, refuse }));
    const unused = [...place.lines].find(({ users }) => users === 0);
    if (unused !== undefined) void end(unused);
    await entering;
  };
  /** Who waits longest takes over the place. */
  const leave = (place: Place): void => {
    const next = place.queue.shift();
    if (next === undefined) place.taken -= 1;
    else next.go();
  };

  const openLine = (key: string, to: PartnerLogin, place: Place): Line => {
    const isShared = !separate.has(key);
    const connecting = enter(place).then(() =>
      login(to).catch((error: unknown) => {
        leave(place);
        throw error;
      }),
    );
    const label = labelOf(to);
    const line: Line = { key, label, place, connecting, isShared, users: 0, idle: undefined };
    place.lines.add(line);
    if (isShared) shared.set(key, line);
    connecting.catch(() => forget(line));
    return line;
  };
  const forget = (line: Line): void => {
    clearTimeout(line.idle);
    line.place.lines.delete(line);
    if (shared.get(line.key) === line) shared.delete(line.key);
  };
  const end = async (line: Line): Promise<void> => {
    if (!line.place.lines.has(line)) return;
    forget(line);
    await (await line.connecting).close();
    leave(line.place);
  };
  const release = async (line: Line, connection: SftpConnection): Promise<void> => {
    line.users -= 1;
    if (line.users > 0) return;
    const isOver = connection.session.failure() !== undefined;
    if (isOver || !line.isShared || closed !== undefined || line.place.queue.length > 0) return end(line);
    line.idle = setTimeout(() => void end(line), idleMs);
  };

  const join = async (key: string, to: PartnerLogin, place: Place, label: string): Promise<Joined> => {
    for (;;) {
      const line = shared.get(key) ?? openLine(key, to, place);
      line.users += 1;
      clearTimeout(line.idle);
      const connection = await line.connecting.catch((error: unknown) => {
        throw relabelled(error, line.label, label);
      });
      if (connection.session.failure() === undefined) return { line, connection };
      // It broke while nobody used it.
      if (shared.get(key) === line) shared.delete(key);
      await release(line, connection);
      if (closed !== undefined) throw closed;
    }
  };

  return {
    async connect(to) {
      const { sftp } = to.partner;
      // It says what is missing.
      if (sftp === null) return login(to);
      const address = parseSftpAddress(sftp.url);
      const label = renderSftpAddress(address);
      const key = JSON.stringify([
        renderSftpAddress({ ...address, path: '/' }),
        [...sftp.hostKeys].toSorted(),
        sftp.transport,
      ]);
      const { line, connection } = await join(key, to, placeOf(address), label);
      const told = (error: unknown): unknown => relabelled(translated(error), line.label, label);
      const translated = (error: unknown): unknown => {
        if (connection.session.failure() !== error || !(error instanceof TieupError)) return error;
        // Whoever comes next begins anew.
        if (shared.get(key) === line) shared.delete(key);
        if (line.users === 1 && !separate.has(key)) return error;
        separate.add(key);
        if (error.code !== 'TIEUP_E_CONNECTION' || isBrokenLine(error)) return error;
        // It may have been the doing of another user.
        return new TieupError(error.code, error.message, { cause: new BrokenLine(error) });
      };
      const session = shareSession(connection.session, told);
      let isLeft = false;
      return {
        ...connection,
        address,
        session,
        close: async () => {
          if (isLeft) return;
          isLeft = true;
          session.fail(new TieupError('TIEUP_E_CONNECTION', `the connection to ${label} was closed`));
          await release(line, connection);
        },
      };
    },
    async close() {
      closed = new TieupError('TIEUP_E_INTERRUPTED', 'no more connections are made');
      const lines = [...places.values()].flatMap((place) => [...place.lines]);
      for (const { queue } of places.values()) for (const { refuse } of queue.splice(0)) refuse(closed);
      await Promise.allSettled(lines.map(end));
    },
  };
}

/** Whoever shares a line is told of its own partner, not of the one that opened it. */
function relabelled(error: unknown, opener: string, label: string): unknown {
  if (!(error instanceof TieupError) || opener === label || !error.message.includes(opener)) return error;
  const { code, message, hint, problems, cause } = error;
  const details = { problems, cause, ...(hint === undefined ? {} : { hint }) };
  return new TieupError(code, message.replaceAll(opener, label), details);
}

function labelOf({ partner: { sftp } }: PartnerLogin): string {
  return sftp === null ? '' : renderSftpAddress(parseSftpAddress(sftp.url));
}
