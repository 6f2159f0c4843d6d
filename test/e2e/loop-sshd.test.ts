/** The whole loop as two people live it: the command line on both sides, and OpenSSH's sshd between them. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sftpTree } from '../../src/io/sftp-tree.ts';
import { seededSshKey } from '../support/embedded-sftp.ts';
import { filesBelow, type JoinedSites, joinedSites, PASSWORD, type SiteFolder } from '../support/joined-sites.ts';
import { asRoot, realPart } from '../support/real-parts.ts';
import { startSshAgent } from '../support/ssh-agent.ts';
import { freePort } from '../support/free-port.ts';

const INDEX = 'public/with-northwind-coffee/index.html';
/** Some forty commands, each a process of its own. */
const LONG = { timeout: 240_000 };
const hasSshd = realPart('sshd') !== undefined;

describe.skipIf(!hasSshd)('a main site and a partner', () => {
  let sites: JoinedSites;
  beforeAll(async () => {
    const joined = await joinedSites();
    if (joined === undefined) throw new Error('there is no sshd');
    sites = joined;
  });
  afterAll(() => sites.dispose());

  test(
    'bring pages from an empty folder to the visitors, and stay in agreement about all that follows',
    LONG,
    async () => {
      const { main, shop } = sites;

      // Nothing has been pushed: a plan says so and sends nothing.
      expect(await stateOf(main)).toMatchObject({ state: 'never', pushed: null, live: null });
      const planned = await main.json('plan', ['plan', '--detailed-exitcode'], 2);
      const [first] = partnersOf(planned);
      expect(first).toMatchObject({
        partner: 'harbour',
        result: 'changes',
        base: null,
        next: 1,
        changed: [],
        removed: [],
      });
      expect(readdirSync(shop.path('exchange/inbox'))).toEqual([]);

      // A push writes into the inbox and nowhere else.
      const before = filesBelow(shop.folder, 'exchange/inbox');
      const pushed = await pushOne(main, ['-m', 'Our first pages']);
      expect(pushed).toMatchObject({ result: 'pushed', release: 1, added: first?.['added'], changed: [], removed: [] });
      expect(filesBelow(shop.folder, 'exchange/inbox')).toEqual(before);
      if (sites.chrooted) expectOwnUid(shop);
      expect(existsSync(shop.path(INDEX))).toBe(false);

      // The second push has nothing to send, and says so.
      const inbox = filesBelow(shop.path('exchange/inbox'));
      const again = await main.run(['push']);
      expect({ ...again, stderr: '' }).toEqual({
        exitCode: 0,
        stdout: '✓ harbour: nothing to push, release 1 is the newest\n',
        stderr: '',
      });
      expect(filesBelow(shop.path('exchange/inbox'))).toEqual(inbox);
      expect((await main.run(['plan', '--detailed-exitcode'])).exitCode).toBe(0);
      expect(await stateOf(main)).toMatchObject({ state: 'pending', pushed: 1, live: null });

      // The manager sees what would change, and only the release that was seen can be accepted.
      const waiting = await shop.run(['status']);
      expect(waiting).toMatchObject({ exitCode: 0, stderr: '' });
      expect(waiting.stdout).toContain('Our first pages');
      expect(waiting.stdout).toContain(`tieup accept --yes ${String(pushed['releaseDigest'])}`);
      expect((await shop.run(['accept'])).exitCode).toBe(64);
      expect((await shop.run(['accept', '--yes', 'a'.repeat(64)])).exitCode).toBe(6);
      expect(existsSync(shop.path(INDEX))).toBe(false);
      await accept(shop, pushed);
      expect(shop.read(INDEX)).toContain('Our coffee at Harbour Books');
      expect(shop.read('public/index.html')).toBe(shop.read('original/index.html'));
      expect(await stateOf(main)).toMatchObject({ state: 'live', pushed: 1, live: 1 });
      expect((await shop.json('accept', ['accept', '--yes', String(pushed['releaseDigest'])]))['result']).toBe(
        'nothing-new',
      );

      // A rejection reaches the main site with its reason; nothing that is live changes.
      main.edit('pages/index.md', 'Tuesdays and Fridays', 'Mondays');
      const second = await pushOne(main);
      expect(second).toMatchObject({ release: 2, added: [], changed: [INDEX.replace('public/', '')], removed: [] });
      expect(Number(second['sentBytes'])).toBeLessThan(Number(pushed['sentBytes']));
      expect(await shop.json('reject', ['reject', '--reason', 'we are closed on Mondays'])).toMatchObject({
        release: 2,
      });
      expect(await stateOf(main)).toMatchObject({ state: 'rejected', live: 1, detail: 'we are closed on Mondays' });
      expect(shop.read(INDEX)).toContain('Tuesdays and Fridays');
      const refused = await main.run(['push', '--wait', '30s']);
      expect(refused).toMatchObject({ exitCode: 9 });
      expect(refused.stderr).toContain('we are closed on Mondays');

      // A push that waits ends when the release is live.
      main.edit('pages/index.md', 'on Mondays', 'on Wednesdays');
      const waitingPush = main.run(['push', '--wait', '2m', '--json']);
      const third = await whenWaiting(shop, 3);
      await accept(shop, third);
      const live = await waitingPush;
      expect(live).toMatchObject({ exitCode: 0 });
      expect(partnersOf(JSON.parse(live.stdout))[0]).toMatchObject({ result: 'pushed', release: 3, answer: 'live' });
      expect(shop.read(INDEX)).toContain('Wednesdays');

      // Nobody answers: the push tells so with an exit code of its own, and the release stays.
      main.write('pages/events.md', '---\ntitle: Events\n---\n\nA tasting.\n');
      expect((await main.run(['push', '--wait', '1s'])).exitCode).toBe(8);
      await accept(shop, await whenWaiting(shop, 4));
      expect(existsSync(shop.path('public/with-northwind-coffee/events.html'))).toBe(true);

      // A rollback goes back at once, holds, and the main site is told.
      expect(await shop.json('rollback', ['rollback'])).toMatchObject({ release: { number: 3 }, receipt: 'held' });
      expect(existsSync(shop.path('public/with-northwind-coffee/events.html'))).toBe(false);
      expect(await stateOf(main)).toMatchObject({ state: 'held', pushed: 4, live: 3 });
      await shop.json('resume', ['resume']);
      expect(existsSync(shop.path('public/with-northwind-coffee/events.html'))).toBe(true);
      expect(await stateOf(main)).toMatchObject({ state: 'live', pushed: 4, live: 4 });

      // Single pages stay out, and come back.
      await shop.json('withhold', ['withhold', 'events']);
      expect(existsSync(shop.path('public/with-northwind-coffee/events.html'))).toBe(false);
      expect(existsSync(shop.path(INDEX))).toBe(true);
      await shop.json('withhold', ['withhold', 'events', '--undo']);
      expect(existsSync(shop.path('public/with-northwind-coffee/events.html'))).toBe(true);

      // What nobody signed is found.
      expect(await shop.json('verify', ['verify'])).toMatchObject({ differences: [] });
      shop.edit(INDEX, 'Our coffee at', 'Free coffee at');
      const found = await shop.json('verify', ['verify'], 6);
      expect(found['differences']).toMatchObject([{ kind: 'changed', path: 'with-northwind-coffee/index.html' }]);
      expect(await shop.json('history', ['history'])).toMatchObject({});
      expect((await main.json('push', ['push']))['partners']).toMatchObject([{ result: 'unchanged', release: 4 }]);
    },
  );

  test('are told apart by the host key: another one ends with 4 before anything is sent', async () => {
    const main = sites.copyOfMain();
    const file = 'partners/harbour.yaml';
    const pinned = /ssh-ed25519 [A-Za-z0-9+/=]+/.exec(main.read(file))?.[0] ?? '';
    main.edit(file, pinned, seededSshKey('somebody else').publicKey);
    const inbox = filesBelow(sites.shop.path('exchange'));
    const log = sites.sshd.log().length;
    const { exitCode, stderr } = await main.run(['push']);
    expect(exitCode).toBe(4);
    expect(stderr).toMatch(/host key/);
    expect(filesBelow(sites.shop.path('exchange'))).toEqual(inbox);
    expect(sites.sshd.log().slice(log)).not.toMatch(/Accepted publickey/);
  });

  test('are not connected by a key that the partner did not let in', async () => {
    const inbox = filesBelow(sites.shop.path('exchange'));
    const { exitCode, stderr } = await sites
      .copyOfMain()
      .run(['push'], { TIEUP_KEY_SSH: seededSshKey('somebody else').privateKey });
    expect(exitCode).toBe(4);
    expect(stderr).toContain(sites.sshd.user);
    expect(filesBelow(sites.shop.path('exchange'))).toEqual(inbox);
  });

  test('end with 1 when the server is gone, and the failure is remembered', async () => {
    const main = sites.copyOfMain();
    main.edit('partners/harbour.yaml', `:${sites.sshd.port}/`, `:${await freePort()}/`);
    const { exitCode, stderr } = await main.run(['push']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('127.0.0.1');
    // Nor can it be asked how it is by now.
    const asked = await main.run(['status', '--json']);
    expect(asked.exitCode).toBe(3);
    expect(partnersOf(JSON.parse(asked.stdout))[0]).toMatchObject({ state: 'failed' });
  });

  test('need a password, and end with 4 and the name of the variable where nobody can be asked', async () => {
    const main = sites.copyOfMain();
    // Who has nothing to push signs nothing, and needs no password.
    main.write('pages/more.md', '---\ntitle: More\n---\n\nMore.\n');
    const inbox = filesBelow(sites.shop.path('exchange'));
    const { exitCode, stderr } = await main.run(['push'], { TIEUP_PASSWORD: undefined });
    expect([exitCode, stderr]).toEqual([4, expect.stringContaining('TIEUP_PASSWORD')]);
    expect((await main.run(['push'], { TIEUP_PASSWORD: 'wrong' })).exitCode).toBe(4);
    expect(filesBelow(sites.shop.path('exchange'))).toEqual(inbox);
  });

  test('may be connected by an SSH key that is encrypted', async () => {
    const keygen = realPart('ssh-keygen');
    if (keygen === undefined) return;
    const main = sites.copyOfMain();
    execFileSync(keygen, ['-q', '-p', '-P', '', '-N', PASSWORD, '-f', main.path('keys/ssh.key')]);
    expect(main.read('keys/ssh.key')).toContain('OPENSSH PRIVATE KEY');
    expect((await main.run(['plan'])).exitCode).toBe(0);
    const { exitCode, stderr } = await main.run(['plan'], { TIEUP_PASSWORD: undefined });
    expect(exitCode).toBe(4);
    expect(stderr).toContain('TIEUP_PASSWORD');
    expect((await main.run(['plan'], { TIEUP_PASSWORD: 'wrong' })).exitCode).toBe(4);
  });

  test('go on while the SSH key is replaced, before and after the partner has added the new line', async () => {
    const main = sites.copyOfMain();
    const rotate = () => main.json('keys-rotate-ssh', ['keys', 'rotate', 'ssh', '--confirm', 'northwind.example']);
    const sshFinding = async () => {
      const { stdout } = await main.run(['doctor', '--json']);
      const found = [...stdout.matchAll(/"check": ?"ssh-key",\s*"state": ?"(\w+)",\s*"message": ?"([^"]*)"/g)];
      return found.map(([, state, message]) => [state, message]);
    };
    expect(await sshFinding()).toEqual([]);
    const { kind, line } = await rotate();
    expect([kind, line]).toEqual([
      'begun',
      expect.stringMatching(/^restrict,command="internal-sftp" ssh-ed25519 AAAA/),
    ]);
    // Not added yet: the old key is used, and stays.
    expect((await main.run(['plan'])).exitCode).toBe(0);
    expect(await sshFinding()).toEqual([['warning', expect.stringContaining('does not let the new SSH key in yet')]]);
    expect(await rotate()).toMatchObject({ kind: 'waiting', line, partners: [{ partner: 'harbour', state: 'old' }] });
    expect(existsSync(main.path('keys/ssh.key'))).toBe(true);
    sites.sshd.authorize(String(line));
    expect(await sshFinding()).toEqual([['warning', expect.stringContaining('lets the old SSH key in as well')]]);
    expect(await rotate()).toMatchObject({ kind: 'done', partners: [{ partner: 'harbour', state: 'both' }] });
    expect([existsSync(main.path('keys/ssh.key')), existsSync(main.path('keys/ssh.pub'))]).toEqual([false, false]);
    expect((await main.run(['plan'])).exitCode).toBe(0);
    expect(statSync(main.path('keys/ssh-2.key')).mode & 0o777).toBe(0o600);
  });

  test('may be connected by an ssh-agent, with one of its keys or all', async () => {
    const main = sites.copyOfMain();
    const agent = await startSshAgent(main.path('agent'));
    if (agent === undefined) return;
    copyFileSync(main.path('keys/ssh.pub'), main.path('keys/ssh.key.pub'));
    const fingerprint = agent.load(main.path('keys/ssh.key'));
    const plan = (key: string, sock: string | undefined = agent.socket) =>
      main.run(['plan'], { TIEUP_KEY_SSH: key, SSH_AUTH_SOCK: sock });
    expect((await plan(`agent://${fingerprint}`)).exitCode).toBe(0);
    expect((await plan('agent://')).exitCode).toBe(0);
    expect((await plan(`agent://SHA256:${'A'.repeat(43)}`)).exitCode).toBe(4);
    const alone = await main.run(['plan'], { TIEUP_KEY_SSH: `agent://${fingerprint}` });
    expect(alone.exitCode).toBe(4);
    expect(alone.stderr).toContain('SSH_AUTH_SOCK');
  });

  test.skipIf(!hasSshd || !asRoot('sshd'))(
    'share an account that can write into the inbox and nowhere else',
    async () => {
      const { sshd, shop } = sites;
      const connection = await sshd.connect();
      const tree = sftpTree(connection, '/');
      const before = filesBelow(shop.folder, 'exchange/inbox');
      await tree.write('exchange/inbox/probe', Buffer.from('x'));
      await tree.remove('exchange/inbox/probe');
      for (const path of [
        'probe',
        'exchange/outbox/decision.note',
        'original/index.html',
        'state/root.json',
        'public/a',
        'tieup.yaml',
      ]) {
        await expect(tree.write(path, Buffer.from('x'))).rejects.toMatchObject({ exitCode: expect.any(Number) });
      }
      await expect(tree.read('keys/accept.key', 1e6)).rejects.toMatchObject({ code: 'TIEUP_E_STORAGE' });
      expect(filesBelow(shop.folder, 'exchange/inbox')).toEqual(before);
    },
  );
});

type Json = Record<string, unknown>;

function partnersOf(document: unknown): readonly Json[] {
  const { partners }: Json = { ...Object(document) };
  if (!Array.isArray(partners)) throw new Error('the document names no partners');
  return partners.map((each: unknown): Json => ({ ...Object(each) }));
}

async function stateOf(main: SiteFolder): Promise<Json | undefined> {
  return partnersOf(await main.json('status', ['status']))[0];
}

async function pushOne(main: SiteFolder, more: readonly string[] = []): Promise<Json> {
  const [pushed] = partnersOf(await main.json('push', ['push', 'harbour', ...more]));
  if (pushed?.['result'] !== 'pushed') throw new Error('nothing was pushed');
  return pushed;
}

async function accept(shop: SiteFolder, { releaseDigest }: Json): Promise<void> {
  const accepted = await shop.json('accept', ['accept', '--yes', String(releaseDigest)]);
  expect(accepted['result']).toBe('live');
}

/** What waits in the inbox, as soon as it is the release with this number. */
async function whenWaiting(shop: SiteFolder, release: number): Promise<Json> {
  for (;;) {
    const { inbox, waiting } = await shop.json('site-status', ['status']);
    const found: Json = { ...Object(waiting) };
    if (inbox === 'waiting' && found['release'] === release) return found;
  }
}

/** Everything in the inbox belongs to the main site's login, and the partner's own folders do not. */
function expectOwnUid(shop: SiteFolder): void {
  const owner = statSync(shop.path('exchange/inbox')).uid;
  expect(owner).not.toBe(0);
  for (const path of Object.keys(filesBelow(shop.path('exchange/inbox')))) {
    expect(statSync(shop.path(join('exchange/inbox', path))).uid).toBe(owner);
  }
  expect(statSync(shop.path('exchange/outbox')).uid).not.toBe(owner);
}
