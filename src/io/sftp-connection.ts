/** Logs in to an SFTP server whose host key is pinned. The one owner of ssh2-sftp-client. */
import { connect, type Socket } from 'node:net';
import ssh2, { type SFTPWrapper } from 'ssh2';
import SftpClient from 'ssh2-sftp-client';
import { isTieupError, TieupError } from '../errors.ts';
import { BrokenLine } from './broken-line.ts';
import type { HostKey } from './host-key.ts';
import { algorithmsOf, HOST_KEY_ALGORITHMS, parseHostKey, renderHostKey, sshFingerprint } from './host-key.ts';
import type { SftpAddress } from './sftp-address.ts';
import { renderSftpAddress } from './sftp-address.ts';
import type { SftpSession } from './sftp-session.ts';
import { sftpSession } from './sftp-session.ts';
import { loginConfig, type SshAuth } from './ssh-login.ts';

export interface SftpOptions {
  readonly address: SftpAddress;
  /** `ssh-ed25519 AAAA…` lines: the server must show one of these keys. */
  readonly hostKeys: readonly string[];
  readonly auth: SshAuth;
  /** For connecting and logging in, and afterwards for a server that falls silent. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** What to do about another host key than the pinned one; for a main site unless given. */
  readonly repin?: string | undefined;
}

export interface SftpConnection {
  readonly address: SftpAddress;
  readonly server: SftpServerTraits;
  readonly session: SftpSession;
  /** Ends the connection; more than once is fine. */
  close(): Promise<void>;
}

/** What `tieup doctor` tells about a server. */
export interface SftpServerTraits {
  /** As the server names itself: `OpenSSH_9.2p1`. */
  readonly software: string;
  /** A name can be replaced in one step. */
  readonly posixRename: boolean;
  readonly hardLink: boolean;
  readonly fsync: boolean;
  /**
   * It answers in the order in which it was asked: then what closes a file may be sent right behind what fills it. OpenSSH does;
   * others may handle requests at the same time, and a file that is closed too early is cut short.
   */
  readonly inOrder: boolean;
  /** It cannot open a file that must not exist; learned at the first one. Then a file is made beside, and a rename decides. */
  refusesExclusive?: boolean;
}

const REPIN =
  'nothing was sent; ask the partner by voice whether its server has a new key, and if so put it under sftp.hostKeys in its partners/ file';
const KEEP_ALIVE_MS = 15_000;
const CLOSE_MS = 1_000;
/** SSH_DISCONNECT_PROTOCOL_ERROR, as OpenSSH says "too many authentication failures", and …_NO_MORE_AUTH_METHODS_AVAILABLE. */
const REFUSING_LOGIN = new Set<unknown>([2, 14]);

/**
 * Connects, checks the host key before anything is sent, and logs in.
 * @throws TIEUP_E_HOST_KEY, TIEUP_E_LOGIN, TIEUP_E_KEY, TIEUP_E_PASSWORD, TIEUP_E_CONNECTION, TIEUP_E_CONFIG without a pinned key
 */
export async function connectSftp(options: SftpOptions): Promise<SftpConnection> {
  const { address, timeoutMs, signal } = options;
  const label = renderSftpAddress(address);
  const pinned = options.hostKeys.map(parseHostKey);
  // Without a verifier ssh2 accepts any host key.
  if (pinned.length === 0) throw new TieupError('TIEUP_E_CONFIG', `no host key is pinned for ${label}`);
  const login = await loginConfig(options.auth, address.user);
  throwIfAborted(label, signal);

  const report: Report = {};
  const client = new SftpClient('tieup', { error: noop, end: noop, close: noop });
  client.on('error', (error: unknown) => void (report.error ??= error));
  client.on('handshake', () => void (report.shaken = true));
  const socket = openSocket(address);
  const stop = (): void => void socket.destroy();
  signal?.addEventListener('abort', stop, { once: true });
  // readyTimeout ends with the login; the SFTP subsystem may still never answer.
  const deadline = setTimeout(() => {
    report.error ??= new Error(`no answer within ${timeoutMs / 1000} s`);
    socket.destroy();
  }, timeoutMs);
  let sftp: SFTPWrapper;
  try {
    sftp = await client.connect({
      ...login,
      sock: socket,
      username: address.user,
      hostVerifier: (shown: Buffer) => {
        const known = pinned.some((key) => Buffer.from(key.blob).equals(shown));
        if (!known) report.shown = shown;
        return known;
      },
      algorithms: { serverHostKey: algorithmsOf(pinned) },
      readyTimeout: timeoutMs,
      keepaliveInterval: KEEP_ALIVE_MS,
      keepaliveCountMax: 3,
    });
  } catch (error) {
    socket.destroy();
    throwIfAborted(label, signal);
    throw connectFault(label, address, pinned, { ...report, repin: options.repin, error: report.error ?? error });
  } finally {
    clearTimeout(deadline);
    signal?.removeEventListener('abort', stop);
  }

  const session = sftpSession(sftp, label, timeoutMs, stop);
  socket.once('close', () =>
    session.fail(
      new TieupError('TIEUP_E_CONNECTION', `the connection to ${label} broke`, { cause: new BrokenLine(report.error) }),
    ),
  );
  const abort = (): void => {
    if (signal !== undefined) session.fail(interrupted(label, signal));
    socket.destroy();
  };
  signal?.addEventListener('abort', abort, { once: true });
  return {
    address,
    server: traitsOf(client, sftp),
    session,
    close: async () => {
      signal?.removeEventListener('abort', abort);
      session.fail(new TieupError('TIEUP_E_CONNECTION', `the connection to ${label} was closed`));
      await closeSocket(socket, client);
    },
  };
}

/**
 * The host key that a server shows, for `join` to show and pin; the connection ends before the login.
 * One connection and so one key, the best that the server has: servers penalise hosts that come often without logging in.
 * @returns lines like `ssh-ed25519 AAAA…`
 */
export async function scanHostKey(
  address: SftpAddress,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<readonly string[]> {
  const label = renderSftpAddress(address);
  const socket = openSocket(address);
  const client = new ssh2.Client();
  const stop = (): void => void socket.destroy();
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    return await new Promise<readonly string[]>((resolve, reject) => {
      const fail = (error?: unknown): void => reject(connectFault(label, address, [], { error }));
      client.on('error', fail);
      client.on('close', () => fail());
      client.connect({
        sock: socket,
        username: address.user,
        readyTimeout: options.timeoutMs,
        algorithms: { serverHostKey: [...HOST_KEY_ALGORITHMS] },
        hostVerifier: (shown: Buffer) => {
          resolve([renderHostKey(shown)]);
          return false;
        },
      });
    });
  } catch (error) {
    throwIfAborted(label, options.signal);
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', stop);
    socket.destroy();
  }
}

/** What is learned on the way. */
interface Report {
  /** The first error, with the level that ssh2-sftp-client drops. */
  error?: unknown;
  /** A host key that is not pinned. */
  shown?: Buffer;
  /** The handshake is over, so that the login is what goes wrong. */
  shaken?: boolean;
  repin?: string | undefined;
}

function openSocket({ host, port }: SftpAddress): Socket {
  // Nagle's algorithm would hold each small write back for the answer to the one before it: 130 ms each against OpenSSH.
  return connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS });
}

function connectFault(label: string, address: SftpAddress, pinned: readonly HostKey[], report: Report): TieupError {
  const { error: cause } = report;
  if (cause instanceof TieupError) return cause;
  const message = cause instanceof Error ? cause.message : '';
  const server = `${address.host}:${address.port}`;
  const wanted = pinned.map((key) => sshFingerprint(key.blob)).join(' or ');
  if (report.shown !== undefined) {
    return new TieupError(
      'TIEUP_E_HOST_KEY',
      `the server ${server} showed the host key ${sshFingerprint(report.shown)}, but ${wanted} is pinned`,
      {
        hint: report.repin ?? REPIN,
        cause,
      },
    );
  }
  if (/no matching host key format/.test(message)) {
    return new TieupError('TIEUP_E_HOST_KEY', `the server ${server} has no host key of the pinned type (${wanted})`, {
      hint: report.repin ?? REPIN,
      cause,
    });
  }
  const { level, code } = fieldsOf(cause);
  if (level === 'agent') return new TieupError('TIEUP_E_KEY', 'the ssh-agent did not sign', { cause });
  if (level === 'client-authentication' || (report.shaken === true && REFUSING_LOGIN.has(code))) {
    return new TieupError(
      'TIEUP_E_LOGIN',
      `the server ${server} refused the login of ${JSON.stringify(address.user)}`,
      {
        hint: 'check that the public key is in authorized_keys of that login, and the modes of the folders above it',
        cause,
      },
    );
  }
  return new TieupError('TIEUP_E_CONNECTION', `cannot connect to ${label}: ${reasonOf(code, message)}`, {
    hint: 'check the address, the firewall, and that the server offers SFTP',
    cause,
  });
}

function reasonOf(code: unknown, message: string): string {
  if (code === 'ECONNREFUSED') return 'nothing listens there';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the name of the host is not known';
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return 'there is no route to the host';
  if (code === 'ETIMEDOUT' || /timed out|no answer/i.test(message)) return 'it did not answer in time';
  if (/subsystem/i.test(message)) return 'the server offers no SFTP';
  return 'the connection broke';
}

function fieldsOf(error: unknown): { readonly level: unknown; readonly code: unknown } {
  if (!(error instanceof Error)) return { level: undefined, code: undefined };
  return { level: 'level' in error ? error.level : undefined, code: 'code' in error ? error.code : undefined };
}

const TURNED_AWAY = new Set<unknown>(['ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

/**
 * Whether the server closed the door before the handshake was over, as one does that starts anew or has too many callers at once.
 * Another attempt may be let in; after a refused login, a foreign host key or a long silence none is.
 */
export function wasTurnedAway(error: unknown): boolean {
  if (!isTieupError(error, 'TIEUP_E_CONNECTION')) return false;
  const { cause } = error;
  if (TURNED_AWAY.has(fieldsOf(cause).code)) return true;
  return cause instanceof Error && /before handshake|ECONNRESET|ECONNREFUSED/.test(cause.message);
}

function throwIfAborted(label: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw interrupted(label, signal);
}

function interrupted(label: string, signal: AbortSignal): TieupError {
  return new TieupError('TIEUP_E_INTERRUPTED', `the connection to ${label} was given up`, { cause: signal.reason });
}

/** ssh2 keeps what a server announces in fields of its own, and throws when an extension is used that is not there. */
function traitsOf(client: SftpClient, sftp: SFTPWrapper): SftpServerTraits {
  const ssh: unknown = Reflect.get(client, 'client');
  const software: unknown = typeof ssh === 'object' && ssh !== null ? Reflect.get(ssh, '_remoteVer') : undefined;
  return {
    software: typeof software === 'string' ? software : 'unknown',
    inOrder: typeof software === 'string' && software.startsWith('OpenSSH'),
    ...offersOf(sftp),
  };
}

/** What the server announces in the first packet of a session. */
export function offersOf(sftp: SFTPWrapper): Pick<SftpServerTraits, 'posixRename' | 'hardLink' | 'fsync'> {
  const extensions: unknown = Reflect.get(sftp, '_extensions');
  const offers = (name: string): boolean =>
    typeof extensions === 'object' && extensions !== null && Reflect.get(extensions, name) === '1';
  return {
    posixRename: offers('posix-rename@openssh.com'),
    hardLink: offers('hardlink@openssh.com'),
    fsync: offers('fsync@openssh.com'),
  };
}

async function closeSocket(socket: Socket, client: SftpClient): Promise<void> {
  if (socket.closed) return;
  const closed = new Promise((resolve) => socket.once('close', resolve));
  // A server that does not answer the goodbye is not waited for.
  const timer = setTimeout(() => socket.destroy(), CLOSE_MS);
  client.end().catch(() => socket.destroy());
  // Everything that was asked for has been answered: what is left to say needs no answer.
  socket.destroySoon();
  await closed;
  clearTimeout(timer);
}

function noop(): void {}
