import { readFileSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Canary, readCanaries, writeCanaries } from '../../../src/main-site/logs/canaries.ts';
import type { MainSite } from '../../../src/main-site/main-site.ts';
import { sendCanaries } from '../../../src/main-site/send-canaries.ts';
import type { PageVisit } from '../../../src/io/page-visit.ts';
import { type LogRecord, ownPathRecord } from '../../../src/protocol/log-record.ts';
import { hit } from '../../support/exported-log.ts';
import { type Claim, forge, liveSwitch, tieUpHits } from '../../support/forged-export.ts';
import { type MainFixture, mainFixture, partnership } from '../../support/partnership-fixture.ts';
import { importMailed, pullOne, refusedPull } from '../../support/pulled.ts';

const SENT = '2026-11-23T12:00:00Z';
const LATER = '2026-11-23T18:00:00Z';

/** A main site whose visits are answered with `status` and noted. */
function visiting(main: MainFixture, status = 200, digestOf: (url: string) => string | null = () => null) {
  const visits: PageVisit[] = [];
  const visit = async (made: PageVisit) => (visits.push(made), { status, digest: digestOf(made.url) });
  const site: MainSite = { ...main.site, visit };
  return { site, visits };
}

/** A partner to which `count` canaries were sent. */
async function visited(count: number) {
  const { main, shop } = await partnership();
  const { releaseDigest } = await main.pushedBefore();
  const { site, visits } = visiting(main);
  expect(await sendCanaries(site, [], count)).toMatchObject([{ kind: 'sent', sent: count, unexpected: [] }]);
  const canaries = await readCanaries(main.site, 'harbour');
  const claimOf = (T: readonly LogRecord[]): Claim => ({ T: [liveSwitch(0, releaseDigest), ...T], O: [] });
  return { main, shop, visits, canaries, claimOf };
}

/** How the partner's server wrote a visit down. */
function written({ page, agent, at }: Canary, seq: number, changes: Partial<LogRecord> = {}): LogRecord {
  return hit(seq, { page, path: `/${page}`, agent, time: at, referrer: '', ...changes });
}

describe('canaries', () => {
  test('look like any visitor’s requests, and are kept where nobody else can read them', async () => {
    const { main, visits, canaries } = await visited(12);
    for (const { url, headers } of visits) {
      expect(url).toMatch(/^https:\/\/harbour\.example\/with-main\/(?:[a-z/]*\.html)?$/);
      expect(url).not.toMatch(/index\.html$/);
      expect(headers['User-Agent']).toMatch(/^Mozilla\/5\.0 \(/);
      expect(JSON.stringify(headers)).not.toMatch(/tieup|northwind|canary|node/i);
    }
    expect(new Set(visits.map(({ headers }) => headers['User-Agent'])).size).toBeGreaterThan(8);
    expect(new Set(visits.map(({ url }) => url)).size).toBeGreaterThan(1);
    expect(canaries).toHaveLength(12);
    const path = `${main.folder}/.tieup/logs/harbour/canaries.jsonl`;
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(13);
  });

  test('prove nothing where the partner has a page of its own by then, and are not counted there again', async () => {
    const { main, shop, canaries, claimOf } = await visited(8);
    const own = canaries[0]?.page ?? '';
    await forge(shop, { claim: claimOf([ownPathRecord(0, SENT, own)]), time: LATER });
    const { findings } = await pullOne(main);
    expect(findings.filter(({ kind }) => kind === 'left-out')).toHaveLength(1);
    const missing = findings.filter(({ kind }) => kind === 'canary-missing');
    expect(missing.length).toBe(new Set(canaries.map(({ page }) => page)).size - 1);
    expect(missing.filter(({ message }) => message.includes(` ${own} `))).toEqual([]);
    const [result] = await sendCanaries(visiting(main).site, [], 20);
    expect(result).toMatchObject({ unexpected: expect.arrayContaining([`${own} is the partner's own, as it says`]) });
    const since = (await readCanaries(main.site, 'harbour')).slice(8);
    expect(since.length).toBeGreaterThan(0);
    expect(since.filter(({ page }) => page === own)).toEqual([]);
  });

  test('prove that a page is not the partner’s own where the page of the release answered', async () => {
    const { main, shop, canaries, claimOf } = await visited(1);
    const page = canaries[0]?.page ?? '';
    const claimed = claimOf([ownPathRecord(0, SENT, page), ...tieUpHits(1)]);
    const first = await forge(shop, { claim: claimed, time: SENT });
    expect((await pullOne(main)).findings.map(({ kind }) => kind)).toEqual(['left-out']);
    const file = (await main.pushedBefore()).release.files.find(({ path }) => path === page);
    const address = `/${page.replace(/index\.html$/, '')}`;
    const { site } = visiting(main, 200, (url) => (url.endsWith(address) ? (file?.digest ?? null) : null));
    await sendCanaries(site, [], 20);
    const proofs = (await readCanaries(main.site, 'harbour')).filter(({ isOurs }) => isOurs);
    expect(proofs.length).toBeGreaterThan(0);
    expect(new Set(proofs.map((each) => each.page))).toEqual(new Set([page]));
    const claim = { ...claimed, T: [...claimed.T, hit(2)] };
    await forge(shop, { claim, from: { T: 3, O: 0 }, seq: 2, previous: first.digest, time: LATER });
    const { findings } = await pullOne(main);
    expect(findings.some(({ message }) => message.includes(` to ${page} at `))).toBe(true);
  });

  test('are missed where the partner says only for later, or said only before, that the page is its own', async () => {
    const { main, shop, canaries, claimOf } = await visited(1);
    const page = canaries[0]?.page ?? '';
    const { releaseDigest } = await main.pushedBefore();
    const own = (time: string) => [liveSwitch(0, releaseDigest, time), ownPathRecord(0, time, page)];
    const before = own('2026-11-23T08:00:00Z');
    const during = [liveSwitch(0, releaseDigest, '2026-11-23T11:00:00Z')];
    const after = own('2026-11-23T13:00:00Z');
    await forge(shop, { claim: { T: [...before, ...during, ...after, hit(1)], O: [] }, time: LATER });
    expect((await pullOne(main)).findings.map(({ kind }) => kind)).toContain('canary-missing');
    const honest = await visited(1);
    const all = [...own('2026-11-23T08:00:00Z'), liveSwitch(0, releaseDigest, '2026-11-23T13:00:00Z'), hit(1)];
    const T = all.map((each) => (each.method === 'OWN' ? { ...each, path: honest.canaries[0]?.page ?? '' } : each));
    await forge(honest.shop, { claim: { ...claimOf([]), T }, time: LATER });
    expect((await pullOne(honest.main)).findings.map(({ kind }) => kind)).not.toContain('canary-missing');
  });

  test('count only when the page was there', async () => {
    const { main } = await partnership();
    const { site } = visiting(main, 404);
    const [result] = await sendCanaries(site, [], 2);
    expect(result).toMatchObject({
      kind: 'sent',
      sent: 0,
      unexpected: [expect.stringContaining('404'), expect.any(String)],
    });
    expect(await readCanaries(main.site, 'harbour')).toEqual([]);
  });

  test('are not sent before anything was pushed', async () => {
    const main = await mainFixture();
    await main.join();
    const { site, visits } = visiting(main);
    expect(await sendCanaries(site, [], 1)).toEqual([{ kind: 'no-pages', partner: 'harbour' }]);
    expect(visits).toEqual([]);
  });

  test('that are in the log are counted to be deducted, each once', async () => {
    const { main, shop, canaries, claimOf } = await visited(3);
    const T = [
      ...tieUpHits(2),
      ...canaries.map((each, at) => written(each, 10 + at)),
      ...canaries.map((each, at) => written(each, 20 + at)),
    ];
    await forge(shop, { claim: claimOf(T), time: LATER });
    expect(await pullOne(main)).toMatchObject({ kind: 'pulled', canaries: { '2026-11': 3 }, findings: [] });
    expect((await readCanaries(main.site, 'harbour')).map(({ found }) => found?.index)).toEqual([3, 4, 5]);
  });

  test('that are missing once their time was shown as a whole are findings', async () => {
    const { main, shop, canaries, claimOf } = await visited(2);
    const [seen] = canaries;
    if (seen === undefined) throw new Error('no visit was made');
    await forge(shop, { claim: claimOf([written(seen, 1)]), time: LATER });
    const { findings, canaries: deducted } = await pullOne(main);
    expect(deducted).toEqual({ '2026-11': 1 });
    expect(findings).toMatchObject([
      { kind: 'canary-missing', message: expect.stringContaining(canaries[1]?.page ?? '?') },
    ]);
    expect((await pullOne(main)).findings).toEqual([]);
  });

  test('that were sent to one page within one second are each missed', async () => {
    const { main, shop, canaries, claimOf } = await visited(1);
    const [only] = canaries;
    if (only === undefined) throw new Error('no visit was made');
    await writeCanaries(main.site, 'harbour', [only, { ...only, agent: 'Mozilla/5.0 (X11)' }]);
    await forge(shop, { claim: claimOf(tieUpHits(1)), time: LATER });
    expect((await pullOne(main)).findings).toMatchObject([
      { kind: 'canary-missing', message: expect.stringMatching(/^2 visits to .* are not in log T$/) },
    ]);
    expect((await pullOne(main)).findings).toEqual([]);
  });

  test.each<[string, Partial<LogRecord>]>([
    ['at another time', { time: '2026-11-23T17:00:00Z' }],
    ['of another page', { page: 'with-main/assets.html' }],
    ['by another browser', { agent: 'Mozilla/5.0' }],
    ['that came from elsewhere', { referrer: 'https://elsewhere.example' }],
    ['with another answer', { status: 404 }],
  ])('are missing when a visit %s stands for them', async (_, changes) => {
    const { main, shop, canaries, claimOf } = await visited(1);
    const T = canaries.map((each) => written(each, 1, changes));
    await forge(shop, { claim: claimOf(T), time: LATER });
    expect((await pullOne(main)).findings.map(({ kind }) => kind)).toContain('canary-missing');
  });

  test.each([
    ['whole', (referrer: string) => referrer],
    ['as its origin', (referrer: string) => new URL(referrer).origin],
    ['not at all', () => ''],
  ])('are found where the partner keeps a referrer %s', async (_, kept) => {
    const { main, shop, canaries, claimOf } = await visited(12);
    expect(canaries.some(({ referrer }) => referrer !== null)).toBe(true);
    const T = canaries.map((each, at) =>
      written(each, at + 1, { referrer: each.referrer === null ? '' : kept(each.referrer) }),
    );
    await forge(shop, { claim: claimOf(T), time: LATER });
    expect(await pullOne(main)).toMatchObject({ canaries: { '2026-11': 12 }, findings: [] });
  });

  test('are waited for while their time is not over, or was not shown as a whole', async () => {
    const { main, shop, claimOf } = await visited(1);
    const first = await forge(shop, { claim: claimOf(tieUpHits(2)), time: '2026-11-23T12:30:00Z' });
    expect((await pullOne(main)).findings).toEqual([]);
    const second = await forge(shop, {
      claim: claimOf(tieUpHits(4)),
      from: { T: 3, O: 0 },
      seq: 2,
      previous: first.digest,
      time: LATER,
      discloses: (_log, index) => index !== 4,
    });
    expect((await pullOne(main)).findings.map(({ kind }) => kind)).toEqual(['tie-up-withheld']);
    await forge(shop, {
      claim: claimOf(tieUpHits(5)),
      from: { T: 5, O: 0 },
      seq: 3,
      previous: second.digest,
      time: LATER,
    });
    expect((await pullOne(main)).findings.map(({ kind }) => kind)).toEqual(['canary-missing']);
  });

  test('that stood in an export which was refused were not found', async () => {
    const { main, shop, canaries, claimOf } = await visited(1);
    const claim = claimOf(canaries.map((each) => written(each, 1)));
    await forge(shop, { claim, text: (_log, text) => text.slice(0, -1) });
    await refusedPull(main, shop);
    expect(await readCanaries(main.site, 'harbour')).toEqual(canaries);
  });

  test('that were found by a pull which died before it pinned anything are looked for again', async () => {
    const { main, shop, canaries, claimOf } = await visited(1);
    await forge(shop, { claim: claimOf(canaries.map((each) => written(each, 1))), time: LATER });
    const dying = {
      ...main.site.files,
      write: async (...[path, content, options]: Parameters<MainSite['files']['write']>) => {
        if (path.endsWith('/pins.json')) throw new Error('killed');
        await main.site.files.write(path, content, options);
      },
    };
    await expect(pullOne(main, { ...main.site, files: dying })).rejects.toThrow('killed');
    expect((await readCanaries(main.site, 'harbour'))[0]?.found).not.toBeNull();
    // The partner takes the visit out before the next pull.
    await forge(shop, { claim: claimOf(tieUpHits(1)), time: LATER });
    expect((await pullOne(main)).findings).toMatchObject([{ kind: 'canary-missing' }]);
  });
});

describe('a partner that writes early times into its exports', () => {
  const EARLY = '2026-11-23T11:00:00Z';
  const hoursLater = (main: MainFixture, hours: number): MainSite => ({
    ...main.site,
    clock: { ...main.site.clock, now: () => new Date(Date.parse(SENT) + hours * 60 * 60 * 1000) },
  });

  test('is missed by what was looked at before: an export that was not there then was made since', async () => {
    const { main, shop, claimOf } = await visited(1);
    // Made before the visit; by its time and by ours nothing can be missed.
    const first = await forge(shop, { claim: claimOf(tieUpHits(1)), time: EARLY });
    expect((await pullOne(main)).findings).toEqual([]);
    expect((await pullOne(main, hoursLater(main, 2))).findings).toEqual([]);
    const next = { from: { T: 2, O: 0 }, seq: 2, previous: first.digest, time: EARLY };
    await forge(shop, { claim: claimOf(tieUpHits(2)), ...next });
    expect((await pullOne(main, hoursLater(main, 4))).findings).toMatchObject([{ kind: 'canary-missing' }]);
  });

  test('is not found to miss what came after an export that lay there all the time, or came by mail', async () => {
    const { main, shop, claimOf } = await visited(1);
    const first = await forge(shop, { claim: claimOf(tieUpHits(1)), time: EARLY });
    await pullOne(main);
    for (const hours of [2, 30]) expect((await pullOne(main, hoursLater(main, hours))).findings).toEqual([]);
    const next = { from: { T: 2, O: 0 }, seq: 2, previous: first.digest, time: EARLY };
    await forge(shop, { claim: claimOf(tieUpHits(2)), ...next });
    expect((await importMailed(main, shop)).findings).toEqual([]);
    expect((await pullOne(main, hoursLater(main, 40))).findings).toEqual([]);
  });

  test('is told of, when they go back', async () => {
    const { main, shop, claimOf } = await visited(0);
    const first = await forge(shop, { claim: claimOf(tieUpHits(1)), time: LATER });
    expect((await pullOne(main)).findings).toEqual([]);
    const next = { from: { T: 2, O: 0 }, seq: 2, previous: first.digest };
    await forge(shop, { claim: claimOf(tieUpHits(2)), ...next, time: '2026-11-23T17:57:00Z' });
    expect((await pullOne(main)).findings).toEqual([]);
    const last = await forge(shop, { claim: claimOf(tieUpHits(2)), ...next, time: '2026-11-23T17:57:00Z' });
    const third = { from: { T: 3, O: 0 }, seq: 3, previous: last.digest, time: EARLY };
    await forge(shop, { claim: claimOf(tieUpHits(3)), ...third });
    expect((await pullOne(main)).findings).toMatchObject([
      { kind: 'clock', message: expect.stringContaining('and the one before it at 2026-11-23T17:57:00Z') },
    ]);
  });

  test('is told of, when they are far ahead, and nothing is missed by them', async () => {
    const { main, shop, claimOf } = await visited(1);
    await forge(shop, { claim: claimOf(tieUpHits(1)), time: '2026-11-24T12:00:01Z' });
    expect((await pullOne(main)).findings).toMatchObject([
      { kind: 'clock', message: expect.stringContaining('which is not yet') },
    ]);
  });
});
