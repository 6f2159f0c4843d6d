import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { demandedIndexes } from '../../../src/protocol/log-demand.ts';
import { type LogRecord, ownPathRecord } from '../../../src/protocol/log-record.ts';
import { hit } from '../../support/exported-log.ts';
import {
  answerDemand,
  type Claim,
  demandOf,
  type ForgedAnswer,
  forge,
  liveSwitch,
  ownHits,
  tieUpHits,
  unreadable,
} from '../../support/forged-export.ts';
import { disclosed, exported, hit as line, serve, withLogs } from '../../support/shop-logs.ts';
import { exportLogs } from '../../../src/partner-site/export-logs.ts';
import { withhold } from '../../../src/partner-site/merge.ts';
import { newEpoch } from '../../../src/partner-site/new-epoch.ts';
import { type MainFixture, partnership } from '../../support/partnership-fixture.ts';
import { pullOne } from '../../support/pulled.ts';

const readable = '203.0.113.0 - - [23/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 512 "-" "Mozilla/5.0"';
const EXACTLY: ForgedAnswer['discloses'] = (index, demanded) => demanded.includes(index);

/** A partner that shows log T, and only counts log O, in which `O` is; the demand for all of it is in its inbox. */
async function counted(O: readonly LogRecord[], audit = 1000, T?: readonly LogRecord[], more = '') {
  const { main, shop } = await partnership({ partnership: `logs:\n  audit: ${audit}\n${more}` });
  const { releaseDigest } = await main.pushedBefore();
  const claim: Claim = { T: T ?? [liveSwitch(0, releaseDigest), ...tieUpHits(3)], O };
  const first = await forge(shop, { claim, discloses: (log) => log === 'T' });
  const pulled = await pullOne(main);
  const next = (seq: number, previous: string) =>
    forge(shop, { claim, from: { T: claim.T.length, O: claim.O.length }, seq, previous });
  return { main, shop, claim, first, pulled, next, releaseDigest };
}

async function answered(O: readonly LogRecord[], changes: Partial<ForgedAnswer> = {}, more = '') {
  const all = await counted(O, 1000, undefined, more);
  const { main, shop, first, next } = all;
  const demanded = demandedIndexes(demandOf(shop));
  await answerDemand(shop, { records: O, discloses: EXACTLY, demanded, ...changes });
  await next(2, first.digest);
  return { ...all, demanded, after: await pullOne(main) };
}

const kept = (main: MainFixture): readonly { kind: string }[] =>
  JSON.parse(readFileSync(`${main.folder}/.tieup/logs/harbour/findings.json`, 'utf8'));

describe('an audit of what was only counted', () => {
  test('demands records at places that nobody could know before, and only when there are new ones', async () => {
    const { main, shop, pulled, claim, first, releaseDigest } = await counted(ownHits(500, 4), 20);
    const demand = demandOf(shop);
    expect(demand).toMatchObject({ partner: 'harbour', epoch: 1, tree: { size: 500 }, count: 20 });
    expect(pulled.audit).toEqual({ shown: 0, demanded: demandedIndexes(demand).length, unjudged: [] });
    expect(await pullOne(main)).toMatchObject({ kind: 'unchanged' });
    expect(demandOf(shop)).toEqual(demand);

    const O = claim.O;
    await answerDemand(shop, { records: O, discloses: EXACTLY, demanded: demandedIndexes(demand) });
    const T = [...claim.T, hit(600)];
    const second = await forge(shop, { claim: { T, O }, from: { T: 4, O: 500 }, seq: 2, previous: first.digest });
    expect((await pullOne(main)).audit).toMatchObject({ shown: demandedIndexes(demand).length, demanded: 0 });
    expect(demandOf(shop)).toEqual(demand);

    const grown = { T, O: [...O, ...ownHits(10, 601)] };
    await forge(shop, {
      claim: grown,
      from: { T: 5, O: 500 },
      seq: 3,
      previous: second.digest,
      discloses: () => false,
    });
    await pullOne(main);
    expect(demandOf(shop)).toMatchObject({ tree: { size: 510 }, from: 500 });
    expect(Math.min(...demandedIndexes(demandOf(shop)))).toBeGreaterThanOrEqual(500);
    expect(demandOf(shop).nonce).not.toBe(demand.nonce);
    expect(releaseDigest).toMatch(/^[0-9a-f]{64}$/);
  });

  test('finds nothing when all is as it was counted, and keeps the answer', async () => {
    const O = [...ownHits(40, 4), unreadable(60, '\\x16\\x03\\x01'), unreadable(61, '#Fields: date time')];
    const { main, after, demanded } = await answered(O);
    expect(after).toMatchObject({ kind: 'pulled', findings: [] });
    expect(after.audit).toMatchObject({ shown: demanded.length, demanded: 0, unjudged: [] });
    const audits = `${main.folder}/.tieup/logs/harbour/1/audits`;
    const [demand = ''] = readdirSync(audits);
    expect(readdirSync(`${audits}/${demand}`).toSorted()).toEqual(['answer.note', 'answer.part.gz', 'demand.note']);
  });

  test.each([
    ['as it is linked', '/with-main/story.html'],
    ['with doubled slashes', '//with-main//story.html'],
    ['percent-encoded', '/with%2Dmain/st%6Fry.html'],
    ['through a folder that is left again', '/about/../with-main/story.html'],
    ['without its ending', '/with-main/story'],
  ])('finds a hit on a tie-up page that was counted as one of its own, %s', async (_, path) => {
    const { main, after } = await answered([...ownHits(3, 4), ...ownHits(1, 7, { path })]);
    expect(after.findings).toMatchObject([{ kind: 'tie-up-as-original', epoch: 1, records: [3] }]);
    expect(after.findings[0]?.message).toContain('with-main/story.html');
    expect(kept(main)).toHaveLength(1);
    // Told once, kept for good.
    expect((await pullOne(main)).findings).toEqual([]);
    expect(kept(main)).toHaveLength(1);
  });

  test('finds assets of tie-up pages too, and hits that are said to have met no page; not what is elsewhere', async () => {
    const { after } = await answered([
      ...ownHits(1, 4, { path: '/with-main/assets/style.css' }),
      ...ownHits(1, 5, { path: '/with-main/story.html', status: 404 }),
      ...ownHits(1, 6, { path: '/with-main-street/story.html' }),
      ...ownHits(1, 7, { path: '/with-main/no-such-page.html', status: 404 }),
    ]);
    expect(after.findings).toMatchObject([
      { kind: 'tie-up-as-original', records: [0] },
      { kind: 'tie-up-as-original', records: [1] },
    ]);
  });

  test('finds nothing at an honest partner that withholds a page and is asked for it', async () => {
    const { main, shop } = await partnership({ partnership: 'logs:\n  audit: 1000\n' });
    const config = withLogs();
    const exportNow = async () => {
      main.clock.passDays(1);
      await exportLogs(await shop.open({ config }), { acceptGap: false, disclose: {} });
    };
    await shop.accept(await shop.open({ config }));
    await withhold(await shop.open({ config }), { page: 'story', undo: false });
    serve(
      shop,
      line('/with-main/story.html', { status: 404 }),
      line('/with-main/'),
      line('/with-main/none', { status: 404 }),
    );
    await exportNow();
    await pullOne(main);
    await exportNow();
    expect(await pullOne(main)).toMatchObject({ audit: { shown: 2 }, findings: [] });
  });

  test.each(['harbour.example', 'HARBOUR.example:443', 'www.harbour.example.', ''])(
    'finds it at the host %j, which is the site',
    async (host) => {
      const { after } = await answered(ownHits(1, 4, { path: '/with-main/story.html', host }));
      expect(after.findings).toMatchObject([{ kind: 'tie-up-as-original', records: [0] }]);
    },
  );

  test('leaves it to people where the host is another one, unless the partnership names it', async () => {
    const O = ownHits(1, 4, { path: '/with-main/story.html', host: 'harbour-old.example' });
    const { after } = await answered(O);
    expect(after.findings).toEqual([]);
    expect(after.audit.unjudged).toEqual([
      'line 4: asks for with-main/story.html at "harbour-old.example", which is no host of this partner by its partnership',
    ]);
    const named = await answered(O, {}, '  hosts: [harbour-old.example]\n');
    expect(named.after.findings).toMatchObject([{ kind: 'tie-up-as-original', records: [0] }]);
  });

  test('judges a hit by the release that was live at that line, not by a later one', async () => {
    const path = '/with-main/story.html';
    const O = [...ownHits(1, 1, { path }), ...ownHits(1, 3, { path }), ...ownHits(1, 5, { path, status: 404 })];
    const { main, shop } = await partnership({ partnership: 'logs:\n  audit: 1000\n' });
    const { releaseDigest } = await main.pushedBefore();
    const claim: Claim = { T: [liveSwitch(1, releaseDigest), hit(2), liveSwitch(4, null)], O };
    const first = await forge(shop, { claim, discloses: (log) => log === 'T' });
    await pullOne(main);
    await answerDemand(shop, { records: O, discloses: EXACTLY, demanded: demandedIndexes(demandOf(shop)) });
    await forge(shop, { claim, from: { T: 3, O: 3 }, seq: 2, previous: first.digest });
    expect((await pullOne(main)).findings).toMatchObject([{ kind: 'tie-up-as-original', records: [1] }]);
  });

  test("takes hits for the partner's own where it said beforehand that it has a page of its own, and tells people of it", async () => {
    const O = [
      ...ownHits(1, 1, { path: '/with-main/story.html' }),
      ...ownHits(1, 3, { path: '/with-main/story' }),
      ...ownHits(1, 5, { path: '/with-main/story.html' }),
    ];
    const { main, shop } = await partnership({ partnership: 'logs:\n  audit: 1000\n' });
    const { releaseDigest } = await main.pushedBefore();
    const own = ownPathRecord(2, '2026-11-23T12:00:00Z', 'with-main/story.html');
    const T = [liveSwitch(0, releaseDigest), liveSwitch(2, releaseDigest), own, liveSwitch(4, releaseDigest)];
    const claim: Claim = { T, O };
    const first = await forge(shop, { claim, discloses: (log) => log === 'T' });
    expect((await pullOne(main)).findings).toMatchObject([
      { kind: 'left-out', message: expect.stringContaining('"with-main/story.html" count as the partner\'s own') },
    ]);
    await answerDemand(shop, { records: O, discloses: EXACTLY, demanded: demandedIndexes(demandOf(shop)) });
    await forge(shop, { claim, from: { T: T.length, O: 3 }, seq: 2, previous: first.digest });
    expect((await pullOne(main)).findings).toMatchObject([
      { kind: 'tie-up-as-original', records: [0] },
      { kind: 'tie-up-as-original', records: [2] },
    ]);
  });

  test('says what it cannot judge, when this machine never had that release', async () => {
    const O = ownHits(2, 4, { path: '/with-main/story.html' });
    const { main, shop, first, next } = await counted(O, 1000, [liveSwitch(0, 'cd'.repeat(32)), ...tieUpHits(3)]);
    await answerDemand(shop, { records: O, discloses: EXACTLY, demanded: demandedIndexes(demandOf(shop)) });
    await next(2, first.digest);
    const { findings, audit } = await pullOne(main);
    expect(findings).toEqual([]);
    expect(audit.unjudged.length).toBeGreaterThan(0);
  });

  test('finds a line that was counted as unreadable, and reads well', async () => {
    const { after } = await answered([...ownHits(3, 4), unreadable(7, readable)]);
    expect(after.findings).toMatchObject([{ kind: 'readable-as-unreadable', records: [3] }]);
    expect(after.findings[0]?.message).toContain('combined');
  });

  test.each<[string, Partial<ForgedAnswer>, string]>([
    ['hides one of the demanded records', { discloses: (index, [first]) => index !== first }, 'does not show 1 of'],
    ['shows none', { discloses: () => false }, 'does not show'],
  ])('takes an answer for none that %s', async (_, changes, why) => {
    const { main, after, first, next } = await answered(ownHits(30, 4), changes);
    expect(after.findings).toMatchObject([{ kind: 'wrong-answer', message: expect.stringContaining(why) }]);
    expect(after.audit.shown).toBe(0);
    expect(existsSync(`${main.folder}/.tieup/logs/harbour/1/audits`)).toBe(false);
    const second = await next(2, first.digest);
    await next(3, second.digest);
    expect((await pullOne(main)).findings).toMatchObject([{ kind: 'unanswered' }]);
  });

  test('takes an answer for none that shows more than was demanded', async () => {
    const { main, shop, first, next } = await counted(ownHits(300, 4), 5);
    const demanded = demandedIndexes(demandOf(shop));
    const other = [0, 1, 2, 3, 4, 5].find((index) => !demanded.includes(index));
    const discloses = (index: number) => index === other || demanded.includes(index);
    await answerDemand(shop, { records: ownHits(300, 4), discloses, demanded });
    await next(2, first.digest);
    expect((await pullOne(main)).findings).toMatchObject([
      { kind: 'wrong-answer', message: expect.stringContaining('not demanded') },
    ]);
  });

  test('takes an answer for none whose records are not those that were cosigned', async () => {
    const { after } = await answered(ownHits(30, 4), { records: ownHits(30, 4, { status: 404 }) });
    expect(after.findings).toMatchObject([
      { kind: 'wrong-answer', message: expect.stringContaining('is not the one of 30 that was stated') },
    ]);
  });

  test('waits for one export, and notes after a second one that nothing was shown', async () => {
    const { main, shop, first, next } = await counted(ownHits(30, 4));
    const demand = demandOf(shop);
    const second = await next(2, first.digest);
    expect((await pullOne(main)).findings).toEqual([]);
    await answerDemand(shop, { records: ownHits(30, 4), discloses: EXACTLY, demanded: [], demand: 'ab'.repeat(32) });
    await next(3, second.digest);
    expect((await pullOne(main)).findings).toMatchObject([{ kind: 'unanswered', records: demandedIndexes(demand) }]);
  });

  test('is over in no way when it was interrupted before the demand was shown', async () => {
    const { main, shop } = await counted(ownHits(30, 4));
    const demand = demandOf(shop);
    await shop.remove('exchange/inbox/logs/demand.note');
    await pullOne(main);
    expect(demandOf(shop)).toEqual(demand);
  });
});

describe('findings without a demand', () => {
  test('more unreadable lines than agreed', async () => {
    const { main, shop } = await partnership({ partnership: 'logs:\n  maxUnreadablePercent: 2.5\n' });
    const lines = (X: number) => Array.from({ length: X }, (_, at) => unreadable(200 + at, '?'));
    const first = await forge(shop, { claim: { T: [], O: [...ownHits(97, 1), ...lines(3)] } });
    expect((await pullOne(main)).findings).toEqual([]);
    const claim = {
      T: [],
      O: [...ownHits(97, 1), ...lines(3), ...ownHits(96, 300), ...lines(4).map((r) => ({ ...r, seq: r.seq + 300 }))],
    };
    await forge(shop, { claim, from: { T: 0, O: 100 }, seq: 2, previous: first.digest });
    expect((await pullOne(main)).findings).toMatchObject([{ kind: 'too-many-unreadable' }]);
  });

  test('records of tie-up pages that are only counted: they cannot be billed', async () => {
    const { main, shop } = await partnership();
    await forge(shop, { claim: { T: tieUpHits(9), O: [] }, discloses: (_, index) => index !== 4 });
    expect((await pullOne(main)).findings).toMatchObject([{ kind: 'tie-up-withheld' }]);
  });

  test('a release that is live by the receipt, and of which log T says nothing', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    await forge(shop, { claim: { T: tieUpHits(2), O: [] } });
    expect((await pullOne(main)).findings).toMatchObject([{ kind: 'switch-missing' }]);
  });

  test('none at an honest partner', async () => {
    const { main, shop } = await partnership();
    const config = withLogs();
    await shop.accept(await shop.open({ config }));
    serve(shop, line('/with-main/'), line('/about/us.html'));
    main.clock.passDays(1);
    await exportLogs(await shop.open({ config }), { acceptGap: false, disclose: {} });
    expect(await pullOne(main)).toMatchObject({ kind: 'pulled', findings: [], audit: { demanded: 1 } });
    expect((await exported(shop)).seq).toBe(1);
    expect((await disclosed(shop, 'T')).map(({ class: c }) => c)).toEqual(['S', 'T']);
  });

  test('none at an honest partner that is asked, begins a new epoch, and is asked again', async () => {
    const { main, shop } = await partnership();
    const config = withLogs();
    const exportNow = async () => {
      main.clock.passDays(1);
      await exportLogs(await shop.open({ config }), { acceptGap: false, disclose: {} });
    };
    await shop.accept(await shop.open({ config }));
    serve(shop, line('/with-main/'), line('/about/us.html'), 'no request\n', line('/with-main/story.html'));
    await exportNow();
    expect(await pullOne(main)).toMatchObject({ findings: [], audit: { demanded: 2 } });
    serve(shop, line('/'));
    await exportNow();
    expect(await pullOne(main)).toMatchObject({ findings: [], audit: { shown: 2, demanded: 1, unjudged: [] } });
    await exportNow();
    expect(await pullOne(main)).toMatchObject({ findings: [], audit: { shown: 1, demanded: 0 } });

    serve(shop, line('/with-main/visit.html', { time: new Date('2026-11-26T11:00:00Z') }));
    await newEpoch(await shop.open({ config }), { reason: 'a try', lost: undefined });
    await exportNow();
    expect(await pullOne(main)).toMatchObject({
      kind: 'pulled',
      epoch: { epoch: 2, abandoned: { T: 0, O: 0 } },
      findings: [],
    });
    expect(await pullOne(main)).toMatchObject({ kind: 'unchanged', epoch: null, findings: [] });
  });
});
