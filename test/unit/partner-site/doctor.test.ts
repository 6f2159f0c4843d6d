import { mkdir, readFile, rm } from 'node:fs/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { TieupError } from '../../../src/errors.ts';
import { memoryTree } from '../../../src/io/memory-tree.ts';
import type { Machine, Permissions } from '../../../src/io/machine.ts';
import { examinePartnerSite } from '../../../src/partner-site/doctor.ts';
import { comeBack, leave } from '../../../src/partner-site/leave.ts';
import { rollback } from '../../../src/partner-site/rollback.ts';
import { renderPlainKey } from '../../../src/protocol/key-file.ts';
import type { Finding } from '../../../src/report/finding.ts';
import { seededKey } from '../../support/memory-keys.ts';
import type { OpenOptions, PartnerFixture } from '../../support/partner-fixture.ts';
import { type MainFixture, mainFixture, partnership } from '../../support/partnership-fixture.ts';

const PARTNER: Permissions = { uid: 1000, gid: 1000, isLink: false, mode: 0o755 };
const MAIN: Permissions = { uid: 2000, gid: 2000, isLink: false, mode: 0o755 };
const CRON = '*/15 * * * * cd /srv/shop && tieup accept --auto -q\n30 5 * * * cd /srv/shop && tieup verify -q\n';

let main: MainFixture;
let shop: PartnerFixture;
/** By path; a folder that is not named is the partner's. */
let owners: Record<string, Permissions | undefined>;

beforeEach(async () => {
  ({ main, shop } = await partnership());
  await shop.accept();
  owners = { 'exchange/inbox': MAIN, state: { ...PARTNER, mode: 0o700 } };
});

function machine(changes: Partial<Machine> = {}): Machine {
  return {
    nodeVersion: 'v20.20.2',
    uid: 1000,
    permissions: async (path) => (path in owners ? owners[path] : PARTNER),
    freeBytes: async () => 1e12,
    crontab: async () => CRON,
    fetch: async () => ({ status: 404, body: Buffer.from('not found') }),
    ...changes,
  };
}

async function findings(changes: Partial<Machine> = {}, options: OpenOptions = {}): Promise<readonly Finding[]> {
  const ports = { machine: machine(changes), keyFolder: memoryTree('/keys'), fetch: true };
  return examinePartnerSite(await shop.open(options), ports);
}

async function wrong(changes: Partial<Machine> = {}, options: OpenOptions = {}): Promise<readonly Finding[]> {
  return (await findings(changes, options)).filter(({ state }) => state !== 'ok');
}

describe('a partner site in order', () => {
  test('has nothing to mend, and is left as it was', async () => {
    const before = await shop.snapshot();
    expect(await wrong()).toEqual([]);
    expect((await findings()).map(({ check }) => check)).toEqual([
      'node',
      'keys',
      'inbox-owner',
      'owners',
      'web-root',
      'space',
      'root-expiry',
      'targets-expiry',
      'timestamp-expiry',
      'clock',
      'contract',
      'cron',
      'cron',
      'logs',
      'exposed',
    ]);
    expect(await shop.snapshot()).toEqual(before);
  });

  test('asks nobody on the network when it is told not to', async () => {
    const fetch = async () => {
      throw new Error('the network was asked');
    };
    const ports = { machine: machine({ fetch }), keyFolder: memoryTree('/keys'), fetch: false };
    expect((await examinePartnerSite(await shop.open(), ports)).some(({ check }) => check === 'exposed')).toBe(false);
  });
});

describe('about who may write where, a partner is told', () => {
  test('in plain words that it shares a user id with the main site', async () => {
    owners['exchange/inbox'] = PARTNER;
    expect(await wrong()).toMatchObject([
      { check: 'inbox-owner', state: 'warning', message: expect.stringContaining('cannot protect you against that') },
    ]);
  });

  test('that there is no inbox', async () => {
    owners['exchange/inbox'] = undefined;
    expect(await wrong()).toMatchObject([{ check: 'inbox-owner', state: 'problem' }]);
  });

  test.each([
    ['belongs to the main site’s login', 'exchange/outbox', MAIN, 'chown <you> exchange/outbox'],
    ['can be written by everybody', 'state', { ...PARTNER, mode: 0o777 }, 'chmod o-w state'],
    ['can be written by the login’s group', 'exchange', { ...PARTNER, gid: 2000, mode: 0o775 }, 'chmod g-w exchange'],
    ['is the folder of tieup.yaml and everybody’s', '.', { ...PARTNER, mode: 0o757 }, 'chmod o-w .'],
  ])('which folder %s', async (_what, path, permissions, fix) => {
    owners[path] = permissions;
    expect(await wrong()).toContainEqual(expect.objectContaining({ check: 'owners', state: 'problem', fix }));
  });

  test('nothing about a link, whose bits mean nothing', async () => {
    owners['public'] = { ...PARTNER, isLink: true, mode: 0o777 };
    expect(await wrong()).toEqual([]);
  });

  test('that others can look into the state', async () => {
    owners['state'] = { ...PARTNER, mode: 0o711 };
    expect(await wrong()).toMatchObject([{ check: 'state', state: 'warning', fix: 'chmod 700 state' }]);
  });
});

describe('about its keys, a partner is told', () => {
  test('that the accept key has no password, and who else can read it', async () => {
    const keyFolder = memoryTree('/keys');
    const pem = renderPlainKey(seededKey('harbour', 'accept'));
    await keyFolder.write('accept.key', Buffer.from(pem), { mode: 0o644 });
    const found = await examinePartnerSite(await shop.open(), { machine: machine(), keyFolder, fetch: false });
    expect(found.filter(({ state }) => state === 'problem')).toMatchObject([
      { check: 'keys', message: expect.stringContaining('no password') },
      { check: 'key-files', fix: 'chmod 600 /keys/accept.key' },
    ]);
  });

  test('what a missing key means', async () => {
    const keys = { ...shop.keys, has: async (name: string) => name === 'log' };
    expect(await wrong({}, { keys })).toMatchObject([
      { check: 'keys', state: 'warning', message: expect.stringContaining('accept key') },
      { check: 'keys', state: 'problem', message: expect.stringContaining('site key') },
    ]);
  });
});

describe('about what it publishes, a partner is told', () => {
  test('that the web root is a folder where a link is needed', async () => {
    await rm(shop.path('public'));
    await mkdir(shop.path('public'));
    expect(await wrong()).toMatchObject([
      { check: 'web-root', state: 'problem', fix: expect.stringContaining('publish: link needs a link') },
    ]);
  });

  test('that the folder of its own pages is gone', async () => {
    await shop.remove('original');
    expect(await wrong()).toMatchObject([{ check: 'original', state: 'problem' }]);
  });

  test('how little space is left', async () => {
    expect(await wrong({ freeBytes: async () => 10 })).toMatchObject([{ check: 'space', state: 'problem' }]);
    expect(await wrong({ freeBytes: async () => 10e6 })).toMatchObject([{ check: 'space', state: 'warning' }]);
    expect(await wrong({ freeBytes: async () => undefined })).toEqual([]);
  });

  test('that an earlier release is held, and that the partnership was left', async () => {
    await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\nNew roast\n');
    await main.pushed();
    await shop.accept();
    await rollback(await shop.open(), undefined);
    expect(await wrong()).toMatchObject([{ check: 'held', state: 'warning', fix: 'tieup resume' }]);
    const yes = { reason: null, choices: {}, confirm: async () => true, choose: async () => undefined };
    await leave(await shop.open(), yes);
    expect(await wrong()).toMatchObject([{ check: 'contract', fix: 'to come back: tieup leave --undo' }]);
    await comeBack(await shop.open());
    expect(await wrong()).toEqual([]);
  });
});

describe('about time, a partner is told', () => {
  test('what is about to expire, and who can help', async () => {
    main.clock.passDays(8);
    expect(await wrong()).toMatchObject([
      { check: 'timestamp-expiry', state: 'warning', fix: expect.stringContaining('ask it') },
    ]);
    main.clock.passDays(30);
    expect(await wrong()).toMatchObject([{ check: 'timestamp-expiry', state: 'problem' }]);
  });

  test('that its clock is behind what the main site signed', async () => {
    main.clock.passDays(-365);
    expect(await wrong()).toContainEqual(
      expect.objectContaining({
        check: 'clock',
        state: 'problem',
        message: expect.stringContaining('8760 hours behind'),
      }),
    );
  });

  test('that the contract is over', async () => {
    ({ main, shop } = await partnership({ partnership: '  until: "2026-12-01"\n' }));
    expect((await wrong()).filter(({ check }) => check === 'contract')).toMatchObject([{ state: 'warning' }]);
    main.clock.passDays(9);
    expect((await wrong()).filter(({ check }) => check === 'contract')).toMatchObject([{ state: 'problem' }]);
  });

  test('before its first release that none was looked at', async () => {
    ({ main, shop } = await partnership());
    expect(await wrong()).toEqual([]);
  });

  test('that its trusted root is gone', async () => {
    await shop.remove('state/tuf');
    await shop.remove('state/root.json');
    expect(await wrong()).toContainEqual(expect.objectContaining({ check: 'root-expiry', state: 'problem' }));
  });
});

describe('about cron, a partner is told', () => {
  test('which line is missing', async () => {
    const comment = CRON.replace('30 5', '# 30 5');
    expect(await wrong({ crontab: async () => comment })).toMatchObject([
      {
        check: 'cron',
        state: 'warning',
        fix: expect.stringMatching(
          /crontab -e: {2}30 5 .*cd \/.* && \{ out=\$\(tieup verify --quiet\) \|\| echo "\$out"; \}/,
        ),
      },
    ]);
    const without = await wrong({ crontab: async () => undefined });
    expect(without.map(({ message }) => message)).toEqual([
      'there is no cron on this machine that runs tieup accept --auto, which tells you what waits',
      'there is no cron on this machine that runs tieup verify, which finds pages that somebody changed',
    ]);
  });

  test('that a policy is wanted by tieup.yaml and signed by nobody', async () => {
    const config = { auto: { allow: 'content' } } as const;
    const found = await wrong({}, { config });
    expect(found).toMatchObject([{ check: 'policy', state: 'warning', fix: 'tieup accept --sign-policy' }]);
  });
});

describe('about its web server, a partner is told', () => {
  /** A web server that serves the folder of the site as a whole. */
  const careless = async (url: string) => {
    const { pathname } = new URL(url);
    const site = await shop.open();
    const body = await site.files.read(pathname.slice(1), 1e6).catch(() => undefined);
    return body === undefined ? { status: 404, body: Buffer.from('') } : { status: 200, body };
  };

  test('that it gives away the exchange, the state and tieup.yaml', async () => {
    const found = await wrong({ fetch: careless });
    expect(found.map(({ check, state }) => [check, state])).toEqual([
      ['exposed', 'problem'],
      ['exposed', 'problem'],
      ['exposed', 'problem'],
    ]);
    expect(found[0]?.message).toContain('https://harbour.example/exchange/inbox/metadata/timestamp.json');
  });

  test('nothing when it answers everything with a page of its own', async () => {
    const fetch = async () => ({ status: 200, body: Buffer.from('<!doctype html>welcome') });
    expect(await wrong({ fetch })).toEqual([]);
  });

  test('that it could not be asked', async () => {
    const fetch = async (url: string) => {
      throw new TieupError('TIEUP_E_CONNECTION', `${url} gives no answer`);
    };
    expect(await wrong({ fetch })).toMatchObject([{ check: 'exposed', state: 'warning' }]);
  });
});

describe('where the main site publishes, a partner is told', () => {
  const publisher = async () => (await findings()).filter(({ check }) => check === 'publisher');

  beforeEach(async () => {
    main = await mainFixture();
    shop = await main.join('harbour', {
      publish: 'overwrite',
      inPlace: true,
      partnership: 'publisher: main\nsite: { public: ../public }\n',
    });
    await main.pushed();
  });

  test('that it does', async () => {
    expect(await publisher()).toMatchObject([{ state: 'ok', message: expect.stringContaining('has not yet') }]);
    await shop.accept();
    await main.push();
    expect(await publisher()).toMatchObject([{ state: 'ok', message: expect.stringContaining('was decided on here') }]);
  });

  test('that it was cut off, or says that something else is live', async () => {
    await shop.accept();
    await main.push();
    const path = 'exchange/ledger/publications/1.json';
    const text = await readFile(shop.path(path), 'utf8');
    await shop.write(path, text.replace('"number":1,"digest":"', '"number":4,"digest":"'));
    expect(await publisher()).toMatchObject([{ state: 'problem', fix: 'tieup verify' }]);
    await shop.write('exchange/ledger/journal.json', '{"kind":"stage","number":2}\n');
    expect(await publisher()).toMatchObject([{ state: 'problem', fix: expect.stringContaining('tieup push') }]);
  });
});
