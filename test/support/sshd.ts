/** OpenSSH's sshd on loopback, started and ended by the tests. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { SftpConnection, SftpOptions } from '../../src/io/sftp-connection.ts';
import { connectSftp } from '../../src/io/sftp-connection.ts';
import type { SshKey } from '../../src/io/ssh-key.ts';
import { seededSshKey } from './embedded-sftp.ts';
import { freePort } from './free-port.ts';

/** The main site's login in the chrooted set-up: a uid of its own, without a shell. */
const MAIN_USER = 'tieup-test-main';

export interface Sshd {
  readonly port: number;
  readonly hostKeyLine: string;
  readonly user: string;
  /** The key that logs in. */
  readonly key: SshKey;
  /** The folder in which logins start, as this machine sees it. */
  readonly folder: string;
  /** Lets the holder of another key in: a line of `authorized_keys`. */
  readonly authorize: (line: string) => void;
  /** What sshd wrote so far. */
  readonly log: () => string;
  /**
   * Resolves when nobody is served any more: what had reached the server before a line was cut is done. Only for servers
   * whose logins are not shut in; at once where there is no /proc.
   */
  readonly idle: () => Promise<void>;
  /** Logs in; `changes` override what is right. */
  readonly connect: (changes?: Partial<SftpOptions>) => Promise<SftpConnection>;
  /** Ends connections and the server, and removes its folder. */
  readonly dispose: () => Promise<void>;
}

/**
 * Logins of the user who runs the tests, starting in a fresh folder; works with and without root.
 * @param further lines of its configuration
 */
export async function startSshd(sshd: string, further: readonly string[] = []): Promise<Sshd> {
  const base = mkdtempSync(join(tmpdir(), 'tieup-'));
  const folder = join(base, 'start');
  mkdirSync(folder);
  return run(sshd, {
    base,
    folder,
    user: userInfo().username,
    // StrictModes wants every folder above to belong to the user, which a temporary folder's do not.
    config: ['StrictModes no', `Subsystem sftp internal-sftp -d ${folder}`, ...further],
  });
}

/**
 * A partner's site as the design lays it out, and the main site's login shut into it: `inbox` belongs to that login,
 * everything else does not. Needs root.
 */
export async function startChrootedSshd(sshd: string): Promise<Sshd> {
  // sshd wants every folder above a chroot to be root's alone to write, which /tmp is not.
  const base = mkdtempSync('/run/tieup-');
  chmodSync(base, 0o755);
  const folder = join(base, 'site');
  for (const name of ['', 'exchange', 'exchange/outbox', 'original', 'public', 'state']) mkdirSync(join(folder, name));
  chmodSync(join(folder, 'state'), 0o700);
  const { uid, gid } = mainUser();
  mkdirSync(join(folder, 'exchange/inbox'));
  chownSync(join(folder, 'exchange/inbox'), uid, gid);
  return run(sshd, {
    base,
    folder,
    user: MAIN_USER,
    config: [
      'Subsystem sftp internal-sftp',
      `Match User ${MAIN_USER}`,
      `  ChrootDirectory ${folder}`,
      '  ForceCommand internal-sftp',
      '  DisableForwarding yes',
    ],
  });
}

interface Setup {
  readonly base: string;
  readonly folder: string;
  readonly user: string;
  readonly config: readonly string[];
}

async function run(sshd: string, { base, folder, user, config }: Setup): Promise<Sshd> {
  const host = seededSshKey('sshd-host');
  const key = seededSshKey('sshd-user');
  const hostKeyFile = join(base, 'host-key');
  writeFileSync(hostKeyFile, host.privateKey, { mode: 0o600 });
  writeFileSync(join(base, 'authorized_keys'), `${key.publicKey}\n`, { mode: 0o644 });
  // Where root's sshd keeps its unprivileged half.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const port = await freePort();
  const configFile = join(base, 'sshd_config');
  const common = [
    'ListenAddress 127.0.0.1',
    `Port ${port}`,
    `HostKey ${hostKeyFile}`,
    `AuthorizedKeysFile ${join(base, 'authorized_keys')}`,
    'PidFile none',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    'UsePAM no',
    'LogLevel VERBOSE',
    'MaxStartups 200',
  ];
  writeFileSync(configFile, `${[...common, ...config].join('\n')}\n`);
  const server = spawn(sshd, ['-D', '-e', '-f', configFile], { stdio: ['ignore', 'ignore', 'pipe'] });
  const killAtExit = (): void => void server.kill('SIGKILL');
  process.once('exit', killAtExit);
  let log = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => void (log += text));
  try {
    await listening(server, () => log);
  } catch (error) {
    rmSync(base, { recursive: true });
    throw error;
  }
  const connections: SftpConnection[] = [];
  return {
    port,
    hostKeyLine: host.publicKey,
    user,
    key,
    folder,
    authorize: (line) => appendFileSync(join(base, 'authorized_keys'), `${line}\n`),
    log: () => log,
    idle: async () => {
      while (isWorkedIn(folder)) await new Promise((resolve) => setImmediate(resolve));
    },
    connect: async (changes) => {
      const connection = await connectSftp({
        address: { user, host: '127.0.0.1', port, path: '~' },
        hostKeys: [host.publicKey],
        auth: { kind: 'key', privateKey: key.privateKey },
        timeoutMs: 20_000,
        ...changes,
      });
      connections.push(connection);
      return connection;
    },
    dispose: async () => {
      await Promise.all(connections.map((connection) => connection.close()));
      const ended = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGTERM');
      await ended;
      process.removeListener('exit', killAtExit);
      rmSync(base, { recursive: true });
    },
  };
}

/** Whether a process has this working folder, as every SFTP subsystem has that was started in it. */
function isWorkedIn(folder: string): boolean {
  if (!existsSync('/proc/self/cwd')) return false;
  return readdirSync('/proc').some((name) => {
    try {
      return /^\d+$/.test(name) && readlinkSync(`/proc/${name}/cwd`) === folder;
    } catch {
      // It has ended, or is somebody else's.
      return false;
    }
  });
}

/** Resolves when the server takes connections. */
async function listening(server: ChildProcess, log: () => string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.stderr?.on('data', () => {
      if (log().includes('Server listening on')) resolve();
    });
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`sshd ended with ${code}: ${log()}`)));
  });
}

/** The system user of the main site, made when it is absent. */
function mainUser(): { readonly uid: number; readonly gid: number } {
  const find = (): { uid: number; gid: number } | undefined => {
    try {
      const [, , uid, gid] = execFileSync('getent', ['passwd', MAIN_USER], { encoding: 'utf8' }).split(':');
      return { uid: Number(uid), gid: Number(gid) };
    } catch {
      return undefined;
    }
  };
  const there = find();
  if (there !== undefined) return there;
  const shell = existsSync('/usr/sbin/nologin') ? '/usr/sbin/nologin' : '/bin/false';
  try {
    // "*" is a password that nothing matches; "!" would lock the account for keys too.
    execFileSync('useradd', ['--system', '--no-create-home', '--shell', shell, '--password', '*', MAIN_USER]);
  } catch (error) {
    // Another test file may have made it just now.
    if (find() === undefined) throw error;
  }
  const made = find();
  if (made === undefined) throw new Error(`the user ${MAIN_USER} could not be made`);
  return made;
}
