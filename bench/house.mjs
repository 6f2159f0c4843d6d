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

export class House {
  #root;
  /** @type {import('../dist/io/sftp-server.js').SftpServer | undefined} */
  #server;
  /** The partnership of the starter folder. @type {string | undefined} */
  #sample;
  /** @type {Partner[]} */
  partners = [];

  constructor() {
    this.#root = mkdtempSync(join(tmpdir(), 'tieup-bench-'));
    this.main = join(this.#root, 'main');
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
    const server = await this.#serve();
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
      const sftp = `sftp://main@127.0.0.1:${server.port}/${id}/exchange`;
      const agreed = ['--yes', invited.words.join(' '), '--sftp', sftp, '--url', url, '-o', answer];
      const joined = JSON.parse((await tieup(folder, '--json', 'join', invitation, ...agreed)).stdout);
      await tieup(this.main, 'enroll', answer, '--yes', joined.words.join(' '));
      this.partners.push({ id, folder });
    }
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
