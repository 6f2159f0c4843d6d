/** Access logs on their way from a web server's file to a pinned, cosigned and imported record, over OpenSSH's sshd. */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { folderTree } from '../../src/io/folder-tree.ts';
import type { FileTree } from '../../src/io/file-tree.ts';
import { connectSftp } from '../../src/io/sftp-connection.ts';
import { sftpTree } from '../../src/io/sftp-tree.ts';
import { pullLogs } from '../../src/main-site/pull-logs.ts';
import { cuttingProxy } from '../support/cutting-proxy.ts';
import { embeddedSftp } from '../support/embedded-sftp.ts';
import { freePort } from '../support/free-port.ts';
import { type Claim, forge, liveSwitch, ownHits, tieUpHits } from '../support/forged-export.ts';
import { type JoinedSites, joinedSites } from '../support/joined-sites.ts';
import type { PartnerFixture } from '../support/partner-fixture.ts';
import { type MainFixture, partnership } from '../support/partnership-fixture.ts';
import { knowRelease, pullOne } from '../support/pulled.ts';
import { realPart } from '../support/real-parts.ts';
import { script } from '../support/script.ts';
import { startSshd } from '../support/sshd.ts';

const LONG = { timeout: 240_000 };
const sshdPath = realPart('sshd');
const LINE = (path: string, second: number) =>
  `203.0.113.7 - - [23/Nov/2026:12:00:${String(second).padStart(2, '0')} +0000] "GET ${path} HTTP/1.1" 200 512 "-" "Mozilla/5.0"\n`;

describe.skipIf(sshdPath === undefined)('a partner and a main site', () => {
  let sites: JoinedSites;
  beforeAll(async () => {
    const joined = await joinedSites();
    if (joined === undefined) throw new Error('there is no sshd');
    sites = joined;
  });
  afterAll(() => sites.dispose());

  test('agree on what the access logs say, and anybody can check it', LONG, async () => {
    const { main, shop } = sites;
    shop.write('tieup.yaml', `${shop.read('tieup.yaml')}\nlogs:\n  sources:\n    - files: access.log\n`);
    await main.done(['push']);
    const waiting = await shop.json('site-status', ['status']);
    const digest = String({ ...Object(waiting['waiting']) }.releaseDigest);
    shop.write('access.log', LINE('/before', 1));
    await shop.json('accept', ['accept', '--yes', digest]);
    const mount = '/with-northwind-coffee/';
    shop.write(
      'access.log',
      [LINE('/before', 1), LINE(mount, 2), LINE('/about/', 3), LINE(`${mount}index.html`, 4)].join(''),
    );
    expect(await main.run(['logs', 'pull'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('nothing exported yet'),
    });

    await shop.done(['logs', 'export']);
    const outbox = readdirSync(shop.path('exchange/outbox'), { recursive: true });
    const pulled = await main.json('logs-pull', ['logs', 'pull']);
    expect(pulled['partners']).toMatchObject([
      {
        partner: 'harbour',
        result: 'pulled',
        pins: { epoch: 1, T: { size: 3 }, O: { size: 2 }, lines: { T: 2, O: 2, X: 0, S: 1, G: 0 } },
        added: { T: 3, O: 2 },
        newEpoch: null,
        findings: [],
        imported: { kind: 'imported', records: 3 },
      },
    ]);
    // The login can write its answers, and nothing of the partner's.
    expect(readdirSync(shop.path('exchange/outbox'), { recursive: true })).toEqual(outbox);
    expect(readdirSync(shop.path('exchange/inbox/logs')).toSorted()).toEqual([
      'O.cosigned',
      'T.cosigned',
      'demand.note',
    ]);
    expect(statSync(shop.path('exchange/inbox/logs/T.cosigned')).uid).toBe(statSync(shop.path('exchange/inbox')).uid);
    expect(
      readdirSync(main.path('.tieup/hits'), { recursive: true, encoding: 'utf8' }).filter(
        (path) => path.endsWith('.parquet') && path.includes('day=2026-11-23'),
      ),
    ).toEqual(['partner=harbour/day=2026-11-23/log=T/1-0-3.parquet']);
    expect((await main.json('logs-pull', ['logs', 'pull']))['partners']).toMatchObject([{ result: 'unchanged' }]);

    // Anybody who has the file and the key, without a site folder and without a network.
    const stranger = await script();
    const kept = main.path('.tieup/logs/harbour/1/T/0-3.part.gz');
    const key = /^ +log: (\S+)$/m.exec(main.read('partners/harbour.yaml'))?.[1] ?? '';
    const verified = await stranger.run(['logs', 'verify', kept, '--key', key]);
    expect(verified).toMatchObject({ exitCode: 0, stderr: '' });
    expect(verified.stdout).toContain('✓ unaltered: log T of harbour (harbour.example, epoch 1)');
    expect(verified.stdout).toContain('3 shown: 2 hits on tie-up pages, 1 live switch');
    expect(verified.stdout).toContain('0 only counted');
    const other = await stranger.run([
      'logs',
      'verify',
      main.path('.tieup/logs/harbour/1/O/0-2.part.gz'),
      '--key',
      key,
    ]);
    expect(other.stdout).toContain('2 only counted: their content stays with the partner');
    await stranger.write('harbour.vkey', `${key}\n`);
    const proof = await stranger.run(['logs', 'prove', kept, '--line', '2', '--key', 'harbour.vkey']);
    expect(proof).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^c2sp\.org\/tlog-proof@v1\n/) });
    await stranger.write('line-2.proof', proof.stdout);
    const proved = await stranger.run(['logs', 'verify', 'line-2.proof', '--key', 'harbour.vkey']);
    expect(proved).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('line 2 of the access log') });
    await stranger.write('line-2.proof', proof.stdout.replace('index 1', 'index 0'));
    expect(await stranger.run(['logs', 'verify', 'line-2.proof', '--key', 'harbour.vkey'])).toMatchObject({
      exitCode: 5,
    });
    // Without a key it says what is missing; both sites know the key themselves.
    expect(await stranger.run(['logs', 'verify', kept])).toMatchObject({
      exitCode: 64,
      stderr: expect.stringContaining('--key'),
    });
    expect(await stranger.run(['logs', 'prove', kept, '--key', key])).toMatchObject({ exitCode: 64 });
    expect((await main.json('logs-verify', ['logs', 'verify', kept]))['kind']).toBe('part');
    expect((await shop.json('logs-verify', ['logs', 'verify', kept]))['kind']).toBe('part');
    expect(
      await main.json('logs-prove', ['logs', 'prove', kept, '--record', '0', '--out', 'switch.proof']),
    ).toMatchObject({ out: 'switch.proof' });
    expect((await main.json('logs-verify', ['logs', 'verify', 'switch.proof']))['record']).toMatchObject({
      class: 'S',
    });

    // A byte that changed on the partner's disk is found, and the evidence kept.
    shop.write('access.log', `${shop.read('access.log')}${LINE('/with-northwind-coffee/', 5)}`);
    await shop.done(['logs', 'export']);
    const folder = shop.path('exchange/outbox/logs');
    const [part = ''] = readdirSync(folder).filter((name) => /^[0-9a-f]{64}\.part\.gz$/.test(name));
    const whole = readFileSync(join(folder, part), 'latin1');
    const bytes = Buffer.from(whole, 'latin1');
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await folderTree(folder).write(part, bytes);
    const { exitCode, stderr } = await main.run(['logs', 'pull']);
    expect(exitCode).toBe(5);
    expect(stderr).toContain('not those that were signed');
    expect(stderr).toContain('.tieup/logs/harbour/evidence/');
    await folderTree(folder).write(part, Buffer.from(whole, 'latin1'));
    expect((await main.json('logs-pull', ['logs', 'pull']))['partners']).toMatchObject([
      { result: 'pulled', added: { T: 1 } },
    ]);
  });

  test('that fails does not hold up the others', LONG, async () => {
    const { main, sshd } = sites;
    const ghost = main
      .read('partners/harbour.yaml')
      .replace(/^id: .*$/m, 'id: ghost')
      .replace(`:${sshd.port}/`, `:${await freePort()}/`);
    main.write('partners/ghost.yaml', ghost);
    try {
      const { exitCode, stdout, stderr } = await main.run(['logs', 'pull']);
      expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: expect.stringContaining('ghost') });
      expect(stdout).toContain('harbour: nothing');
      expect(stderr).toContain('ghost: ');
      expect(stderr).toContain('tieup logs pull ghost');
      expect((await main.run(['logs', 'pull', 'ghost'])).exitCode).toBe(1);
    } finally {
      rmSync(main.path('partners/ghost.yaml'));
    }
  });
});

const RELEASE = 'ab'.repeat(32);
const claim: Claim = { T: [liveSwitch(0, RELEASE), ...tieUpHits(40)], O: ownHits(20, 41) };

interface Scene {
  readonly main: MainFixture;
  readonly shop: PartnerFixture;
}

async function scene(): Promise<Scene> {
  const { main, shop } = await partnership();
  await knowRelease(main, RELEASE);
  await forge(shop, { claim, discloses: (log) => log === 'T' });
  return { main, shop };
}

/** Pulls over `connect`, which breaks somewhere; then, once the server is `idle`, again over a line that holds. */
async function broken(
  { main, shop }: Scene,
  pid: number,
  connect: () => Promise<FileTree>,
  idle = async (): Promise<void> => {},
): Promise<string> {
  rmSync(join(main.folder, '.tieup/logs'), { recursive: true, force: true });
  rmSync(shop.path('exchange/inbox/logs'), { recursive: true, force: true });
  const owner = { who: `process ${pid}`, id: `${pid}`, host: 'main', pid };
  const site = { ...main.site, owner, isAlive: (other: number) => other === pid };
  const imported = main.hits.files.size;
  const [result] = await pullLogs({ ...site, connect }, [], 2);
  await idle();
  const after = await pullOne(main, { ...site, owner: { ...owner, id: `${pid} again` } });
  expect(after).toMatchObject({ pins: { T: { size: 41 }, O: { size: 20 } }, findings: [], audit: { shown: 0 } });
  const cosigned = (log: string) => readFileSync(shop.path(`exchange/inbox/logs/${log}.cosigned`), 'utf8');
  for (const log of ['T', 'O']) {
    expect(cosigned(log)).toBe(readFileSync(join(main.folder, `.tieup/logs/harbour/${log}.cosigned`), 'utf8'));
  }
  expect([...main.hits.files.values()].map((lines) => lines.length)).toEqual([41]);
  expect(main.hits.open()).toBe(0);
  expect(main.hits.files.size).toBeGreaterThanOrEqual(imported);
  expect(readdirSync(shop.path('exchange/inbox/logs')).toSorted()).toEqual(['O.cosigned', 'T.cosigned', 'demand.note']);
  return result?.kind === 'failed' ? result.error.code : (result?.kind ?? 'nobody');
}

describe('a pull whose line breaks', () => {
  test('at any request loses nothing and counts nothing twice', LONG, async () => {
    const played = await scene();
    const root = played.shop.path('exchange');
    const requests: string[] = [];
    const over = async (faults: NonNullable<Parameters<typeof embeddedSftp>[0]>['faults'], pid: number) => {
      let server: Awaited<ReturnType<typeof embeddedSftp>> | undefined;
      try {
        return await broken(played, pid, async () => {
          server = await embeddedSftp({ root, ...(faults === undefined ? {} : { faults }) });
          return sftpTree(await server.connect(), '/');
        });
      } finally {
        await server?.server.close();
      }
    };
    expect(await over({ onRequest: (_, name) => void requests.push(name) }, 10)).toBe('pulled');
    expect(requests.length).toBeGreaterThan(30);
    const outcomes: string[] = [];
    for (let request = 1; request <= requests.length; request += 1) {
      outcomes.push(await over({ dropAtRequest: request }, 10 + request));
    }
    // A CLOSE that nobody waits for may be the last request.
    expect(new Set(outcomes.slice(0, -2))).toEqual(new Set(['TIEUP_E_CONNECTION']));
  });

  test.skipIf(sshdPath === undefined)('at any byte to OpenSSH does neither', LONG, async () => {
    const played = await scene();
    const sshd = await startSshd(sshdPath ?? '');
    try {
      const over = async (cutAfter: number, pid: number) => {
        const proxy = await cuttingProxy(sshd.port, cutAfter);
        try {
          const outcome = await broken(
            played,
            pid,
            async () => {
              const connection = await connectSftp({
                address: { user: sshd.user, host: '127.0.0.1', port: proxy.port, path: '~' },
                hostKeys: [sshd.hostKeyLine],
                auth: { kind: 'key', privateKey: sshd.key.privateKey },
                timeoutMs: 20_000,
              });
              return sftpTree(connection, played.shop.path('exchange'));
            },
            sshd.idle,
          );
          return { outcome, sent: proxy.sent() };
        } finally {
          await proxy.close();
        }
      };
      const { outcome, sent } = await over(Number.POSITIVE_INFINITY, 10);
      expect(outcome).toBe('pulled');
      const outcomes: string[] = [];
      for (let cut = 1; cut <= 20; cut += 1)
        outcomes.push((await over(Math.floor((sent * cut) / 21), 10 + cut)).outcome);
      expect(new Set(outcomes)).toEqual(new Set(['TIEUP_E_CONNECTION']));
    } finally {
      await sshd.dispose();
    }
  });
});
