/**
 * SFTP requests as promises that always settle.
 *
 * ssh2 calls back for what the server answers, and for nothing that is sent after the channel closed; a server that falls
 * silent is never noticed. So each request is raced against the end of the connection, and against silence: as long as
 * answers to anything arrive, a slow line may take its time.
 */
import type { SFTPWrapper, Stats } from 'ssh2';
import { TieupError } from '../errors.ts';
import { BrokenLine } from './broken-line.ts';
import { InFlight } from './in-flight.ts';

/** Status codes of draft-ietf-secsh-filexfer-02 section 7. */
export const STATUS = {
  EOF: 1,
  NO_SUCH_FILE: 2,
  PERMISSION_DENIED: 3,
  FAILURE: 4,
  NO_CONNECTION: 6,
  CONNECTION_LOST: 7,
  OP_UNSUPPORTED: 8,
} as const;
export type OpenFlags = 'r' | 'r+' | 'w' | 'wx';

export interface SftpSession {
  readonly open: (path: string, flags: OpenFlags, mode: number) => Promise<Buffer>;
  readonly close: (handle: Buffer) => Promise<void>;
  /** The number of bytes read into `buffer`; 0 at the end of the file. */
  readonly read: (handle: Buffer, buffer: Buffer, position: number) => Promise<number>;
  readonly write: (handle: Buffer, bytes: Buffer, position: number) => Promise<void>;
  readonly setMode: (handle: Buffer, mode: number) => Promise<void>;
  readonly fsync: (handle: Buffer) => Promise<void>;
  readonly lstat: (path: string) => Promise<Stats>;
  readonly openFolder: (path: string) => Promise<Buffer>;
  /** The next entries, or undefined after the last. */
  readonly readFolder: (handle: Buffer) => Promise<readonly SftpName[] | undefined>;
  readonly makeFolder: (path: string) => Promise<void>;
  readonly removeFolder: (path: string) => Promise<void>;
  readonly remove: (path: string) => Promise<void>;
  /** SSH_FXP_RENAME, which fails when something is at `to`. */
  readonly rename: (from: string, to: string) => Promise<void>;
  /** posix-rename@openssh.com, which replaces. */
  readonly replace: (from: string, to: string) => Promise<void>;
  readonly hardLink: (from: string, to: string) => Promise<void>;
  readonly symlink: (target: string, path: string) => Promise<void>;
  readonly readLink: (path: string) => Promise<string>;
  readonly realPath: (path: string) => Promise<string>;
  /** statvfs@openssh.com: bytes that this login may still write; undefined when the server does not tell. */
  readonly freeBytes: (path: string) => Promise<number | undefined>;
  /** The shortest time that an answer has taken so far; infinite before the first. */
  /** Of all who write over the connection. */
  readonly inFlight: InFlight;
  readonly roundTripMs: () => number;
  /** What ended it; undefined while it lasts. */
  readonly failure: () => TieupError | undefined;
  /** Rejects what is under way and whatever is asked from now on. */
  readonly fail: (error: TieupError) => void;
}

export interface SftpName {
  readonly name: string;
  readonly stats: Stats;
}

/** A server's answer that is no success; everything else that goes wrong is TIEUP_E_CONNECTION. */
export class StatusError extends Error {
  readonly status: number;

  constructor(status: number, cause: Error) {
    super(cause.message, { cause });
    this.name = 'StatusError';
    this.status = status;
  }
}

export function hasStatus(error: unknown, ...statuses: readonly number[]): error is StatusError {
  return error instanceof StatusError && (statuses.length === 0 || statuses.includes(error.status));
}

type Done<T> = (error?: Error | null, value?: T) => void;

/**
 * @param silenceMs - without any answer for so long the connection counts as lost
 * @param drop - cuts the connection
 */
export function sftpSession(sftp: SFTPWrapper, label: string, silenceMs: number, drop: () => void): SftpSession {
  const pending = new Set<(error: TieupError) => void>();
  let broken: TieupError | undefined;
  let shortestMs = Number.POSITIVE_INFINITY;
  let watchdog: NodeJS.Timeout | undefined;

  const fail = (error: TieupError): void => {
    broken ??= error;
    clearTimeout(watchdog);
    const waiting = [...pending];
    pending.clear();
    for (const reject of waiting) reject(broken);
  };
  const lost = (what: string, cause?: unknown): void => {
    fail(new TieupError('TIEUP_E_CONNECTION', `the connection to ${label} ${what}`, { cause }));
    drop();
  };
  sftp.on('error', (error: unknown) => lost('broke', new BrokenLine(error)));
  sftp.on('close', () => lost('was closed by the server', new BrokenLine()));

  const request = <T>(send: (done: Done<T>) => void): Promise<T | undefined> =>
    new Promise((resolve, reject) => {
      if (broken !== undefined) return reject(broken);
      if (pending.size === 0) {
        watchdog = setTimeout(() => lost(`fell silent for ${silenceMs / 1000} s`), silenceMs);
      }
      pending.add(reject);
      const asked = performance.now();
      const done: Done<T> = (error, value) => {
        // Settled already: the connection failed meanwhile.
        if (!pending.has(reject)) return;
        const status = error instanceof Error ? statusOf(error) : undefined;
        // No answer of the server, so no other will come either.
        if (error && status === undefined) return lost('broke', new BrokenLine(error));
        shortestMs = Math.min(shortestMs, performance.now() - asked);
        pending.delete(reject);
        if (pending.size === 0) clearTimeout(watchdog);
        else watchdog?.refresh();
        if (status === undefined) resolve(value);
        else reject(status);
      };
      try {
        send(done);
      } catch (error) {
        pending.delete(reject);
        if (pending.size === 0) clearTimeout(watchdog);
        reject(new TieupError('TIEUP_E_CONNECTION', `the request cannot be sent to ${label}`, { cause: error }));
      }
    });
  const value = async <T>(send: (done: Done<T>) => void): Promise<T> => {
    const answer = await request(send);
    if (answer !== undefined) return answer;
    throw new TieupError('TIEUP_E_CONNECTION', `the server at ${label} answered without the answer`);
  };
  const nothing = async (send: (done: Done<unknown>) => void): Promise<void> => {
    await request(send);
  };

  return {
    open: (path, flags, mode) => value((done) => sftp.open(path, flags, { mode }, done)),
    close: (handle) => nothing((done) => sftp.close(handle, done)),
    read: (handle, buffer, position) => value((done) => sftp.read(handle, buffer, 0, buffer.length, position, done)),
    write: (handle, bytes, position) => nothing((done) => sftp.write(handle, bytes, 0, bytes.length, position, done)),
    setMode: (handle, mode) => nothing((done) => sftp.fchmod(handle, mode, done)),
    fsync: (handle) => nothing((done) => sftp.ext_openssh_fsync(handle, done)),
    lstat: (path) => value((done) => sftp.lstat(path, done)),
    openFolder: (path) => value((done) => sftp.opendir(path, done)),
    readFolder: async (handle) => {
      try {
        const entries = await value<readonly { filename: string; attrs: Stats }[]>((done) =>
          sftp.readdir(handle, done),
        );
        return entries.map((entry) => ({ name: entry.filename, stats: entry.attrs }));
      } catch (error) {
        if (hasStatus(error, STATUS.EOF)) return undefined;
        throw error;
      }
    },
    makeFolder: (path) => nothing((done) => sftp.mkdir(path, { mode: 0o755 }, done)),
    removeFolder: (path) => nothing((done) => sftp.rmdir(path, done)),
    remove: (path) => nothing((done) => sftp.unlink(path, done)),
    rename: (from, to) => nothing((done) => sftp.rename(from, to, done)),
    replace: (from, to) => nothing((done) => sftp.ext_openssh_rename(from, to, done)),
    hardLink: (from, to) => nothing((done) => sftp.ext_openssh_hardlink(from, to, done)),
    symlink: (target, path) => nothing((done) => sftp.symlink(target, path, done)),
    readLink: (path) => value((done) => sftp.readlink(path, done)),
    realPath: (path) => value((done) => sftp.realpath(path, done)),
    freeBytes: async (path) => {
      const extensions: unknown = Reflect.get(sftp, '_extensions');
      // ssh2 throws for a server that does not offer it.
      const offered = typeof extensions === 'object' && extensions !== null && 'statvfs@openssh.com' in extensions;
      if (!offered) return undefined;
      const found = await value<unknown>((done) => sftp.ext_openssh_statvfs(path, done));
      if (typeof found !== 'object' || found === null || !('f_bavail' in found && 'f_frsize' in found))
        return undefined;
      const bytes = Number(found.f_bavail) * Number(found.f_frsize);
      return Number.isFinite(bytes) ? bytes : undefined;
    },
    inFlight: new InFlight(),
    roundTripMs: () => shortestMs,
    failure: () => broken,
    fail,
  };
}

function statusOf(error: Error): StatusError | undefined {
  return 'code' in error && typeof error.code === 'number' ? new StatusError(error.code, error) : undefined;
}
