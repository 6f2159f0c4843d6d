import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { TieupError } from '../../../src/errors.ts';
import { commitLogs } from '../../../src/partner-site/commit-logs.ts';
import { exportLogs } from '../../../src/partner-site/export-logs.ts';
import { accept } from '../../../src/partner-site/accept.ts';
import { withhold } from '../../../src/partner-site/merge.ts';
import { ownPathOf } from '../../../src/protocol/log-record.ts';
import { saying } from '../../support/partner-fixture.ts';
import { rollback } from '../../../src/partner-site/rollback.ts';
import { showLogs } from '../../../src/partner-site/show-logs.ts';
import type { PartnerSite } from '../../../src/partner-site/partner-site.ts';
import { renderExport } from '../../../src/protocol/log-export.ts';
import type { LogRecord } from '../../../src/protocol/log-record.ts';
import { changesOf, killedAt } from '../../support/killed.ts';
import type { PartnerFixture } from '../../support/partner-fixture.ts';
import { partnership } from '../../support/partnership-fixture.ts';
import { disclosed, exported, hit, serve, withLogs } from '../../support/shop-logs.ts';

const commit = async (shop: PartnerFixture, more = {}) =>
  commitLogs(await shop.open({ config: withLogs(more) }), { acceptGap: false });
const exportAll = async (shop: PartnerFixture, more = {}) =>
  exportLogs(await shop.open({ config: withLogs(more) }), { acceptGap: false, disclose: {} });
const publish = async (shop: PartnerFixture) => shop.accept(await shop.open({ config: withLogs() }));

/** A switch has the number of the line before it. */
const inOrder = (a: LogRecord, b: LogRecord) => a.seq - b.seq || Number(a.class === 'S') - Number(b.class === 'S');

describe('exporting access logs', () => {
  test('hands out the hits on tie-up pages, and counts the others', async () => {
    const { shop } = await partnership();
    await publish(shop);
    serve(shop, hit('/with-main/'), hit('/with-main/assets/style.css'), hit('/about/us.html'), 'no line of a log\n');
    const { statement } = await exportAll(shop);

    expect(statement?.lines).toEqual({ T: 2, O: 1, X: 1, S: 1, G: 0 });
    expect(statement && renderExport(statement)).toBe(renderExport(await exported(shop)));
    const records = await disclosed(shop, 'T');
    expect(records.map(({ class: kind, page, path, seq }) => [kind, page, path, seq])).toEqual([
      ['S', '', expect.stringMatching(/^[0-9a-f]{64}$/), 0],
      ['T', 'with-main/index.html', '/with-main/', 1],
      ['T', '', '/with-main/assets/style.css', 2],
    ]);
    expect(records[1]).toMatchObject({
      host: 'harbour.example',
      ip: '203.0.113.0',
      referrer: 'https://search.example',
      visitor: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    expect(await disclosed(shop, 'O')).toEqual([]);
    expect((await exported(shop)).O).toMatchObject({ size: 2, disclosed: 'part' });
  });

  test('of a server with several sites counts what is asked of this one, whatever hosts visitors make up', async () => {
    const { shop } = await partnership();
    await publish(shop);
    const at = (host: string, path = '/with-main/') => `${host} ${hit(path)}`;
    serve(
      shop,
      ...['harbour.example:443', 'WWW.Harbour.Example', 'harbour.example.:80', '-', 'old.example:80'].map((host) =>
        at(host),
      ),
      ...['evil.example:80', 'harbour.example.evil.example:80', 'xharbour.example:80'].map((host) => at(host)),
      at('harbour.example:80', 'http://evil.example/with-main/'),
      at('-', 'http://evil.example/with-main/'),
      at('-', 'http://harbour.example@evil.example/with-main/'),
      at('evil.example:80', '/own.html'),
    );
    const format = '%{Host}i %h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"';
    const more = { sources: [{ files: 'log/access.log*', format }], hosts: ['old.example'] };
    const { statement, committed } = await exportAll(shop, more);
    expect(statement?.lines).toMatchObject({ T: 6, O: 6, X: 0 });
    expect(committed.counts.lines).toBe(12);
    const { records } = await showLogs(await shop.open({ config: withLogs(more) }), {
      commit: false,
      disclose: { O: { kind: 'whole' } },
      limit: 20,
    });
    expect(records.filter(({ class: kind }) => kind === 'O').map(({ host }) => host)).toContain('evil.example');
    expect(records.map(({ host }) => host)).not.toContain('harbour.example@evil.example');
  });

  test('counts nothing of a source whose host is another site', async () => {
    const { shop } = await partnership();
    await publish(shop);
    serve(shop, hit('/with-main/'));
    const of = async (host: string) =>
      (await exportAll(shop, { sources: [{ files: 'log/access.log*', host }], hosts: [] })).statement?.lines;
    expect(await of('blog.harbour.example')).toMatchObject({ T: 0, O: 1 });
    serve(shop, hit('/with-main/'));
    expect(await of('www.harbour.example')).toMatchObject({ T: 1, O: 1 });
  });

  test.each(['original folder', 'web root'])(
    'counts pages that the manager keeps, withholds or has beside tie-up pages as its own, and says so: in the %s',
    async (where) => {
      const inPlace = where === 'web root';
      const originals = { 'with-main/story.html': 'mine', 'with-main/index/index.html': 'mine', 'about.html': 'mine' };
      const { shop } = await partnership({ publish: 'overwrite', inPlace, originals });
      const open = () => shop.open({ config: withLogs() });
      await accept(await open(), { answering: saying(true), choices: { 'with-main/story.html': 'keep-mine' } });
      serve(shop, hit('/with-main/story.html'), hit('/with-main/story'), hit('/with-main/index/'), hit('/with-main/'));
      const { statement } = await exportAll(shop);
      expect(statement?.lines).toMatchObject({ T: 1, O: 3, S: 2 });
      const own = async () => (await disclosed(shop, 'T')).flatMap((record) => ownPathOf(record) ?? []);
      expect(await own()).toEqual(['with-main/story.html']);

      await withhold(await open(), { page: 'with-main/assets/style.css', undo: false });
      serve(shop, hit('/with-main/assets/style.css', { status: 404 }));
      expect((await exportAll(shop)).statement?.lines).toMatchObject({ T: 1, O: 4, S: 5 });
      expect(await own()).toEqual(['with-main/story.html', 'with-main/assets/style.css', 'with-main/story.html']);
    },
  );

  test('of a site below a path counts what lies below that path', async () => {
    const { shop } = await partnership();
    await publish(shop);
    serve(shop, hit('/blog/with-main/'), hit('/with-main/'));
    const config = { ...withLogs(), url: 'https://harbour.example/blog/' };
    const { statement } = await exportLogs(await shop.open({ config }), { acceptGap: false, disclose: {} });
    expect(statement?.lines).toMatchObject({ T: 1, O: 1 });
    expect((await disclosed(shop, 'T')).at(-1)).toMatchObject({
      path: '/blog/with-main/',
      page: 'with-main/index.html',
    });
  });

  test('waits for a commit that is under way as long as it is told to, and no longer', async () => {
    const { shop } = await partnership();
    await publish(shop);
    serve(shop, hit('/with-main/'));
    const site = await shop.open({ config: withLogs() });
    let tries = 0;
    const busyFor = (minutes: number): PartnerSite => {
      const end = site.clock.now().getTime() + minutes * 60_000;
      return {
        ...site,
        lockLogs: async () => {
          tries += 1;
          if (site.clock.now().getTime() < end) throw new TieupError('TIEUP_E_LOCKED', 'another tieup is at the logs');
          return site.lockLogs();
        },
      };
    };
    const request = { acceptGap: false, disclose: {} };
    await expect(exportLogs(busyFor(1), request)).rejects.toMatchObject({ code: 'TIEUP_E_LOCKED' });
    expect(tries).toBe(1);
    await expect(exportLogs(busyFor(9), { ...request, waitMinutes: 5 })).rejects.toMatchObject({
      code: 'TIEUP_E_LOCKED',
    });
    const { statement } = await exportLogs(busyFor(9), { ...request, waitMinutes: 30 });
    expect(statement?.lines.T).toBe(1);
  });

  test('a second time says nothing new, and writes nothing', async () => {
    const { shop } = await partnership();
    await publish(shop);
    serve(shop, hit('/with-main/'));
    await exportAll(shop);
    const before = await shop.snapshot();
    expect((await exportAll(shop)).statement).toBeUndefined();
    expect(await shop.snapshot()).toEqual(before);
  });

  test.each([
    ['is gone', (path: string) => rmSync(path)],
    ['has another byte', (path: string) => writeFileSync(path, readFileSync(path).fill(7, 20, 21))],
    ['has grown', (path: string) => writeFileSync(path, 'more', { flag: 'a' })],
    ['was cut off', (path: string) => truncateSync(path, 30)],
  ])('hands out again what it has exported when the file %s', async (_, spoil) => {
    const { shop } = await partnership();
    await publish(shop);
    serve(shop, hit('/with-main/'));
    await exportAll(shop);
    const before = await exported(shop);
    const path = shop.path(`exchange/outbox/logs/${before.T.file?.digest}.part.gz`);
    const bytes = readFileSync(path);
    spoil(path);
    expect((await exportAll(shop)).statement).toMatchObject({ seq: 2, T: { file: before.T.file } });
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect((await exportAll(shop)).statement).toBeUndefined();
  });

  test('goes on where it was, and keeps no file that nobody needs', async () => {
    const { shop } = await partnership();
    await publish(shop);
    serve(shop, hit('/with-main/'));
    await commit(shop);
    serve(shop, hit('/with-main/story.html'));
    const { statement } = await exportAll(shop);
    expect(statement).toMatchObject({ seq: 1, previous: null, lines: { T: 2 } });
    serve(shop, hit('/with-main/visit.html'));
    expect((await exportAll(shop)).statement).toMatchObject({ seq: 2, lines: { T: 3 } });
    expect((await disclosed(shop, 'T')).map(({ page }) => page)).toEqual([
      '',
      'with-main/index.html',
      'with-main/story.html',
      'with-main/visit.html',
    ]);
    const parts = readdirSync(shop.path('exchange/outbox/logs')).filter((name) => name.endsWith('.part.gz'));
    const { T, O } = await exported(shop);
    expect(parts).toEqual([T, O].flatMap(({ file }) => (file === null ? [] : `${file.digest}.part.gz`)));
  });

  test('the order of the log decides which release a hit met, not the clock', async () => {
    const { main, shop } = await partnership();
    await publish(shop);
    serve(shop, hit('/with-main/news.html', { status: 404 }));
    await main.write('pages/news.md', '---\ntitle: News\n---\n\n# News\n');
    await main.pushed();
    await publish(shop);
    serve(shop, hit('/with-main/news.html'));
    await rollback(await shop.open({ config: withLogs() }), undefined);
    serve(shop, hit('/with-main/news.html', { status: 404 }), hit('/with-main/'));
    await exportAll(shop, { export: { O: 'whole' } });
    const all = [...(await disclosed(shop, 'T')), ...(await disclosed(shop, 'O'))];
    expect(all.toSorted(inOrder).map(({ class: kind, path }) => (kind === 'S' ? 'S' : `${kind} ${path}`))).toEqual([
      'S',
      'O /with-main/news.html',
      'S',
      'T /with-main/news.html',
      'S',
      'O /with-main/news.html',
      'T /with-main/',
    ]);
  });
});

test('a process that is killed at any step loses no line and counts none twice', { timeout: 300_000 }, async () => {
  const { shop } = await partnership();
  await publish(shop);
  serve(shop, hit('/with-main/'), hit('/'));
  await exportAll(shop);
  serve(shop, hit('/with-main/story.html'), 'no line of a log\n', hit('/with-main/visit.html'));
  const options = { config: withLogs({ export: { O: 'whole' } }) };
  const work = (site: PartnerSite) => exportLogs(site, { acceptGap: false, disclose: {} });
  const steps = await changesOf(shop, work, options);
  expect(steps.length).toBeGreaterThan(20);
  for (const step of steps.keys()) {
    const killed = await killedAt(shop, work, step + 1, options);
    await work(await killed.open(options));
    const { lines } = await exported(killed);
    expect([steps[step], lines]).toEqual([steps[step], { T: 3, O: 1, X: 1, S: 1, G: 0 }]);
    const all = [...(await disclosed(killed, 'T')), ...(await disclosed(killed, 'O'))].toSorted(inOrder);
    expect([steps[step], ...all.map(({ seq, path }) => `${seq} ${path.slice(0, 20)}`)]).toEqual([
      steps[step],
      expect.stringMatching(/^0 [0-9a-f]{20}$/),
      '1 /with-main/',
      '2 /',
      '3 /with-main/story.htm',
      '4 xx xxxx xx x xxx',
      '5 /with-main/visit.htm',
    ]);
  }
});
