import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { TieupError } from '../../../src/errors.ts';
import { folderTree } from '../../../src/io/folder-tree.ts';
import type { FileTree } from '../../../src/io/file-tree.ts';
import { examineMainSite, type MainDoctorPorts } from '../../../src/main-site/doctor.ts';
import type { ServerLook } from '../../../src/main-site/doctor-partner.ts';
import type { MainSite } from '../../../src/main-site/main-site.ts';
import { end, suspend } from '../../../src/main-site/partner-admin.ts';
import { rootKeyWarnings } from '../../../src/main-site/root-holders.ts';
import { memoryTree } from '../../../src/io/memory-tree.ts';
import type { Finding } from '../../../src/report/finding.ts';
import { memoryKeys } from '../../support/memory-keys.ts';
import { changedPaths } from '../../support/snapshot.ts';
import { type MainFixture, mainFixture, partnership } from '../../support/partnership-fixture.ts';
import type { PartnerFixture } from '../../support/partner-fixture.ts';

const TRAITS = { software: 'OpenSSH_9.2p1', posixRename: true, hardLink: true, fsync: true, inOrder: true };

let main: MainFixture;
let shop: PartnerFixture;
let crontab: string | undefined;

beforeEach(async () => {
  ({ main, shop } = await partnership());
  crontab = '17 4 * * *  cd /srv/northwind && tieup refresh --quiet\n';
});

/** The exchange as a login sees it that is shut into the inbox, with the clock of the test. */
function confined(tree: FileTree, skewMs = 0): FileTree {
  const refuse = (path: string): void => {
    if (!path.startsWith('inbox/')) throw new TieupError('TIEUP_E_STORAGE', 'the server denies permission');
  };
  return {
    ...tree,
    create: async (path, content, options) => {
      refuse(path);
      return tree.create(path, content, options);
    },
    stat: async (path) => {
      const found = await tree.stat(path);
      const modified = new Date(main.clock.now().getTime() + skewMs).toISOString();
      return found && { ...found, modified };
    },
  };
}

function seeing(changes: Partial<ServerLook> = {}): MainDoctorPorts {
  return {
    machine: { nodeVersion: 'v20.20.2', crontab: async () => crontab },
    keyFolder: memoryTree('/keys'),
    letsIn: async () => true,
    look: async () => ({
      tree: confined(folderTree(shop.path('exchange'))),
      server: TRAITS,
      freeBytes: async () => 1e12,
      ...changes,
    }),
  };
}

async function findings(
  ports: MainDoctorPorts = seeing(),
  mainSite: MainSite = main.site,
): Promise<readonly Finding[]> {
  const { site, partners } = await examineMainSite(mainSite, ports, [], 2);
  return [...site, ...partners.flatMap((each) => each.findings)];
}

/** The main site with these root holders; only the key of `main` is here. */
function withHolders(...holders: readonly string[]): MainSite {
  return { ...main.site, config: { ...main.site.config, roots: { threshold: 1, holders } } };
}

async function one(check: string, ports?: MainDoctorPorts, mainSite?: MainSite): Promise<Finding> {
  const found = (await findings(ports, mainSite)).filter((each) => each.check === check);
  expect(found).toHaveLength(1);
  return found[0] ?? { check, state: 'ok', message: '', fix: null };
}

describe('a main site in order', () => {
  test('has nothing to mend, and is left as it was', async () => {
    const before = await shop.snapshot();
    const found = await findings(seeing(), withHolders('main', 'spare'));
    expect(found.filter(({ state }) => state !== 'ok')).toEqual([]);
    expect(found.map(({ check }) => check)).toEqual([
      'node',
      'keys',
      'root-keys',
      'cron',
      'retention',
      'contract',
      'root-expiry',
      'login',
      'posix-rename',
      'fsync',
      'transfer',
      'inbox-writable',
      'clock',
      'confined',
      'timestamp-expiry',
      'targets-expiry',
      'space',
    ]);
    expect(await shop.snapshot()).toEqual(before);
  });
});

describe('on its own machine, a main site is told', () => {
  test('that Node is too old', async () => {
    const ports = seeing();
    const machine = { ...ports.machine, nodeVersion: 'v18.0.0' };
    expect(await one('node', { ...ports, machine })).toMatchObject({
      state: 'problem',
      fix: 'install Node 20.19 or newer',
    });
  });

  test('that it has a single root key', async () => {
    expect(await one('root-keys')).toMatchObject({
      state: 'warning',
      message: 'there is a single root key: if it is lost, every partner has to be invited anew',
      fix: expect.stringContaining('tieup keys create spare'),
    });
  });

  test('that both root keys lie here, until the spare is somewhere else', async () => {
    const site = withHolders('main', 'spare');
    const both = { ...site, keys: memoryKeys('main', ['root', 'root-spare']) };
    expect(await one('root-keys', undefined, both)).toEqual({
      check: 'root-keys',
      state: 'warning',
      message:
        'the root keys root and root-spare are all on this machine: one fire or one lost disk takes them together, and whoever copies them can sign as you',
      fix: 'move root-spare.key to another medium, and keep that elsewhere',
    });
    expect(await rootKeyWarnings(both)).toEqual([expect.stringContaining('move root-spare.key to another medium')]);
    expect(await one('root-keys', undefined, site)).toMatchObject({ state: 'ok' });
    expect(await rootKeyWarnings(site)).toEqual([]);
    const ci = { ...site, keys: memoryKeys('main', ['online']) };
    expect((await findings(seeing(), ci)).map(({ check }) => check)).not.toContain('root-keys');
  });

  test('that nothing refreshes, with the line that does', async () => {
    crontab = '# 17 4 * * * tieup refresh\n0 0 * * * backup\n';
    expect(await one('cron')).toMatchObject({
      state: 'warning',
      message: expect.stringContaining('no line of your crontab runs tieup refresh'),
      fix: expect.stringContaining('tieup refresh --quiet'),
    });
    crontab = undefined;
    expect((await one('cron')).message).toContain('there is no cron on this machine');
  });

  test('which key file others can read', async () => {
    const keyFolder = memoryTree('/keys');
    const checks = (await findings({ ...seeing(), keyFolder })).map(({ check }) => check);
    expect(checks).not.toContain('ssh-certificate');
    await keyFolder.write('ssh-cert.pub', Buffer.from('x'));
    expect(await one('ssh-certificate', { ...seeing(), keyFolder })).toMatchObject({
      state: 'warning',
      message: 'ssh-cert.pub lies beside the SSH key, but is not shown to harbour',
      fix: 'write transport: ssh under sftp in partners/<id>.yaml',
    });
    await keyFolder.write('release.key', Buffer.from('x'), { mode: 0o640 });
    expect(await one('key-files', { ...seeing(), keyFolder })).toMatchObject({
      state: 'problem',
      fix: 'chmod 600 /keys/release.key',
    });
  });

  test('which keys are missing, and what that means', async () => {
    const has = async (name: string) => name !== 'online';
    const { site } = await examineMainSite({ ...main.site, keys: { ...main.site.keys, has } }, seeing(), [], 1);
    expect(site.filter(({ check }) => check === 'keys')).toMatchObject([
      { state: 'ok', message: 'keys on this machine: release, document' },
      { state: 'warning', message: expect.stringContaining('there is no online key') },
    ]);
  });
});

describe('about a partner, a main site is told', () => {
  test('that the server refuses the login, and what the refusal advises', async () => {
    const refuse = async () => {
      throw new TieupError('TIEUP_E_HOST_KEY', 'another host key', { hint: 'ask by voice' });
    };
    expect(await one('login', { ...seeing(), look: refuse })).toMatchObject({
      state: 'problem',
      message: 'another host key',
      fix: 'ask by voice',
    });
  });

  test('that its login shares a user id with the partner, and nothing is left of the attempt', async () => {
    const before = await shop.snapshot();
    const shared = await one('confined', seeing({ tree: folderTree(shop.path('exchange')) }));
    expect(shared.state).toBe('warning');
    expect(shared.message).toContain('in the outbox and the exchange folder: it shares a user id');
    expect(await shop.snapshot()).toEqual(before);
  });

  test('that the inbox cannot be written', async () => {
    const tree = folderTree(shop.path('exchange'));
    const create = async () => {
      throw new TieupError('TIEUP_E_STORAGE', 'the server denies permission', { hint: 'check the owner' });
    };
    expect(await one('inbox-writable', seeing({ tree: { ...tree, create } }))).toMatchObject({
      state: 'problem',
      fix: 'check the owner',
    });
  });

  test('that a push is under way, without disturbing it', async () => {
    const until = '2026-11-23T12:30:00Z';
    await shop.write('exchange/inbox/lock', JSON.stringify({ who: 'ci@main', id: 'other', host: 'ci', pid: 7, until }));
    const before = await shop.snapshot();
    expect(await one('inbox-writable')).toMatchObject({
      state: 'warning',
      fix: expect.stringContaining('tieup unlock'),
    });
    expect(await shop.snapshot()).toEqual(before);
  });

  test.each([
    [-2_000, 'ok', 'agree'],
    [4 * 60_000, 'ok', 'agree'],
    [10 * 60_000, 'warning', '10 minutes ahead of ours'],
    [-10 * 60_000, 'warning', '10 minutes behind ours'],
    [-366 * 24 * 3_600_000, 'problem', 'behind ours'],
  ])('that the server’s clock is %i ms off: %s', async (skew, state, message) => {
    const clock = await one('clock', seeing({ tree: confined(folderTree(shop.path('exchange')), skew) }));
    expect(clock).toMatchObject({ state, message: expect.stringContaining(message) });
  });

  test('what its server cannot do', async () => {
    const ports = seeing({ server: { ...TRAITS, posixRename: false, fsync: false } });
    expect((await one('posix-rename', ports)).state).toBe('warning');
    const names = (await findings(ports)).map(({ check }) => check);
    expect(names).not.toContain('exclusive');
    expect((await one('fsync', ports)).state).toBe('warning');
    const without = seeing({ server: { ...TRAITS, refusesExclusive: true } });
    expect((await one('exclusive', without)).message).toContain('opens no files exclusively');
  });

  test('how little space is left, or that the server does not tell', async () => {
    expect(await one('space', seeing({ freeBytes: async () => 100 }))).toMatchObject({ state: 'problem' });
    expect(await one('space', seeing({ freeBytes: async () => 10e6 }))).toMatchObject({ state: 'warning' });
    expect(await one('space', seeing({ freeBytes: async () => undefined }))).toMatchObject({ state: 'ok' });
  });

  test('how much life its metadata has before it', async () => {
    main.clock.passDays(8);
    expect(await one('timestamp-expiry')).toMatchObject({ state: 'warning', fix: 'tieup refresh harbour, daily' });
    main.clock.passDays(400);
    expect((await one('timestamp-expiry')).state).toBe('problem');
    expect((await one('targets-expiry')).state).toBe('problem');
    expect((await one('root-expiry')).state).toBe('warning');
  });

  test('that the inbox was emptied after a push', async () => {
    await shop.remove('exchange/inbox');
    await mkdir(join(shop.folder, 'exchange/inbox'));
    expect(await one('metadata')).toMatchObject({ state: 'problem', fix: 'tieup push harbour' });
  });

  test('that it is suspended, and everything else as well', async () => {
    await suspend(main.site, 'harbour', { until: '2026-12-31', reason: undefined });
    expect(await one('contract')).toMatchObject({
      state: 'warning',
      fix: expect.stringContaining('tieup partner resume'),
    });
    expect((await one('login')).state).toBe('ok');
  });

  test('nothing but that it has ended, and its server is left alone', async () => {
    await end(main.site, 'harbour', 'harbour');
    const look = async () => {
      throw new Error('the server was asked');
    };
    const { partners } = await examineMainSite(main.site, { ...seeing(), look }, [], 1);
    expect(partners).toMatchObject([{ partner: 'harbour', findings: [{ check: 'contract', state: 'ok' }] }]);
  });
});

describe('where the main site publishes, it is told', () => {
  const SITE = 'site: { public: ../public, original: ../original, publish: link }';

  beforeEach(async () => {
    main = await mainFixture();
    shop = await main.join('harbour', { publish: 'link', partnership: `publisher: main\n${SITE}\n` });
    await main.pushed();
  });

  const published = async () =>
    (await findings()).filter(({ check }) => ['confined', 'web-root', 'original', 'ledger'].includes(check));

  test('that it can, and everything is left as it was', async () => {
    const before = await shop.snapshot();
    expect((await published()).map(({ check, state }) => [check, state])).toEqual([
      ['web-root', 'ok'],
      ['original', 'ok'],
      ['ledger', 'ok'],
    ]);
    expect(changedPaths(before, await shop.snapshot())).toEqual(['exchange/ledger']);
    await shop.accept();
    await main.push();
    expect((await one('web-root')).message).toContain('publication 1 is live');
  });

  test.each([
    ['web-root', 'public: ../public', 'public: ../elsewhere/public', 'there is no folder'],
    ['original', 'original: ../original', 'original: ../originals', 'there is no folder'],
    ['confined', `${SITE}\n`, '', 'does not say where its site is'],
  ])('that %s is wrong in the file of the partner', async (check, from, to, message) => {
    await main.editPartner('harbour', from, to);
    expect(await one(check)).toMatchObject({ state: 'problem', message: expect.stringContaining(message) });
  });

  test('that the web root is not what the way of publishing needs, or cannot be written', async () => {
    await mkdir(shop.path('public'));
    expect(await one('web-root')).toMatchObject({ state: 'problem', message: expect.stringContaining('real folder') });
    await main.editPartner('harbour', 'publish: link', 'publish: overwrite');
    expect((await one('web-root')).state).toBe('ok');
    const openSite: MainSite['openSite'] = async (theirs) => {
      const access = await main.site.openSite(theirs);
      const denied = () => Promise.reject(new TieupError('TIEUP_E_STORAGE', 'the server denies permission'));
      return { ...access, tree: (folder) => ({ ...access.tree(folder), create: denied }) };
    };
    const found = await one('web-root', seeing(), { ...main.site, openSite });
    expect(found).toMatchObject({ state: 'problem', message: expect.stringContaining('cannot write') });
  });

  test('that a publication was cut off, or that somebody publishes', async () => {
    await shop.write('exchange/ledger/journal.json', '{"kind":"stage","number":3}\n');
    expect(await one('ledger')).toMatchObject({ state: 'problem', fix: expect.stringContaining('tieup push harbour') });
    const lock = { who: 'another', id: 'a', host: 'b', pid: 1, until: '2026-11-23T12:30:00Z' };
    await shop.write('exchange/ledger/lock', JSON.stringify(lock));
    expect(await one('ledger')).toMatchObject({ state: 'warning', fix: expect.stringContaining('tieup unlock') });
  });
});
