/**
 * SFTP over the `ssh` program of this machine instead of tieup's own connection, for what ssh2 cannot do: certificates, keys in
 * hardware, a jump host. How the login is made, the settings of whoever runs tieup say (`~/.ssh/config`); which server it
 * ends at does not depend on them: a file of ours, with nothing but the pinned keys in it, is all that `ssh` believes.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SFTPWrapper } from 'ssh2';
import ssh2Sftp from 'ssh2/lib/protocol/SFTP.js';
import { TieupError } from '../errors.ts';
import { BrokenLine } from './broken-line.ts';
import { algorithmsOf, parseHostKey, sshFingerprint } from './host-key.ts';
import { renderSftpAddress, type SftpAddress } from './sftp-address.ts';
import { offersOf, type SftpConnection } from './sftp-connection.ts';
import { sftpSession } from './sftp-session.ts';

export interface SshProgramOptions {
  readonly address: SftpAddress;
  /** `ssh-ed25519 AAAA…` lines: the server must show one of these keys. */
  readonly hostKeys: readonly string[];
  /** Absolute paths of private keys to offer beside those of `~/.ssh` and the agent; a certificate beside one is used. */
  readonly keyFiles: readonly string[];
  /** Those alone, whatever `~/.ssh` and the agent hold. */
  readonly onlyThese?: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** `ssh` unless given. */
  readonly program?: string;
}

/** A name under which no other file knows a server, so that none of them can vouch for it. */
const HOST_ALIAS = 'tieup-pinned';
const MAX_STDERR = 16 * 1024;
const CLOSE_MS = 1000;
/** SSH_FXP_INIT, version 3 (draft-ietf-secsh-filexfer-02 section 4). */
const INIT = Buffer.from([0, 0, 0, 5, 1, 0, 0, 0, 3]);

/** @throws TIEUP_E_HOST_KEY, TIEUP_E_LOGIN, TIEUP_E_CONNECTION, TIEUP_E_CONFIG without a pinned key or without `ssh` */
export async function connectBySshProgram(options: SshProgramOptions): Promise<SftpConnection> {
  const { address, timeoutMs, signal } = options;
  const label = renderSftpAddress(address);
  if (options.hostKeys.length === 0) throw new TieupError('TIEUP_E_CONFIG', `no host key is pinned for ${label}`);
  const givenUp = (): TieupError =>
    new TieupError('TIEUP_E_INTERRUPTED', `the connection to ${label} was given up`, { cause: signal?.reason });
  const isGivenUp = (): boolean => signal?.aborted === true;
  if (isGivenUp()) throw givenUp();
  const folder = await mkdtemp(join(tmpdir(), 'tieup-ssh-'));
  const knownHosts = join(folder, 'known_hosts');
  const lines = options.hostKeys.map((key) => `${HOST_ALIAS} ${key.split(' ').slice(0, 2).join(' ')}\n`);
  await writeFile(knownHosts, lines.join(''), { mode: 0o600 });
  const child = spawn(options.program ?? 'ssh', argumentsOf(options, knownHosts), {
    // Without the keys and passwords that variables of tieup's own may hold.
    env: {
      ...Object.fromEntries(Object.entries(options.environment).filter(([name]) => !name.startsWith('TIEUP_'))),
      LC_ALL: 'C',
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = endOf(child);
  const stop = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', stop, { once: true });
  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    stop();
  }, timeoutMs);
  const sftp = sftpOver(child);
  try {
    const ready = new Promise<'ready'>((resolve) => void sftp.once('ready', () => resolve('ready')));
    const first = await Promise.race([ready, ended]);
    if (first !== 'ready') throw connectFault(options, first, late);
  } catch (error) {
    stop();
    await ended;
    await rm(folder, { recursive: true, force: true });
    throw isGivenUp() ? givenUp() : error;
  } finally {
    clearTimeout(deadline);
    signal?.removeEventListener('abort', stop);
  }

  const session = sftpSession(sftp, label, timeoutMs, stop);
  const whenEnded = ended.then(({ stderr }) => {
    const cause = new BrokenLine(new Error(stderr));
    session.fail(new TieupError('TIEUP_E_CONNECTION', `the connection to ${label} broke`, { cause }));
    return rm(folder, { recursive: true, force: true });
  });
  const abort = (): void => {
    session.fail(givenUp());
    stop();
  };
  signal?.addEventListener('abort', abort, { once: true });
  const { posixRename, hardLink, fsync } = offersOf(sftp);
  return {
    address,
    // Which server it is, the program keeps to itself: then it counts as one that may answer in any order.
    server: { software: 'over ssh', posixRename, hardLink, fsync, inOrder: false },
    session,
    close: async () => {
      signal?.removeEventListener('abort', abort);
      session.fail(new TieupError('TIEUP_E_CONNECTION', `the connection to ${label} was closed`));
      child.stdin.end();
      const timer = setTimeout(stop, CLOSE_MS);
      await whenEnded;
      clearTimeout(timer);
    },
  };
}

/** What is said on the command line counts more than any file of settings. */
function argumentsOf(
  { address, hostKeys, keyFiles, onlyThese, timeoutMs }: SshProgramOptions,
  knownHosts: string,
): string[] {
  const settings = {
    BatchMode: 'yes',
    StrictHostKeyChecking: 'yes',
    UserKnownHostsFile: quoted(knownHosts),
    GlobalKnownHostsFile: '/dev/null',
    KnownHostsCommand: 'none',
    HostKeyAlias: HOST_ALIAS,
    HostKeyAlgorithms: algorithmsOf(hostKeys.map(parseHostKey)).join(','),
    VerifyHostKeyDNS: 'no',
    NoHostAuthenticationForLocalhost: 'no',
    CheckHostIP: 'no',
    UpdateHostKeys: 'no',
    // A connection of somebody else's, made under other settings, is not used.
    ControlMaster: 'no',
    ControlPath: 'none',
    ClearAllForwardings: 'yes',
    ForwardAgent: 'no',
    PermitLocalCommand: 'no',
    ConnectTimeout: String(Math.ceil(timeoutMs / 1000)),
    ServerAliveInterval: '15',
    ServerAliveCountMax: '3',
    LogLevel: 'ERROR',
    ...(onlyThese === true ? { IdentitiesOnly: 'yes' } : {}),
  };
  return [
    ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    ...keyFiles.flatMap((file) => ['-o', `IdentityFile=${quoted(file)}`, ...certificateOf(file)]),
    '-p',
    String(address.port),
    '-l',
    address.user,
    '-s',
    '--',
    address.host,
    'sftp',
  ];
}

/** `ssh-keygen -s` writes `ssh-cert.pub` beside `ssh.pub`; `ssh` itself looks for `ssh.key-cert.pub`. */
function certificateOf(keyFile: string): readonly string[] {
  const file = keyFile.replace(/\.key$/, '-cert.pub');
  return existsSync(file) ? ['-o', `CertificateFile=${quoted(file)}`] : [];
}

/** As a file of settings would write it; a `%` begins a word that ssh replaces. */
function quoted(file: string): string {
  return `"${file.replaceAll('%', '%%')}"`;
}

interface Ended {
  readonly code: number | undefined;
  readonly stderr: string;
  /** Why it could not be started. */
  readonly error?: Error;
}

function endOf(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(0, MAX_STDERR);
  });
  // The end of the process tells.
  child.stdin.on('error', () => {});
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: undefined, stderr, error }));
    child.once('close', (code) => resolve({ code: code ?? undefined, stderr }));
  });
}

/** ssh2's SFTP, which speaks through a channel of a connection, over the pipes of a process. */
function sftpOver(child: ChildProcessWithoutNullStreams): SFTPWrapper {
  const outgoing = { id: 0, state: 'open', window: Number.POSITIVE_INFINITY, packetSize: Number.POSITIVE_INFINITY };
  const protocol = {
    channelData: (_: number, bytes: Buffer): void => void child.stdin.write(bytes),
    channelClose: (): void => void child.stdin.end(),
  };
  const sftp = new ssh2Sftp.SFTP({ _protocol: protocol }, { type: 'session', incoming: { ...outgoing }, outgoing });
  child.stdout.on('data', (bytes: Buffer) => sftp.push(bytes));
  child.stdout.on('end', () => sftp.push(null));
  child.stdin.write(INIT);
  return sftp;
}

function connectFault(options: SshProgramOptions, { stderr, error }: Ended, late: boolean): TieupError {
  const { address, hostKeys } = options;
  const label = renderSftpAddress(address);
  const server = `${address.host}:${address.port}`;
  const cause = error ?? new Error(stderr.trim());
  if (error !== undefined)
    return new TieupError('TIEUP_E_CONFIG', 'the program ssh, which sftp.transport names, cannot be started', {
      hint: 'install OpenSSH, or take sftp.transport out of the partnership file',
      cause,
    });
  if (/host key verification failed|no matching host key type/i.test(stderr)) {
    const wanted = hostKeys.map((key) => sshFingerprint(parseHostKey(key).blob)).join(' or ');
    return new TieupError(
      'TIEUP_E_HOST_KEY',
      `the server ${server} does not show the host key ${wanted} that is pinned`,
      {
        hint: 'nothing was sent; ask the partner by voice whether its server has a new key, and if so put it under sftp.hostKeys in its partners/ file',
        cause,
      },
    );
  }
  if (/permission denied|too many authentication failures/i.test(stderr))
    return new TieupError(
      'TIEUP_E_LOGIN',
      `the server ${server} refused the login of ${JSON.stringify(address.user)} by the program ssh`,
      { hint: `see what it tries:  ssh -v -p ${address.port} -s ${address.user}@${address.host} sftp`, cause },
    );
  return new TieupError(
    'TIEUP_E_CONNECTION',
    `cannot connect to ${label}: ${late ? 'it did not answer in time' : 'the connection broke'}`,
    { hint: `see what happens:  ssh -v -p ${address.port} -s ${address.user}@${address.host} sftp`, cause },
  );
}
