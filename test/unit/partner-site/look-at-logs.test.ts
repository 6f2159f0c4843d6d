import { statSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { memoryTree } from '../../../src/io/memory-tree.ts';
import type { Machine } from '../../../src/io/machine.ts';
import { compileFilter } from '../../../src/logs/record-filter.ts';
import { commitLogs } from '../../../src/partner-site/commit-logs.ts';
import { detectLog, filesPattern } from '../../../src/partner-site/detect-log.ts';
import { examinePartnerSite } from '../../../src/partner-site/doctor.ts';
import { exportLogs } from '../../../src/partner-site/export-logs.ts';
import { showLogs } from '../../../src/partner-site/show-logs.ts';
import { status } from '../../../src/partner-site/status.ts';
import type { PartnerFixture } from '../../support/partner-fixture.ts';
import { partnership } from '../../support/partnership-fixture.ts';
import { changedPaths } from '../../support/snapshot.ts';
import { disclosed, hit, serve, withLogs } from '../../support/shop-logs.ts';

const options = { config: withLogs() };

async function trading() {
  const { main, shop } = await partnership();
  await shop.accept(await shop.open(options));
  serve(shop, hit('/with-main/'), hit('/with-main/gone.html', { status: 404 }), hit('/own.html'), 'no line\n');
  return { main, shop };
}

describe('looking at what would leave', () => {
  test('shows the very records that the next export discloses', async () => {
    const { shop } = await trading();
    const shown = await showLogs(await shop.open(options), { commit: true, disclose: {}, limit: 10 });
    await exportLogs(await shop.open(options), { acceptGap: false, disclose: {} });
    expect(shown.records).toEqual(await disclosed(shop, 'T'));
    expect(shown.logs).toEqual({
      T: { cosigned: 0, leaving: 2, counted: 0 },
      O: { cosigned: 0, leaving: 0, counted: 3 },
    });
  });

  test('the same for a filter, which counts what it withholds', async () => {
    const { shop } = await trading();
    const disclose = {
      O: { kind: 'records', isWanted: compileFilter({ only: ['status=404'], from: undefined, to: undefined }) },
    } as const;
    const shown = await showLogs(await shop.open(options), { commit: true, disclose, limit: 10 });
    await exportLogs(await shop.open(options), { acceptGap: false, disclose });
    expect(shown.records.filter(({ class: kind }) => kind === 'O')).toEqual(await disclosed(shop, 'O'));
    expect(shown.logs.O).toEqual({ cosigned: 0, leaving: 1, counted: 2 });
  });

  test('a mistyped filter is refused, and one that chooses little says so', async () => {
    const filter = (only: readonly string[], from?: string, to?: string) => compileFilter({ only, from, to });
    for (const typo of ['status=4O4', 'status!=40', 'status~4x', 'status=', 'class=t', 'class~TO', 'class=Y']) {
      expect(() => filter([typo])).toThrow(expect.objectContaining({ code: 'TIEUP_E_USAGE' }));
    }
    expect(() => filter([], '2026-01-01', '2020-01-01')).toThrow('nothing lies between');
    for (const fine of ['status=404', 'status~4', 'class!=X', 'path=', 'method~GE']) filter([fine]);
    filter([], '2026-11-23', '2026-11-23');

    const { shop } = await trading();
    const disclose = { T: { kind: 'records', isWanted: filter(['status=404']) } } as const;
    const { chosen } = await exportLogs(await shop.open(options), { acceptGap: false, disclose });
    expect(chosen).toEqual({ T: 0 });
    const O = { kind: 'records', isWanted: filter(['path=/own.html']) } as const;
    expect((await exportLogs(await shop.open(options), { acceptGap: false, disclose: { O } })).chosen).toEqual({
      O: 1,
    });
    expect((await exportLogs(await shop.open(options), { acceptGap: false, disclose: {} })).chosen).toEqual({});
  });

  test('reads nothing new unless it is told to, and gives no more than asked for', async () => {
    const { shop } = await trading();
    expect((await showLogs(await shop.open(options), { commit: false, disclose: {}, limit: 10 })).records).toEqual([]);
    const shown = await showLogs(await shop.open(options), { commit: true, disclose: {}, limit: 1 });
    expect(shown.records).toHaveLength(1);
    expect(shown.logs.T.leaving).toBe(2);
  });
});

describe('the status of a site that reads access logs', () => {
  const logs = async (shop: PartnerFixture, config = {}) => (await status(await shop.open(config))).logs;

  test('says when they were read, and how much of them is kept', async () => {
    const { main, shop } = await trading();
    expect(await logs(shop)).toBeUndefined();
    expect(await logs(shop, options)).toEqual({ readAt: null, lines: 0, disk: { files: 0, bytes: 0 } });
    const before = await shop.snapshot();
    const { counts } = await commitLogs(await shop.open(options), { acceptGap: false });
    const kept = changedPaths(before, await shop.snapshot()).filter((path) => /\.(?:hashes|seg)$/.test(path));
    const bytes = kept.reduce((sum, path) => sum + statSync(shop.path(path)).size, 0);
    const readAt = main.clock.now().toISOString().replace('.000Z', 'Z');
    const disk = { files: kept.length, bytes };
    expect(await logs(shop, options)).toEqual({ readAt, lines: counts.lines, disk });
  });
});

describe('naming the format of a log', () => {
  test.each(['access.log', 'access.log.1.gz'])('says how the lines of %s are read', async (name) => {
    const { shop } = await trading();
    const text = `${hit('/a?b=1')}${hit('/c')}`;
    writeFileSync(shop.path(`log/${name}`), name.endsWith('.gz') ? gzipSync(text) : text);
    const { logFiles } = await shop.open();
    const found = await detectLog(logFiles, `log/${name}`, undefined);
    expect(found).toMatchObject({ lines: 2, read: 2, format: { name: 'combined' } });
    expect(found.examples[0]?.fields.get('path')).toBe('/a');
    expect(found.examples[0]?.fields.get('ip')).toBe('203.0.113.7');
  });

  test.each([
    ['/var/log/nginx/access.log', '/var/log/nginx/access.log*'],
    ['/var/log/nginx/access.log.1', '/var/log/nginx/access.log*'],
    ['/var/log/nginx/access.log.14.gz', '/var/log/nginx/access.log*'],
    ['/var/log/httpd/access_log-20261123', '/var/log/httpd/access_log*'],
    ['/var/log/httpd/access_log-20261123.gz', '/var/log/httpd/access_log*'],
    ['/var/log/httpd/access_log.2026-11-23', '/var/log/httpd/access_log*'],
    ['/logs/u_ex261123.log', '/logs/u_ex*.log*'],
    ['/logs/hits.txt', '/logs/hits.txt'],
  ])('of %s, names that log with its rotated files: %s', (path, pattern) => {
    expect(filesPattern(path)).toBe(pattern);
  });

  test('refuses what is compressed in a way that it cannot read, and says what to do', async () => {
    const { shop } = await trading();
    writeFileSync(shop.path('log/access.log.2.bz2'), 'BZh91AY&SY');
    const { logFiles } = await shop.open();
    await expect(detectLog(logFiles, 'log/access.log.2.bz2', undefined)).rejects.toMatchObject({
      code: 'TIEUP_E_STORAGE',
      hint: expect.stringContaining('gzip'),
    });
  });

  test('refuses what is no log, what is empty, and what is not there', async () => {
    const { shop } = await trading();
    writeFileSync(shop.path('log/poem.txt'), 'a line\nanother line\n');
    writeFileSync(shop.path('log/empty.txt'), '');
    const { logFiles } = await shop.open();
    for (const [name, code] of [
      ['poem.txt', 'TIEUP_E_CONTENT'],
      ['empty.txt', 'TIEUP_E_NOT_FOUND'],
      ['nothing.txt', 'TIEUP_E_NOT_FOUND'],
    ] as const) {
      await expect(detectLog(logFiles, `log/${name}`, undefined)).rejects.toMatchObject({ code });
    }
  });
});

describe('trying a format on a log', () => {
  const TRIED =
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent $request_time "$http_user_agent"';

  const TEXT = hit('/a');

  test.each([
    ['reads no line', TRIED, [TEXT, hit('/b')], 0, 'duration', TEXT],
    ['reads fewer than half', 'combined', [TEXT, 'a\n', 'b\n'], 1, '%h', 'a'],
    [
      'finds a time that is none',
      'combined',
      [TEXT.replace('/Nov/', '/Nox/')],
      0,
      'time',
      TEXT.replace('/Nov/', '/Nox/'),
    ],
  ])('refuses one that %s, and says where the first line stops to fit', async (_, format, lines, read, at, failed) => {
    const { shop } = await trading();
    writeFileSync(shop.path('log/tried.log'), lines.join(''));
    const { logFiles } = await shop.open();
    await expect(detectLog(logFiles, 'log/tried.log', format)).rejects.toMatchObject({
      code: 'TIEUP_E_CONTENT',
      message: expect.stringContaining(`reads ${read} of the first ${lines.length} lines of `),
      hint: `the first line that does not fit at ${at}: ${failed.trimEnd()}`,
    });
  });

  test('takes one that reads half of the lines, and shows the first that it does not read', async () => {
    const { shop } = await trading();
    writeFileSync(shop.path('log/tried.log'), `${hit('/a')}no line\n`);
    const { logFiles } = await shop.open();
    const found = await detectLog(logFiles, 'log/tried.log', 'combined');
    expect(found).toMatchObject({ read: 1, lines: 2, failed: { line: 'no line', at: '%l' }, caution: undefined });
  });

  test('warns of nginx that escapes nothing, as doctor does, and not of nginx that does', async () => {
    const { shop } = await trading();
    const line = '{"t":"2026-11-23T22:00:00+00:00","u":"/a"}\n';
    writeFileSync(shop.path('log/tried.log'), line);
    const { logFiles } = await shop.open();
    const spec = (how: string) => `log_format j escape=${how} '{"t":"$time_iso8601","u":"$request_uri"}'`;
    expect((await detectLog(logFiles, 'log/tried.log', spec('none'))).caution).toContain('escape=none');
    expect((await detectLog(logFiles, 'log/tried.log', spec('json'))).caution).toBeUndefined();
    writeFileSync(shop.path('log/tried.log'), '{"time":"2026-11-23T22:00:00+00:00","request_uri":"/a"}\n');
    expect((await detectLog(logFiles, 'log/tried.log', undefined)).caution).toContain('escape=json');
    writeFileSync(shop.path('log/tried.log'), '23/Nov/2026:22:00:00 +0000 agent /a\n');
    const open = await detectLog(logFiles, 'log/tried.log', '$time_local $http_user_agent $request_uri');
    expect(open.caution).toContain('$http_user_agent stands in the format without quotes');
  });

  test('says of JSON why a line is not read', async () => {
    const { shop } = await trading();
    const line = '{"time":"2026-11-23T22:00:00+00:00","request_uri":"/a","status":200,"status":404}';
    writeFileSync(shop.path('log/tried.log'), `${line}\n`);
    const { logFiles } = await shop.open();
    await expect(detectLog(logFiles, 'log/tried.log', 'nginx-json')).rejects.toMatchObject({
      hint: `the first line that does not fit at a name that is there twice: ${line}`,
    });
  });
});

describe('doctor on access logs', () => {
  const CRON =
    '*/15 * * * * tieup accept --auto\n30 5 * * * tieup verify\n*/5 * * * * tieup logs commit\n10 4 * * * tieup logs export\n';
  const machine = (crontab: string): Machine => ({
    nodeVersion: 'v20.20.2',
    uid: undefined,
    permissions: async () => ({ uid: 1, gid: 1, isLink: false, mode: 0o700 }),
    freeBytes: async () => 1e12,
    crontab: async () => crontab,
    fetch: async () => ({ status: 404, body: new Uint8Array() }),
  });
  const wrong = async (shop: PartnerFixture, more = {}, crontab = CRON) => {
    const ports = { machine: machine(crontab), keyFolder: memoryTree('/keys'), fetch: false };
    const found = await examinePartnerSite(await shop.open({ config: withLogs(more) }), ports);
    return found.filter(({ check, state }) => check.startsWith('logs') && state !== 'ok');
  };
  const commit = async (shop: PartnerFixture) => commitLogs(await shop.open(options), { acceptGap: false });

  test('finds nothing where they are read, and handed over by cron', async () => {
    const { shop } = await trading();
    await commit(shop);
    expect(await wrong(shop)).toEqual([]);
  });

  test('finds the host by which most visitors know the site, when tieup.yaml does not know it', async () => {
    const { shop } = await trading();
    const more = { sources: [{ files: 'log/access.log*', format: 'vhost-combined' }] };
    const read = async () => commitLogs(await shop.open({ config: withLogs(more) }), { acceptGap: false });
    const at = (host: string) => `${host}:443 ${hit('/with-main/')}`;
    writeFileSync(shop.path('log/access.log'), [at('harbour.example'), at('evil.example')].join(''));
    await read();
    expect(await wrong(shop, more)).toEqual([]);
    serve(shop, at('web7.hoster.example'), at('web7.hoster.example'));
    await read();
    expect(await wrong(shop, more)).toMatchObject([
      {
        check: 'logs-hosts',
        state: 'warning',
        message: expect.stringContaining('2 requests for tie-up pages name the host "web7.hoster.example"'),
        fix: expect.stringContaining('hosts: ["web7.hoster.example"]'),
      },
    ]);
  });

  test('finds a format in which visitors can write what they want', async () => {
    const { shop } = await trading();
    await commit(shop);
    const format = `log_format j escape=none '$remote_addr [$time_local] "$request" $status'`;
    expect(await wrong(shop, { sources: [{ files: 'log/access.log*', format }] })).toMatchObject([
      { check: 'logs-format', state: 'warning', fix: expect.stringContaining('escape=json') },
    ]);
  });

  test('finds logs that are not there, were never read, or are not read any more', async () => {
    const { main, shop } = await trading();
    expect(await wrong(shop)).toMatchObject([{ check: 'logs-commit', state: 'warning' }]);
    expect(await wrong(shop, { sources: [{ files: 'log/none.log' }] })).toContainEqual(
      expect.objectContaining({ check: 'logs-readable', state: 'problem' }),
    );
    await commit(shop);
    main.clock.passDays(3);
    expect(await wrong(shop, {}, '')).toMatchObject([
      { check: 'logs-salts', state: 'problem', message: expect.stringContaining('2026-11-23') },
      { check: 'logs-commit', state: 'problem', message: expect.stringContaining('3 days') },
      { check: 'logs-cron', state: 'warning' },
      { check: 'logs-cron', state: 'warning' },
    ]);
    await commit(shop);
    expect(await wrong(shop)).toEqual([]);
  });

  test('finds records that were not handed over for days, whatever the crontab says', async () => {
    const { main, shop } = await trading();
    const handedOver = async () => exportLogs(await shop.open(options), { acceptGap: false, disclose: {} });
    await handedOver();
    main.clock.passDays(3);
    await commit(shop);
    expect(await wrong(shop)).toEqual([]);
    serve(shop, hit('/own.html'));
    await commit(shop);
    expect(await wrong(shop)).toMatchObject([
      {
        check: 'logs-export',
        state: 'problem',
        message: expect.stringContaining('1 record was not handed over'),
      },
    ]);
    await handedOver();
    expect(await wrong(shop)).toEqual([]);
  });

  test('finds that many lines cannot be read', async () => {
    const { shop } = await trading();
    serve(shop, ...Array.from({ length: 100 }, () => 'no line\n'));
    await commit(shop);
    expect(await wrong(shop)).toMatchObject([
      { check: 'logs-unreadable', message: '101 of 104 lines could not be read' },
    ]);
  });
});
