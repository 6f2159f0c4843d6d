// A main site with many partners behind one real sshd. The partners are written down as `enroll` leaves them, because thousands
// of invitations, each with its own scrypt, are not what is measured here.
import { execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderVkey } from '../dist/protocol/vkey.js';
import { House } from './house.mjs';
import { tieup } from './processes.mjs';

const DELAY_LINE = fileURLToPath(new URL('delay-line.mjs', import.meta.url));
const SSHD = '/usr/sbin/sshd';
const NEW_ROOTS_AT_ONCE = 1000;

/** How a partner is reached. @typedef {'well' | 'refused' | 'hung' | 'wrong key'} Reach */

export class FleetHouse {
  #root = mkdtempSync(join(tmpdir(), 'tieup-fleet-'));
  #house = new House();
  /** @type {import('node:child_process').ChildProcess[]} */
  #children = [];
  /** @type {import('node:net').Server[]} */
  #servers = [];

  get main() {
    return this.#house.main;
  }

  /** Where partners are, on this machine and by SSH. */
  get root() {
    return this.#root;
  }

  /**
   * @param {number} pages of the corpus
   * @param {number} delayMs one way
   */
  async build(pages, delayMs) {
    await this.#house.build(pages);
    rmSync(join(this.main, 'partners', 'harbour.yaml'), { force: true });
    const port = await freePort();
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(this.#root, 'host')]);
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(this.#root, 'other')]);
    // rsync logs in with a key of its own, because that of tieup may be encrypted.
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(this.#root, 'peer')]);
    const keys = [join(this.main, 'keys', 'ssh.pub'), join(this.#root, 'peer.pub')].map((path) =>
      readFileSync(path, 'utf8'),
    );
    writeFileSync(join(this.#root, 'authorized_keys'), keys.join('\n'));
    const config = [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${join(this.#root, 'host')}`,
      `AuthorizedKeysFile ${join(this.#root, 'authorized_keys')}`,
      `PidFile ${join(this.#root, 'sshd.pid')}`,
      'StrictModes no',
      'UsePAM no',
      'PermitRootLogin yes',
      'PasswordAuthentication no',
      'MaxStartups 1000',
      'LogLevel ERROR',
      'Subsystem sftp internal-sftp',
    ];
    writeFileSync(join(this.#root, 'sshd_config'), `${config.join('\n')}\n`);
    mkdirSync('/run/sshd', { recursive: true });
    this.#children.push(spawn(SSHD, ['-D', '-f', join(this.#root, 'sshd_config')], { stdio: 'ignore' }));
    await listening(port);
    this.port = delayMs === 0 ? port : await this.#delay(port, delayMs);
    this.hungPort = await this.#hung();
    this.closedPort = await freePort();
  }

  /** @param {number} port @param {number} delayMs */
  async #delay(port, delayMs) {
    const child = spawn(process.execPath, [DELAY_LINE, String(port), String(delayMs)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#children.push(child);
    const [line] = await once(child.stdout, 'data');
    return Number(String(line));
  }

  /** A server that takes connections and never says a word. */
  async #hung() {
    const server = createServer((socket) => void socket.on('error', () => {}));
    this.#servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' ? (address?.port ?? 0) : 0;
  }

  /**
   * @param {number} count
   * @param {(number: number) => Reach} reach
   * @returns {Promise<string[]>} their ids
   */
  async enroll(count, reach) {
    const ids = Array.from({ length: count }, (_, number) => `p${String(number).padStart(5, '0')}`);
    const line = (/** @type {string} */ name) =>
      readFileSync(join(this.#root, `${name}.pub`), 'utf8')
        .split(' ')
        .slice(0, 2)
        .join(' ');
    const user = userInfo().username;
    for (const [number, id] of ids.entries()) {
      const how = reach(number);
      const port = how === 'refused' ? this.closedPort : how === 'hung' ? this.hungPort : this.port;
      const folder = join(this.#root, 'partners', id, 'exchange');
      mkdirSync(join(folder, 'inbox'), { recursive: true });
      const keys = ['accept', 'site', 'log'].map(
        (role) => `  ${role}: ${JSON.stringify(someKey(`${id}.example/${role}`))}`,
      );
      writeFileSync(
        join(this.main, 'partners', `${id}.yaml`),
        [
          `id: ${id}`,
          `name: Partner ${number}`,
          `url: https://${id}.example/`,
          'mount: /with-us/',
          'status: active',
          'period:',
          '  from: "2026-01-01"',
          'sftp:',
          `  url: sftp://${user}@127.0.0.1:${port}${folder}`,
          `  hostKeys: [${JSON.stringify(line(how === 'wrong key' ? 'other' : 'host'))}]`,
          'keys:',
          ...keys,
          '',
        ].join('\n'),
      );
    }
    for (let at = 0; at < ids.length; at += NEW_ROOTS_AT_ONCE)
      await tieup(this.main, 'keys', 'renew', ...ids.slice(at, at + NEW_ROOTS_AT_ONCE));
    return ids;
  }

  async close() {
    for (const child of this.#children) child.kill();
    for (const server of this.#servers) server.close();
    await this.#house.close();
    rmSync(this.#root, { recursive: true, force: true });
  }
}

/** @param {string} name */
function someKey(name) {
  const { publicKey } = generateKeyPairSync('ed25519');
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return renderVkey(name, new Uint8Array(der.subarray(-32)));
}

async function freePort() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

/** @param {number} port */
async function listening(port) {
  for (let tries = 0; tries < 200; tries++) {
    const socket = connect(port, '127.0.0.1');
    // `once` would throw at an error: it is an answer here.
    const came = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (came) return;
    await new Promise((resolve) => void setTimeout(resolve, 50));
  }
  throw new Error('sshd does not listen');
}
