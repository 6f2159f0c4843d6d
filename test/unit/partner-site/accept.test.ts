import { describe, expect, test } from 'vitest';
import { acquireLock } from '../../../src/io/lock.ts';
import { accept } from '../../../src/partner-site/accept.ts';
import { merge } from '../../../src/partner-site/merge.ts';
import { reject } from '../../../src/partner-site/reject.ts';
import type { Review } from '../../../src/partner-site/review.ts';
import { status } from '../../../src/partner-site/status.ts';
import { verify } from '../../../src/partner-site/verify.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import { changedPaths, SEEN } from '../../support/snapshot.ts';
import { answersOf, chainFaults } from '../../support/outbox.ts';
import { saying, UNASKED } from '../../support/partner-fixture.ts';
import { mainFixture, ORIGINALS, PAGES, partnership } from '../../support/partnership-fixture.ts';

const TIE_UP = ['assets/style.css', 'index.html', 'story.html', 'visit.html'].map((name) => `with-main/${name}`);

describe.each(['link', 'overwrite'] as const)('accepting, published by %s', (publish) => {
  test('a release goes live beside the original pages, with decision and receipt', async () => {
    const { main, shop } = await partnership({ publish });
    expect(await shop.live()).toEqual({});
    const reviews: Review[] = [];
    const answering = { ...saying(true), ask: async (review: Review) => reviews.push(review) > 0 };
    const result = await accept(await shop.open(), { answering, choices: {} });

    expect(result).toMatchObject({
      kind: 'live',
      decision: { seq: 1, previous: null, verdict: 'accepted', by: 'manager' },
    });
    const live = await shop.live();
    expect(Object.keys(live)).toEqual(['about/us.html', 'index.html', ...TIE_UP].toSorted());
    expect(live).toMatchObject(ORIGINALS);
    expect(live['with-main/index.html']).toContain('Our coffee at harbour books');
    expect(reviews).toHaveLength(1);
    expect(reviews[0]?.opened.release.message.subject).toBe('Northwind Coffee: 4 new');

    const { decision, digest, signers, receipt } = await answersOf(shop);
    const [pushed] = await main.push();
    expect(pushed?.kind).toBe('unchanged');
    expect(signers).toEqual(['harbour/accept']);
    expect(decision).toMatchObject({ partner: 'harbour', release: 1, reason: null, time: '2026-11-23T12:00:00Z' });
    expect(decision?.releaseDigest).toBe(pushed?.kind === 'unchanged' ? pushed.releaseDigest : '');
    const sums = await shop.open().then(({ state }) => state.read('published/1.SHA256SUMS', 1e6));
    expect(receipt).toEqual({
      partner: 'harbour',
      release: 1,
      releaseDigest: decision?.releaseDigest,
      decision: digest,
      publication: 1,
      published: sha256(sums),
      state: 'live',
      pages: { tieUp: 3, original: 2 },
      time: '2026-11-23T12:00:00Z',
    });
    expect(await verify(await shop.open())).toMatchObject({ differences: [] });
  });

  test('a second time there is nothing new, nobody is asked and nothing changes', async () => {
    const { main, shop } = await partnership({ publish });
    await shop.accept();
    main.clock.passDays(1);
    const before = await shop.snapshot();
    expect(await accept(await shop.open(), { answering: UNASKED, choices: {} })).toMatchObject({
      kind: 'nothing-new',
      release: 1,
    });
    expect((await status(await shop.open())).inbox).toEqual({ kind: 'live' });
    expect(changedPaths(before, await shop.snapshot())).toEqual([]);
  });

  test('a "no" changes nothing that is live, and can be taken back', async () => {
    const { shop } = await partnership({ publish });
    const before = await shop.snapshot();
    expect(await accept(await shop.open(), { answering: saying(false), choices: {} })).toMatchObject({
      kind: 'declined',
    });
    // That the release was seen is remembered, so that no older one is taken for new.
    expect(changedPaths(before, await shop.snapshot(), SEEN)).toEqual([]);
    expect(await shop.accept()).toMatchObject({ kind: 'live', decision: { seq: 1 } });
  });

  test('a changed release replaces, adds and removes what is tieup’s alone', async () => {
    const { main, shop } = await partnership({ publish });
    await shop.accept();
    await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\nNew roast\n');
    await main.write('pages/news.md', '---\ntitle: News\n---\n\nIt rains.\n');
    await main.remove('pages/story.md');
    await main.pushed();
    const result = await shop.accept();
    expect(result).toMatchObject({ kind: 'live', wentLive: { publication: { written: 2, removed: 1 } } });
    const live = await shop.live();
    expect(live).toMatchObject(ORIGINALS);
    expect(live['with-main/index.html']).toContain('New roast');
    expect(live['with-main/news.html']).toContain('It rains.');
    expect(live['with-main/story.html']).toBeUndefined();
    const { chain, receipt, digest } = await answersOf(shop);
    expect(chain.map(({ release, verdict }) => [release, verdict])).toEqual([
      [1, 'accepted'],
      [2, 'accepted'],
    ]);
    expect(chainFaults(chain)).toEqual([]);
    expect(receipt).toMatchObject({ release: 2, publication: 2, decision: digest });
  });

  test('what the partner put into the live tree by hand stays', async () => {
    const { main, shop } = await partnership({ publish });
    await shop.accept();
    await shop.write('public/mine.txt', 'mine');
    await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\nNew roast\n');
    await main.pushed();
    await shop.accept();
    expect(await shop.live()).toMatchObject({ 'mine.txt': 'mine' });
  });

  test('an edited tie-up page is a conflict which is listed, and the manager chooses', async () => {
    const { main, shop } = await partnership({ publish });
    await shop.accept();
    await shop.write('public/with-main/index.html', 'edited by hand');
    expect((await verify(await shop.open())).differences).toEqual([{ kind: 'changed', path: 'with-main/index.html' }]);
    await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\nNew roast\n');
    await main.pushed();
    const before = await shop.snapshot();
    await expect(shop.accept()).rejects.toMatchObject({ code: 'TIEUP_E_CONFLICT', exitCode: 6 });
    expect(changedPaths(before, await shop.snapshot(), SEEN)).toEqual([]);
    await accept(await shop.open(), { answering: saying(true), choices: { 'with-main/index.html': 'take-theirs' } });
    expect((await shop.live())['with-main/index.html']).toContain('New roast');
  });
});

describe('accepting with a digest on the command line', () => {
  test('works for exactly this release', async () => {
    const { main, shop } = await partnership();
    const shown: Review[] = [];
    const show = async (review: Review): Promise<void> => void shown.push(review);
    const { releaseDigest } = await main.pushedBefore('harbour');
    const result = await accept(await shop.open(), { answering: { kind: 'digest', releaseDigest, show }, choices: {} });
    expect(result).toMatchObject({ kind: 'live', decision: { by: 'manager', releaseDigest } });
    expect(shown).toHaveLength(1);
  });

  test('is refused for another one, and nothing changes', async () => {
    const { main, shop } = await partnership();
    const { releaseDigest } = await main.pushedBefore('harbour');
    await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\nSwapped meanwhile\n');
    await main.pushed();
    const before = await shop.snapshot();
    const answering = { kind: 'digest', releaseDigest, show: async () => {} } as const;
    await expect(accept(await shop.open(), { answering, choices: {} })).rejects.toMatchObject({
      code: 'TIEUP_E_DRIFT',
      exitCode: 6,
    });
    expect(changedPaths(before, await shop.snapshot(), SEEN)).toEqual([]);
  });
});

describe('rejecting', () => {
  test('says why in the outbox, leaves everything live as it is, and can be followed by an acceptance', async () => {
    const { shop } = await partnership();
    const decision = await reject(await shop.open(), 'not in the holidays\nplease');
    expect(decision).toMatchObject({ verdict: 'rejected', reason: 'not in the holidays\nplease', merge: null, seq: 1 });
    expect(await shop.live()).toEqual({});
    expect((await answersOf(shop)).receipt).toBeUndefined();
    expect((await status(await shop.open())).inbox).toMatchObject({ kind: 'rejected', reason: decision.reason });
    expect(await shop.accept()).toMatchObject({ kind: 'live', decision: { seq: 2, verdict: 'accepted' } });
    expect(chainFaults((await answersOf(shop)).chain)).toEqual([]);
  });

  test('what is live already is refused, and nothing changes', async () => {
    const { shop } = await partnership();
    await shop.accept();
    const before = await shop.snapshot();
    await expect(reject(await shop.open(), 'too late')).rejects.toMatchObject({ code: 'TIEUP_E_CONFLICT' });
    await expect(reject(await shop.open(), 'x'.repeat(4001))).rejects.toMatchObject({ code: 'TIEUP_E_USAGE' });
    expect(changedPaths(before, await shop.snapshot())).toEqual([]);
  });
});

describe('changed terms', () => {
  test('are shown old beside new and agreed to with the release', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    await main.editPartner('harbour', '/with-main/', '/coffee/');
    await main.pushed();
    const reviews: Review[] = [];
    const answering = { ...saying(true), ask: async (review: Review) => reviews.push(review) > 0 };
    await accept(await shop.open(), { answering, choices: {} });
    expect(reviews[0]?.termsBefore?.mount).toBe('/with-main/');
    expect(reviews[0]?.opened.terms.mount).toBe('/coffee/');
    const paths = Object.keys(await shop.live());
    expect(paths).toContain('coffee/index.html');
    expect(paths.filter((path) => path.startsWith('with-main/'))).toEqual([]);
    expect(await verify(await shop.open())).toMatchObject({ differences: [] });
    expect(await merge(await shop.open())).toMatchObject({ wentLive: { publication: { changed: false } } });
  });
});

test('before the first push the inbox is empty, and accepting says so', async () => {
  const main = await mainFixture(PAGES);
  const shop = await main.join();
  const before = await shop.snapshot();
  expect((await status(await shop.open())).inbox).toEqual({ kind: 'empty' });
  await expect(shop.accept()).rejects.toMatchObject({
    code: 'TIEUP_E_NOT_FOUND',
    message: 'nothing has been pushed yet',
  });
  expect(changedPaths(before, await shop.snapshot())).toEqual([]);
});

test('two partners of one main site decide for themselves', async () => {
  const main = await mainFixture(PAGES);
  const [harbour, lighthouse] = [await main.join('harbour'), await main.join('lighthouse')];
  expect((await main.push()).map(({ kind }) => kind)).toEqual(['pushed', 'pushed']);
  await harbour.accept();
  expect(Object.keys(await harbour.live())).toContain('with-main/index.html');
  expect(await lighthouse.live()).toEqual({});
});

test('a yes that comes after another tieup took the lock over changes nothing; one that is only late counts', async () => {
  const { main, shop } = await partnership({ publish: 'overwrite' });
  const late = (meanwhile: () => Promise<unknown>) => ({
    ...saying(true),
    ask: async () => {
      main.clock.set(new Date(main.clock.now().getTime() + 2 * 60 * 60_000));
      await meanwhile();
      return true;
    },
  });
  const another = { who: 'another laptop', id: 'another', host: 'another', pid: 7 };
  const before = await shop.snapshot();
  const answering = late(async () => acquireLock((await shop.open()).state, 'lock', another, main.clock, 60));
  await expect(accept(await shop.open(), { answering, choices: {} })).rejects.toMatchObject({ code: 'TIEUP_E_LOCKED' });
  expect(changedPaths(before, await shop.snapshot(), SEEN)).toEqual(['state/lock']);
  await shop.remove('state/lock');
  expect(await accept(await shop.open(), { answering: late(async () => {}), choices: {} })).toMatchObject({
    kind: 'live',
  });
});
