/**
 * A small SFTP server on loopback, for `tieup demo` and for tests: public keys alone, each login shut into one folder and
 * writing only where it may. It is no server for a network: it listens on 127.0.0.1.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import ssh2, { type AuthContext, type ParsedKey, type PublicKeyAuthContext } from 'ssh2';
import { TieupError } from '../errors.ts';
import { renderHostKey } from './host-key.ts';
import { jailedFiles } from './sftp-server-files.ts';
import { serveRequests, type SftpServerFaults } from './sftp-server-requests.ts';

export interface SftpServerUser {
  /** `ssh-ed25519 AAAA…` as in authorized_keys. */
  readonly publicKey: string;
  /** Folders below the root in which this login may change something; an empty path is the root. */
  readonly writable: readonly string[];
}

export interface SftpServerOptions {
  /** What every login sees as `/`. */
  readonly root: string;
  /** PEM private key. */
  readonly hostKey: string;
  readonly users: Readonly<Record<string, SftpServerUser>>;
  /** A free one unless given. */
  readonly port?: number;
  /** Told of every attempt to log in, accepted or not. */
  readonly onLogin?: (user: string, accepted: boolean) => void;
  /** Faults to be played, for tests. */
  readonly faults?: SftpServerFaults;
}

export interface SftpServer {
  readonly port: number;
  /** `ssh-ed25519 AAAA…`, to be pinned. */
  readonly hostKeyLine: string;
  /** Cuts every connection and stops listening. */
  close(): Promise<void>;
}

/** @throws TIEUP_E_CONFIG for a key that cannot be read, TIEUP_E_CONNECTION when the port is taken */
export async function startSftpServer(options: SftpServerOptions): Promise<SftpServer> {
  const hostKey = parseKey(options.hostKey, 'the host key');
  const keys = new Map(
    Object.entries(options.users).map(
      ([name, user]) => [name, parseKey(user.publicKey, `the key of ${name}`)] as const,
    ),
  );
  // By the client's port, which is what ssh2 tells of a connection.
  const sockets = new Map<number | undefined, Socket>();
  const ssh = new ssh2.Server({ hostKeys: [options.hostKey], ident: 'tieup' }, (client, { port }) => {
    const drop = (): void => void sockets.get(port)?.destroy();
    // A client that goes away in the middle is not this server's fault.
    client.on('error', () => {});
    let files: ReturnType<typeof jailedFiles> | undefined;
    client.on('authentication', (attempt) => {
      const user = Object.hasOwn(options.users, attempt.username) ? options.users[attempt.username] : undefined;
      const key = keys.get(attempt.username);
      const accepted = user !== undefined && key !== undefined && provesKey(attempt, key);
      options.onLogin?.(attempt.username, accepted);
      if (!accepted) return attempt.reject(['publickey']);
      files = jailedFiles(options.root, user.writable);
      attempt.accept();
    });
    client.on('session', (accept) => {
      accept().on('sftp', (acceptSftp) => {
        if (files !== undefined) serveRequests(acceptSftp(), files, drop, options.faults ?? {});
      });
    });
  });
  const listener = createServer({ noDelay: true }, (socket) => {
    const { remotePort } = socket;
    sockets.set(remotePort, socket);
    socket.once('close', () => sockets.delete(remotePort));
    ssh.injectSocket(socket);
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', (error: unknown) =>
      reject(new TieupError('TIEUP_E_CONNECTION', `cannot listen on port ${options.port ?? 0}`, { cause: error })),
    );
    listener.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    port: portOf(listener.address()),
    hostKeyLine: renderHostKey(hostKey.getPublicSSH()),
    close: () =>
      new Promise((resolve) => {
        listener.close(() => resolve());
        for (const socket of sockets.values()) socket.destroy();
      }),
  };
}

/** True when `attempt` shows the key, and, once it is asked to, a signature made with it. */
function provesKey(attempt: AuthContext, key: ParsedKey): boolean {
  if (!isPublicKeyAttempt(attempt)) return false;
  if (attempt.key.algo !== key.type || !attempt.key.data.equals(key.getPublicSSH())) return false;
  if (attempt.signature === undefined || attempt.blob === undefined) return true;
  // The types hide it, but what is no signature at all comes back as an Error, which is truthy.
  const verdict: unknown = key.verify(attempt.blob, attempt.signature, attempt.hashAlgo);
  return verdict === true;
}

function isPublicKeyAttempt(attempt: AuthContext): attempt is PublicKeyAuthContext {
  return attempt.method === 'publickey';
}

function parseKey(text: string, what: string): ParsedKey {
  const parsed = ssh2.utils.parseKey(text);
  if (parsed instanceof Error) throw new TieupError('TIEUP_E_CONFIG', `${what} cannot be read`, { cause: parsed });
  const [first] = [parsed].flat();
  if (first === undefined) throw new TieupError('TIEUP_E_CONFIG', `${what} holds no key`);
  return first;
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}
