// A main site and its partners in a temporary folder, set up through the command line as their owners would, with the
// embedded SFTP server between them.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSshKey } from '../dist/io/ssh-key.js';
import { startSftpServer } from '../dist/io/sftp-server.js';
import { markdownFiles, unpackPages } from './corpus.mjs';
import { tieup } from './processes.mjs';

/** A partner of its own in a folder of its own. @typedef {{ id: string, folder: string }} Partner */
/**
 * An SFTP server that runs already, in place of the embedded one.
 * @typedef {object} Server
 * @property {number} port
 * @property {string} user
 * @property {string} hostKey
 * @property {(publicKey: string) => void} authorize
 */

export class House {
  #root;
  /** @type {import('../dist/io/sftp-server.js').SftpServer | undefined} */
  #server;
  /** The partnership of the starter folder. @type {string | undefined} */
  #sample;
  /** @type {Partner[]} */
  partners = [];

  /** @type {Server | undefined} */
  #other;

  /** @param {Server} [server] */
  constructor(server) {
    this.#root = mkdtempSync(join(tmpdir(), 'tieup-bench-'));
    this.main = join(this.#root, 'main');
    this.#other = server;
  }

  /**
   * Writes the starter folder, with pages of the corpus in place of its own.
   * @param {number} [pages] how many, spread over the corpus; all unless given
   */
  async build(pages) {
    await tieup(tmpdir(), 'init', this.main, '--role', 'main', '--name', 'Docs', '--url', 'https://docs.example/');
    const folder = join(this.main, 'pages');
    rmSync(folder, { recursive: true });
    await unpackPages(folder);
    const all = markdownFiles(folder);
    if (pages === undefined || pages >= all.length) return;
    const kept = new Set(Array.from({ length: pages }, (_, index) => Math.floor((index * all.length) / pages)));
    for (const [index, path] of all.entries()) if (!kept.has(index)) rmSync(join(folder, path));
  }

  /**
   * Adds partners until there are `count`: invited, joined, enrolled.
   * @param {number} count
   */
  async enroll(count) {
    const { login, hostKey } = await this.#login();
    const place = join(this.main, 'partners', 'harbour.yaml');
    this.#sample ??= readFileSync(place, 'utf8');
    // The starter folder's own partner never answers.
    rmSync(place, { force: true });
    for (let number = this.partners.length + 1; number <= count; number++) {
      const id = `partner-${number}`;
      const folder = join(this.#root, id);
      const url = `https://${id}.example/`;
      writeFileSync(
        join(this.main, 'partners', `${id}.yaml`),
        this.#sample.replace(/^id: .*$/m, `id: ${id}`).replace(/^url: .*$/m, `url: ${url}`),
      );
      mkdirSync(join(folder, 'original'), { recursive: true });
      writeFileSync(join(folder, 'original', 'index.html'), '<!doctype html><title>Ours</title><p>Our own page.');
      const invitation = join(this.#root, `${id}.invitation`);
      const answer = join(this.#root, `${id}.answer`);
      const invited = JSON.parse((await tieup(this.main, '--json', 'invite', id, '-o', invitation)).stdout);
      const sftp = `${login}/${id}/exchange`;
      const agreed = ['--yes', invited.words.join(' '), '--sftp', sftp, ...hostKey, '--url', url, '-o', answer];
      const joined = JSON.parse((await tieup(folder, '--json', 'join', invitation, ...agreed)).stdout);
      await tieup(this.main, 'enroll', answer, '--yes', joined.words.join(' '));
      this.partners.push({ id, folder });
    }
  }

  /** Where every partner's folder is, and how `join` is told the host key. */
  async #login() {
    if (this.#other === undefined) return { login: `sftp://main@127.0.0.1:${(await this.#serve()).port}`, hostKey: [] };
    const { user, port, hostKey, authorize } = this.#other;
    if (this.partners.length === 0) authorize(readFileSync(join(this.main, 'keys', 'ssh.pub'), 'utf8'));
    return { login: `sftp://${user}@127.0.0.1:${port}${this.#root}`, hostKey: ['--host-key', hostKey] };
  }

  async #serve() {
    this.#server ??= await startSftpServer({
      root: this.#root,
      hostKey: createSshKey('host').privateKey,
      users: { main: { publicKey: readFileSync(join(this.main, 'keys', 'ssh.pub'), 'utf8'), writable: [''] } },
    });
    return this.#server;
  }

  async close() {
    await this.#server?.close();
    rmSync(this.#root, { recursive: true, force: true });
  }
}
