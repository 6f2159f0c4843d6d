/** Keys over years on the command line: a ceremony of holders in folders of their own, rotations, a backup. */
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestIn, PASSWORD, startPartnership, type CliPartnership } from '../support/cli-partnership.ts';
import { call, type Ended } from '../support/script.ts';

const HOST = 'northwind.example';
let sites: CliPartnership;

beforeAll(async () => {
  sites = await startPartnership();
  await sites.publish();
}, 120_000);

afterAll(() => sites.dispose());

/** `tieup …words` however it ends. */
function ended(folder: string, ...words: readonly string[]): Promise<Ended> {
  const home = dirname(sites.main);
  return call(words, folder, {
    HOME: home,
    PATH: process.env['PATH'] ?? '',
    LANG: 'C.UTF-8',
    TIEUP_PASSWORD: PASSWORD,
  });
}

async function json(folder: string, ...words: readonly string[]): Promise<Record<string, unknown>> {
  const document: unknown = JSON.parse(await sites.tieup(folder, ...words, '--json'));
  if (typeof document !== 'object' || document === null) throw new Error('no document');
  return { ...document };
}

const roots = async (): Promise<readonly string[]> =>
  (await readdir(join(sites.main, 'partners/harbour'))).filter((name) => name.endsWith('.root.json')).toSorted();

/** Where the spare root key is kept, away from the main site. */
const stick = (): string => join(dirname(sites.main), 'stick');

/** A new title on the front page, pushed and accepted. */
async function publishChange(title: string): Promise<void> {
  await writeFile(join(sites.main, 'pages/news.md'), `---\ntitle: ${title}\n---\n\n# ${title}\n`);
  await sites.tieup(sites.main, 'push');
  await sites.tieup(sites.shop, 'accept', '--yes', digestIn(await sites.tieup(sites.shop, 'status')));
  expect(await readFile(join(sites.shop, 'public/with-northwind-coffee/news.html'), 'utf8')).toContain(title);
}

// One story: each part goes on where the one before ended.
describe('keys over years', { shuffle: false }, () => {
  describe('the keys of a main site', () => {
    test('are listed with what they are for, without a password', async () => {
      const { keys } = await json(sites.main, 'keys');
      expect(keys).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ name: 'root', state: 'sealed', fingerprint: null, current: true }),
          expect.objectContaining({ name: 'online', role: 'signs snapshots and timestamps', where: 'keys/online.key' }),
          expect.objectContaining({ name: 'ssh', state: 'plain', role: 'logs in to partners' }),
        ]),
      );
    });

    test('lie together after init, of which every look warns until the spare is somewhere else', async () => {
      const warning = expect.stringContaining('move root-spare.key to another medium');
      expect(await json(sites.main, 'status')).toMatchObject({
        warnings: [warning],
        disk: { files: expect.any(Number), bytes: expect.any(Number) },
      });
      expect((await ended(sites.main, 'status')).stderr).toContain('move root-spare.key to another medium');
      const doctor = await ended(sites.main, 'doctor', '--json');
      expect(JSON.parse(doctor.stdout)).toMatchObject({
        findings: expect.arrayContaining([expect.objectContaining({ check: 'root-keys', state: 'warning' })]),
      });
      await mkdir(stick(), { mode: 0o700 });
      await rename(join(sites.main, 'keys/root-spare.key'), join(stick(), 'root-spare.key'));
      expect(await json(sites.main, 'status')).toMatchObject({ warnings: [] });
    });

    test('let a new partner in with the spare plugged in for a moment, and not without', async () => {
      const file = join(sites.main, 'partners/moor.yaml');
      const terms = 'mount: /with-northwind/\nperiod:\n  from: "2026-01-01"\n';
      await writeFile(file, `id: moor\nname: Moor\nurl: https://moor.example/\n${terms}`);
      const before = await readFile(file);
      const refused = await ended(sites.main, 'invite', 'moor');
      expect([refused.exitCode, refused.stderr]).toEqual([4, expect.stringContaining('root-spare.key is not here')]);
      const nowhere = await ended(sites.main, 'invite', 'moor', '--root-keys', join(stick(), 'x'));
      expect([nowhere.exitCode, nowhere.stderr]).toEqual([4, expect.stringContaining('there is no root key in')]);
      expect(await readFile(file)).toEqual(before);
      await expect(stat(join(sites.main, 'partners/moor'))).rejects.toThrow('ENOENT');
      expect(await json(sites.main, 'invite', 'moor', '--root-keys', stick())).toMatchObject({ partner: 'moor' });
      await rm(file);
      await rm(join(sites.main, 'partners/moor'), { recursive: true });
    });

    test('are not rotated by a slip of the finger', async () => {
      const before = await readdir(join(sites.main, 'keys'));
      const { exitCode, stderr } = await ended(sites.main, 'keys', 'rotate', 'online');
      expect([exitCode, stderr]).toEqual([64, expect.stringContaining(`--confirm ${HOST}`)]);
      expect((await ended(sites.main, 'keys', 'rotate', 'online', '--confirm', 'other.example')).exitCode).toBe(64);
      expect((await ended(sites.main, 'keys', 'rotate', 'onlin', '--confirm', HOST)).exitCode).toBe(64);
      expect(await readdir(join(sites.main, 'keys'))).toEqual(before);
      expect(await roots()).toEqual(['1.root.json']);
    });

    test('are rotated, and the partner follows', async () => {
      expect(await json(sites.main, 'keys', 'rotate', 'online', '--confirm', HOST)).toMatchObject({
        made: 'online-2',
        roots: [{ partner: 'harbour', version: 2 }],
      });
      expect((await stat(join(sites.main, 'keys/online-2.key'))).mode & 0o777).toBe(0o600);
      await publishChange('Autumn');
      await sites.tieup(sites.main, 'keys', 'rotate', 'release', '--confirm', HOST);
      await publishChange('Winter');
      expect(await roots()).toEqual(['1.root.json', '2.root.json', '3.root.json']);
    });

    test('come back from a backup, which holds nothing that is not sealed', async () => {
      const file = join(dirname(sites.main), 'keys.backup');
      const { stderr } = await ended(sites.main, 'keys', 'backup', file);
      expect(stderr).toContain('not sealed, so not in the backup: ssh');
      const text = await readFile(file, 'utf8');
      expect(text).not.toMatch(/-----BEGIN (?:OPENSSH )?PRIVATE KEY-----/);
      const lost = join(dirname(sites.main), 'lost');
      await cp(sites.main, lost, { recursive: true });
      for (const name of ['root', 'release-2', 'online-2']) await rm(join(lost, `keys/${name}.key`));
      await rm(join(lost, 'partners/harbour'), { recursive: true });
      expect(await json(lost, 'keys', 'restore', file)).toMatchObject({
        keys: expect.arrayContaining(['online-2', 'release-2', 'root']),
        roots: [1, 2, 3].map((version) => `partners/harbour/${version}.root.json`),
      });
      expect(await readFile(join(lost, 'keys/root.key'))).toEqual(await readFile(join(sites.main, 'keys/root.key')));
      expect((await stat(join(lost, 'keys/root.key'))).mode & 0o777).toBe(0o600);
      await writeFile(join(lost, 'keys/root.key'), 'something else', { mode: 0o600 });
      const before = await readFile(join(lost, 'keys/release-2.key'));
      await rm(join(lost, 'keys/release-2.key'));
      const refused = await ended(lost, 'keys', 'restore', file);
      expect([refused.exitCode, refused.stderr]).toEqual([
        1,
        expect.stringContaining('root.key: differs from the backup'),
      ]);
      await expect(stat(join(lost, 'keys/release-2.key'))).rejects.toThrow('ENOENT');
      expect(before.length).toBeGreaterThan(0);
    });
  });

  test('a lost root key is replaced with the spare alone, and the partner follows', async () => {
    await rm(join(sites.main, 'keys/root.key'));
    const rotate = ['keys', 'rotate', 'root', '--holder', 'main', '--confirm', HOST];
    expect(await json(sites.main, ...rotate, '--root-keys', stick())).toMatchObject({
      made: 'root-main-2',
      roots: [{ partner: 'harbour', version: 4 }],
      request: null,
    });
    expect(await readFile(join(sites.main, 'tieup.yaml'), 'utf8')).toContain('- main-2\n    - spare');
    expect((await readdir(stick())).toSorted()).toEqual(['root-spare.key']);
    await publishChange('A new root');
    expect(await json(sites.main, 'keys')).toMatchObject({
      keys: expect.arrayContaining([expect.objectContaining({ name: 'root-main-2', current: true, state: 'sealed' })]),
    });
  });

  describe('two of three holders', () => {
    const at = (name: string): string => join(dirname(sites.main), name);
    const request = (): string => at('roots.request');

    async function sign(name: string): Promise<Record<string, unknown>> {
      const keys = name === 'main' ? join(sites.main, 'keys') : join(at(name), 'keys');
      const folder = name === 'main' ? sites.main : at(name);
      const first = await ended(folder, 'keys', 'sign', request(), '--keys', keys, '--json');
      const digest = /[0-9a-f]{64}/.exec(first.stderr)?.[0];
      // The first pass may have had nothing to do but to add public keys.
      if (first.exitCode === 0 || digest === undefined) return { ...JSON.parse(first.stdout) };
      return json(folder, 'keys', 'sign', request(), '--keys', keys, '--yes', digest);
    }

    test('make keys on their own machines, take over, lose one and replace it', async () => {
      for (const name of ['alice', 'bob', 'carol', 'dave']) {
        await mkdir(at(name));
        await sites.tieup(at(name), 'keys', 'create', name, '--keys', join(at(name), 'keys'));
      }
      const config = join(sites.main, 'tieup.yaml');
      const before = await readFile(config, 'utf8');
      const three = 'roots:\n  threshold: 2\n  holders: [alice, bob, carol]\n';
      await writeFile(config, before.replace(/^roots:\n(?: .*\n)+/m, three));
      expect(await json(sites.main, 'keys', 'renew', '--out', request())).toMatchObject({ request: request() });
      for (const name of ['alice', 'bob', 'carol']) await sign(name);
      // Carol's pass was the first that found all public keys: she has signed, the others have not.
      const half = await ended(sites.main, 'keys', 'apply', request());
      expect([half.exitCode, half.stderr]).toEqual([4, expect.stringContaining('signatures')]);
      expect(await roots()).toHaveLength(4);
      await sign('alice');
      expect(await sign('main')).toMatchObject({ complete: true, missing: [] });
      expect(await json(sites.main, 'keys', 'apply', request())).toMatchObject({
        roots: [{ partner: 'harbour', version: 5 }],
      });
      await publishChange('Two of three');

      // Carol's key is lost; dave takes the place.
      await rm(at('carol'), { recursive: true });
      const rotate = ['keys', 'rotate', 'root', '--holder', 'carol', '--by', 'dave', '--confirm', HOST];
      await sites.tieup(sites.main, ...rotate, '--out', request());
      expect(await readFile(config, 'utf8')).toContain('# Days within which partners are asked for an answer.');
      for (const name of ['dave', 'alice', 'bob']) await sign(name);
      expect(await sign('alice')).toMatchObject({ complete: true });
      await sites.tieup(sites.main, 'keys', 'apply', request());
      await publishChange('Dave is here');
      expect(await roots()).toHaveLength(6);
    }, 240_000);

    test('sign nothing that they were not shown', async () => {
      const { exitCode } = await ended(
        at('alice'),
        'keys',
        'sign',
        request(),
        '--keys',
        'keys',
        '--yes',
        'a'.repeat(64),
      );
      expect(exitCode).toBe(6);
      const unasked = await ended(at('alice'), 'keys', 'sign', request(), '--keys', 'keys');
      expect([unasked.exitCode, unasked.stderr]).toEqual([64, expect.stringContaining('--yes')]);
      const nobody = await ended(at('alice'), 'keys', 'sign', request(), '--keys', 'nowhere');
      expect([nobody.exitCode, nobody.stderr]).toEqual([4, expect.stringContaining('there is no root master')]);
    });
  });

  describe('the keys of a partner', () => {
    test('are rotated: the site key by itself, the accept key after words were compared', async () => {
      await sites.tieup(sites.shop, 'keys', 'rotate', 'site', '--confirm', 'harbour');
      expect(await json(sites.main, 'status')).toMatchObject({ partners: [{ state: 'live', warnings: [] }] });
      const { words } = await json(sites.shop, 'keys', 'rotate', 'accept', '--confirm', 'harbour');
      if (!Array.isArray(words)) throw new Error('there are no words');
      const wrong = await ended(sites.main, 'keys', 'trust', 'harbour', '--yes', 'one two three four five six');
      expect(wrong.exitCode).toBe(5);
      await sites.tieup(sites.main, 'keys', 'trust', 'harbour', '--yes', words.join(' '));
      await publishChange('Under a new key');
      expect(await json(sites.main, 'status')).toMatchObject({ partners: [{ state: 'live', warnings: [] }] });
      const { keys } = await json(sites.shop, 'keys');
      expect(keys).toMatchObject([
        { role: 'accept', name: 'accept-2', state: 'sealed', replaced: 1 },
        { role: 'site', name: 'site-2', state: 'plain', replaced: 1 },
        { role: 'log', name: 'log', replaced: 0 },
      ]);
      expect((await ended(sites.main, 'keys', 'trust', 'harbour', '--yes', words.join(' '))).exitCode).toBe(1);
    }, 120_000);
  });
});
