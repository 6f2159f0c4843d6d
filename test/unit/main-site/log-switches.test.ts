import { describe, expect, test } from 'vitest';
import type { MainSite } from '../../../src/main-site/main-site.ts';
import { exportLogs } from '../../../src/partner-site/export-logs.ts';
import { leave } from '../../../src/partner-site/leave.ts';
import { demandedIndexes } from '../../../src/protocol/log-demand.ts';
import type { LogRecord } from '../../../src/protocol/log-record.ts';
import { hit } from '../../support/exported-log.ts';
import { answerDemand, demandOf, forge, liveSwitch, ownHits, tieUpHits } from '../../support/forged-export.ts';
import type { PartnerFixture } from '../../support/partner-fixture.ts';
import { changePages, type MainFixture, partnership } from '../../support/partnership-fixture.ts';
import { type Pulled, pullOne } from '../../support/pulled.ts';
import { hit as line, serve, withLogs } from '../../support/shop-logs.ts';

const UNKNOWN = 'cd'.repeat(32);
const EARLY = '2026-11-23T11:00:00Z';
const kinds = ({ findings }: Pulled): readonly string[] => findings.map(({ kind }) => kind);
const hoursLater = (main: MainFixture, hours: number): MainSite => ({
  ...main.site,
  clock: { ...main.site.clock, now: () => new Date(Date.parse('2026-11-23T12:00:00Z') + hours * 60 * 60 * 1000) },
});

/** Two releases of a partner that has accepted the first. */
async function accepted() {
  const { main, shop } = await partnership({ partnership: 'logs:\n  audit: 1000\n' });
  await shop.accept();
  const first = (await main.pushedBefore()).releaseDigest;
  return { main, shop, first };
}

/** An export of the first release and one hit, pulled; `next` makes the one after it. */
async function pulledOnce() {
  const all = await accepted();
  const { main, shop, first } = all;
  const T = [liveSwitch(0, first), hit(1)];
  const { digest } = await forge(shop, { claim: { T, O: [] } });
  expect(kinds(await pullOne(main))).toEqual([]);
  const next = (more: readonly LogRecord[], O: readonly LogRecord[] = [], time = '2026-11-24T00:00:00Z') =>
    forge(shop, { claim: { T: [...T, ...more], O }, from: { T: 2, O: 0 }, seq: 2, previous: digest, time });
  return { ...all, next };
}

describe('live switches in log T', () => {
  test('name a release that is known here', async () => {
    const { main, next, first } = await pulledOnce();
    await next([liveSwitch(1, UNKNOWN), liveSwitch(2, first), ...tieUpHits(1, 3)]);
    expect((await pullOne(main)).findings).toMatchObject([
      { kind: 'switch-unknown', records: [2], message: expect.stringContaining(UNKNOWN.slice(0, 12)) },
    ]);
  });

  test('end with what the receipt says is live', async () => {
    const { main, next } = await pulledOnce();
    await next([liveSwitch(1, UNKNOWN), hit(2)]);
    expect(kinds(await pullOne(main))).toEqual(['switch-unknown', 'switch-missing']);
  });

  test('end with it also when the partner writes early times into its exports', async () => {
    const { main, shop, next } = await pulledOnce();
    await changePages(main);
    await main.pushed();
    await shop.accept();
    // The receipt is seen beside the old export, and two hours later again.
    for (const hours of [0, 2]) expect(kinds(await pullOne(main, hoursLater(main, hours)))).toEqual([]);
    await next([hit(2)], [], EARLY);
    expect(kinds(await pullOne(main, hoursLater(main, 3)))).toEqual(['clock', 'switch-missing']);
  });

  test('are not missed in an export that may be older than the receipt', async () => {
    const { main, shop, next } = await pulledOnce();
    await changePages(main);
    await main.pushed();
    await shop.accept();
    await next([hit(2)], [], '2026-11-23T12:00:00Z');
    expect(kinds(await pullOne(main, hoursLater(main, 2)))).toEqual(['clock']);
  });

  test('leave no time in which nothing was live while visits went on', async () => {
    const { main, next, first } = await pulledOnce();
    await next([liveSwitch(1, null), liveSwitch(3, first), hit(4)], ownHits(2, 2));
    expect((await pullOne(main)).findings).toMatchObject([{ kind: 'nothing-live', records: [2] }]);
    expect(kinds(await pullOne(main))).toEqual([]);
  });

  test('may do so where no line was written, as between the logs of two hosts', async () => {
    const { main, next, first } = await pulledOnce();
    await next([liveSwitch(1, null), liveSwitch(1, first), hit(4)]);
    expect(kinds(await pullOne(main))).toEqual([]);
  });

  test('decide nothing when they say that nothing was live: hits on pages that were there before are found', async () => {
    const { main, shop, first } = await accepted();
    const path = '/with-main/story.html';
    const O = [...ownHits(1, 2, { path }), ...ownHits(1, 3, { path, status: 404 }), ...ownHits(1, 4)];
    const claim = { T: [liveSwitch(0, first), hit(1), liveSwitch(1, null), liveSwitch(4, first), hit(5)], O };
    const { digest } = await forge(shop, { claim, discloses: (log) => log === 'T' });
    await pullOne(main);
    const discloses = (index: number, demanded: readonly number[]) => demanded.includes(index);
    await answerDemand(shop, { records: O, discloses, demanded: demandedIndexes(demandOf(shop)) });
    await forge(shop, { claim, from: { T: 5, O: 3 }, seq: 2, previous: digest });
    expect((await pullOne(main)).findings).toMatchObject([
      { kind: 'tie-up-as-original', records: [0], message: expect.stringContaining('no tie-up page was live') },
    ]);
  });
});

describe('the switches of an honest partner', () => {
  const config = withLogs();
  const exportNow = async (main: MainFixture, shop: PartnerFixture) => {
    main.clock.passDays(1);
    await exportLogs(await shop.open({ config }), { acceptGap: false, disclose: {} });
  };

  async function trading() {
    const { main, shop } = await partnership({ partnership: 'logs:\n  audit: 0\n' });
    await shop.accept(await shop.open({ config }));
    serve(shop, line('/with-main/'));
    await exportNow(main, shop);
    expect(kinds(await pullOne(main))).toEqual([]);
    return { main, shop };
  }

  test('are not missed while no line came after them', async () => {
    const { main, shop } = await trading();
    await changePages(main);
    await main.pushed();
    await shop.accept(await shop.open({ config }));
    expect(kinds(await pullOne(main))).toEqual([]);
    for (const visits of [[], [line('/with-main/events.html')]]) {
      if (visits.length > 0) serve(shop, ...visits);
      await exportNow(main, shop);
      expect(await pullOne(main)).toMatchObject({ kind: 'pulled', findings: [] });
    }
  });

  test('say that nothing is live once it has left', async () => {
    const { main, shop } = await trading();
    const choose = async () => undefined;
    await leave(await shop.open({ config }), { reason: null, choices: {}, choose, confirm: async () => true });
    serve(shop, line('/about/us.html'));
    await exportNow(main, shop);
    expect(await pullOne(main)).toMatchObject({ kind: 'pulled', findings: [] });
    serve(shop, line('/'));
    await exportNow(main, shop);
    expect(await pullOne(main)).toMatchObject({ kind: 'pulled', findings: [] });
  });

  test('are complete where a second log begins before the first of them', async () => {
    const { main, shop } = await partnership({ partnership: 'logs:\n  audit: 0\n' });
    const two = withLogs({ sources: [{ files: 'log/access.log*' }, { files: 'log/second.log*' }] });
    const open = () => shop.open({ config: two });
    await shop.write('log/second.log', line('/'));
    await shop.accept(await open());
    serve(shop, line('/with-main/'));
    for (const visit of ['/with-main/story.html', '/about/us.html']) {
      main.clock.passDays(1);
      await exportLogs(await open(), { acceptGap: false, disclose: {} });
      expect(await pullOne(main)).toMatchObject({ kind: 'pulled', findings: [] });
      serve(shop, line(visit));
    }
  });
});
