/**
 * A manager without a shell on the server does everything from a laptop: the site lies on a real sshd, state and keys at home.
 */
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestIn } from '../support/cli-partnership.ts';
import { filesBelow } from '../support/joined-sites.ts';
import { laptopSites, type LaptopSites } from '../support/laptop.ts';
import { realPart } from '../support/real-parts.ts';

const LONG = 120_000;
const ORIGINALS = { 'original/index.html': '<!doctype html><title>Harbour</title>mine\n', 'original/a/b.html': 'b\n' };

describe.skipIf(realPart('sshd') === undefined)('a manager at a laptop', () => {
  let sites: LaptopSites;
  let atFirst: readonly string[];
  beforeAll(async () => {
    const made = await laptopSites({ files: ORIGINALS });
    if (made === undefined) throw new Error('there is no sshd');
    sites = made;
    atFirst = readdirSync(sites.server).toSorted();
    await sites.main.done(['push']);
    await sites.laptop.done(['accept', '--yes', digestIn(await sites.laptop.done(['status']))]);
  }, LONG);
  afterAll(() => sites?.dispose());

  const live = (path: string): string => join(sites.server, 'public', path);
  const mount = 'with-northwind-coffee';

  test('has state and keys at home and nothing else, and the server has neither', () => {
    expect(readdirSync(sites.laptop.folder).toSorted()).toEqual(['keys', 'schemas', 'state', 'tieup.yaml']);
    expect(atFirst).toEqual(['exchange', 'original']);
  });

  test('accepts a release, which goes live on the server', { timeout: LONG }, async () => {
    expect(lstatSync(join(sites.server, 'public')).isSymbolicLink()).toBe(true);
    expect(readFileSync(live('index.html'), 'utf8')).toBe(ORIGINALS['original/index.html']);
    expect(readdirSync(live(mount))).toContain('index.html');
    expect(await sites.laptop.done(['verify'])).toContain('everything live is as it was signed');
    // The receipt is in the outbox, where the main site reads it.
    expect(await sites.main.done(['status'])).toMatch(/live/);
    expect(readdirSync(sites.server).toSorted()).toEqual(['exchange', 'original', 'public', 'published']);
    expect(existsSync(sites.laptop.path('public'))).toBe(false);
  });

  test('merges changed originals, withholds a page, goes back and forth', { timeout: LONG }, async () => {
    const page = readdirSync(live(mount)).find((name) => /^(?!index|news).*\.html$/.test(name)) ?? '';
    writeFileSync(join(sites.server, 'original/a/b.html'), 'changed\n');
    await sites.laptop.done(['merge']);
    expect(readFileSync(live('a/b.html'), 'utf8')).toBe('changed\n');
    await sites.laptop.done(['withhold', page]);
    expect(existsSync(live(`${mount}/${page}`))).toBe(false);
    await sites.laptop.done(['withhold', page, '--undo']);
    expect(existsSync(live(`${mount}/${page}`))).toBe(true);
    sites.main.write('pages/news.md', '---\ntitle: News\n---\n\nIt rains.\n');
    await sites.main.done(['push']);
    await sites.laptop.done(['accept', '--yes', digestIn(await sites.laptop.done(['status']))]);
    expect(existsSync(live(`${mount}/news.html`))).toBe(true);
    await sites.laptop.done(['rollback']);
    expect(existsSync(live(`${mount}/news.html`))).toBe(false);
    await sites.laptop.done(['resume']);
    expect(existsSync(live(`${mount}/news.html`))).toBe(true);
    await sites.laptop.done(['verify']);
  });

  test('finds what somebody changed on the server, by what is known at home', { timeout: LONG }, async () => {
    const before = readFileSync(live(`${mount}/index.html`));
    writeFileSync(live(`${mount}/index.html`), 'changed by a thief\n');
    const { exitCode, stdout, stderr } = await sites.laptop.run(['verify']);
    expect(exitCode).toBe(6);
    expect(stdout + stderr).toContain(`${mount}/index.html`);
    writeFileSync(live(`${mount}/index.html`), before);
  });

  test('names the server on the command line instead, whose key must be known', { timeout: LONG }, async () => {
    const config = sites.laptop.read('tieup.yaml');
    const bare = config.replace(/\n# The server that the site lies on[\s\S]*?\n(?=\n)/, '');
    expect(bare).not.toContain('sftp://');
    sites.laptop.write('tieup.yaml', bare);
    const untouched = filesBelow(sites.server);
    const refused = await sites.laptop.run(['accept', '--site', sites.address, '--yes', '0'.repeat(64)]);
    expect(refused).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('no host key is known') });
    const ssh = join(sites.laptop.folder, '../.ssh');
    expect(existsSync(ssh)).toBe(false);
    sites.laptop.edit(
      'tieup.yaml',
      'role: partner\n',
      `role: partner\nsite:\n  url: ${sites.address}\n  hostKeys: [${JSON.stringify(OTHER_KEY)}]\n`,
    );
    const foreign = await sites.laptop.run(['accept', '--yes', '0'.repeat(64)]);
    expect(foreign).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('is pinned') });
    expect(filesBelow(sites.server)).toEqual(untouched);

    sites.laptop.write('tieup.yaml', bare);
    mkdirSync(ssh);
    writeFileSync(join(ssh, 'known_hosts'), `[127.0.0.1]:${sites.sshd.port} ${sites.sshd.hostKeyLine}\n`);
    expect(await sites.laptop.done(['accept', '--site', sites.address, '--yes', '0'.repeat(64)])).toContain(
      'nothing new',
    );
    sites.laptop.write('tieup.yaml', config);
  });

  test('is refused at a main site', async () => {
    const { exitCode, stderr } = await sites.main.run(['--site', sites.address, 'status']);
    expect(exitCode).toBe(64);
    expect(stderr).toContain('--site is for partner sites');
  });
});

describe.skipIf(realPart('sshd') === undefined)('a web root on shared hosting', () => {
  test('takes releases between its own pages, and is what it was after leaving', { timeout: LONG }, async () => {
    const own = { 'www/index.html': 'mine\n', 'www/img/logo.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>\n' };
    const sites = await laptopSites({
      joining: ['--publish', 'overwrite', '--original', 'in-place', '--public', 'www'],
      files: own,
    });
    if (sites === undefined) throw new Error('there is no sshd');
    try {
      const { main, laptop, server } = sites;
      const before = filesBelow(join(server, 'www'));
      await main.done(['push']);
      const untouched = filesBelow(join(server, 'www'));
      await laptop.done(['accept', '--yes', digestIn(await laptop.done(['status']))]);
      const after = filesBelow(join(server, 'www'));
      expect(untouched).toEqual(before);
      expect(after).toMatchObject(before);
      expect(Object.keys(after).length).toBeGreaterThan(Object.keys(before).length);
      await laptop.done(['verify']);
      await laptop.done(['leave', '--confirm', 'harbour']);
      expect(filesBelow(join(server, 'www'))).toEqual(before);
    } finally {
      await sites.dispose();
    }
  });
});

const OTHER_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl';
