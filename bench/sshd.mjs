// OpenSSH's sshd on loopback with the settings that it comes with, and what its clients need to log in.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { must } from './processes.mjs';

const SSHD = '/usr/sbin/sshd';
const DELAY_PROXY = fileURLToPath(new URL('delay-proxy.mjs', import.meta.url));

/**
 * @typedef {object} Sshd
 * @property {number} port
 * @property {string} user
 * @property {string} hostKey as it is pinned
 * @property {string} clientKey file of a private key that is let in
 * @property {(publicKey: string) => void} authorize
 * @property {() => Promise<void>} close
 */

/**
 * @param {string} folder an empty one, for keys and settings
 * @returns {Promise<Sshd>}
 */
export async function startSshd(folder) {
  if (!existsSync(SSHD)) throw new Error('there is no sshd: apt-get install openssh-server');
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o700);
  const at = (/** @type {string} */ name) => join(folder, name);
  for (const name of ['host', 'client']) await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(name)]);
  writeFileSync(at('authorized_keys'), readFileSync(at('client.pub')), { mode: 0o600 });
  const port = await freePort();
  writeFileSync(
    at('sshd_config'),
    `ListenAddress 127.0.0.1
Port ${port}
HostKey ${at('host')}
AuthorizedKeysFile ${at('authorized_keys')}
PidFile none
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
`,
  );
  // Where root's sshd keeps its unprivileged half.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const child = spawn(SSHD, ['-D', '-e', '-f', at('sshd_config')], { stdio: ['ignore', 'ignore', 'pipe'] });
  await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`sshd ended with ${code}`)));
    child.stderr.on('data', (text) => {
      if (String(text).includes('Server listening')) resolve(undefined);
    });
  });
  return {
    port,
    user: userInfo().username,
    hostKey: readFileSync(at('host.pub'), 'utf8').split(' ').slice(0, 2).join(' ').trim(),
    clientKey: at('client'),
    authorize: (publicKey) => writeFileSync(at('authorized_keys'), publicKey, { flag: 'a' }),
    close: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/**
 * A line to `port` with a delay and a rate; see delay-proxy.mjs.
 * @param {number} port
 * @param {{ roundTripMs: number, megabits?: number }} line
 */
export async function openLine(port, { roundTripMs, megabits }) {
  const rate = megabits === undefined ? [] : [String(megabits)];
  const child = spawn(process.execPath, [DELAY_PROXY, String(port), String(roundTripMs), ...rate], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [text] = await once(child.stdout, 'data');
  return {
    port: Number(text),
    close: async () => {
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
    },
  };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('there is no free port');
  return address.port;
}
