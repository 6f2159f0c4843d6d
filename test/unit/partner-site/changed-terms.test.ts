import { describe, expect, test } from 'vitest';
import { accept } from '../../../src/partner-site/accept.ts';
import { withhold } from '../../../src/partner-site/merge.ts';
import { signPolicy } from '../../../src/partner-site/policy.ts';
import type { Review } from '../../../src/partner-site/review.ts';
import { rollback } from '../../../src/partner-site/rollback.ts';
import { status } from '../../../src/partner-site/status.ts';
import { verify } from '../../../src/partner-site/verify.ts';
import { answersOf } from '../../support/outbox.ts';
import { saying, UNASKED } from '../../support/partner-fixture.ts';
import { ORIGINALS, partnership } from '../../support/partnership-fixture.ts';
import { refusalOf } from '../../support/refusal.ts';

const WAYS = [
  ['link', {}],
  ['overwrite', { publish: 'overwrite' }],
  ['overwrite in place', { publish: 'overwrite', inPlace: true }],
] as const;

describe.each(WAYS)('a changed mount, published by %s', (_way, options) => {
  test('moves the tie-up pages from the old place to the new one, and touches nothing of the partner’s', async () => {
    const { main, shop } = await partnership(options);
    await shop.accept();
    await shop.write('public/with-main/mine.txt', 'put there by hand');
    await main.editPartner('harbour', 'mount: /with-main/', 'mount: /coffee/beans/');
    await main.pushed();
    const reviews: Review[] = [];
    const answering = { ...saying(true), ask: async (review: Review) => reviews.push(review) > 0 };
    expect(await accept(await shop.open(), { answering, choices: {} })).toMatchObject({ kind: 'live' });

    expect(reviews[0]?.termsBefore?.mount).toBe('/with-main/');
    expect(reviews[0]?.opened.terms.mount).toBe('/coffee/beans/');
    const live = await shop.live();
    expect(Object.keys(live)).toEqual(
      [
        ...Object.keys(ORIGINALS),
        'with-main/mine.txt',
        ...['assets/style.css', 'index.html', 'story.html', 'visit.html'].map((name) => `coffee/beans/${name}`),
      ].toSorted(),
    );
    expect(live).toMatchObject({ ...ORIGINALS, 'with-main/mine.txt': 'put there by hand' });
    expect((await verify(await shop.open())).differences.filter(({ kind }) => kind !== 'extra')).toEqual([]);
    const { decision, receipt, digest } = await answersOf(shop);
    expect(decision).toMatchObject({ release: 2, terms: reviews[0]?.opened.termsDigest });
    expect(receipt).toMatchObject({ state: 'live', release: 2, decision: digest });

    // The agreed terms are the new ones: nobody is shown them twice.
    expect((await status(await shop.open())).inbox).toEqual({ kind: 'live' });
    await rollback(await shop.open(), undefined);
    expect(Object.keys(await shop.live())).toContain('with-main/index.html');
    expect(await shop.live()).toMatchObject(ORIGINALS);
  });

  test('is a conflict where the partner has a page of its own, and nothing changes', async () => {
    const mine = { ...ORIGINALS, 'coffee/index.html': 'my own coffee page' };
    const { main, shop } = await partnership({ ...options, originals: mine });
    await shop.accept();
    await main.editPartner('harbour', 'mount: /with-main/', 'mount: /coffee/');
    await main.pushed();
    const work = async () => accept(await shop.open(), { answering: UNASKED, choices: {} });
    // That the release was seen is remembered, so that no older one is taken for new.
    const { code } = await refusalOf(shop, work, /^state\/(?:tuf|objects)(?:\/|$)/);
    expect(code).toBe('TIEUP_E_CONFLICT');
    expect((await shop.live())['coffee/index.html']).toBe('my own coffee page');
    expect(Object.keys(await shop.live())).toContain('with-main/index.html');
  });
});

describe('changed terms', () => {
  test('are shown by status before anything is asked', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    await main.editPartner('harbour', 'period:', 'policy:\n  scripts: own\nperiod:');
    await main.pushed();
    const { inbox } = await status(await shop.open());
    if (inbox.kind !== 'waiting') throw new Error(inbox.kind);
    expect(inbox.review.termsBefore?.policy.scripts).toBe('none');
    expect(inbox.review.opened.terms.policy.scripts).toBe('own');
  });

  test('are never accepted by policy, however wide it is', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    const config = { auto: { allow: 'content' } } as const;
    await signPolicy(await shop.open({ config }));
    await main.editPartner('harbour', 'mount: /with-main/', 'mount: /coffee/');
    await main.pushed();
    const before = await shop.live();
    const result = await accept(await shop.open({ config }), {
      answering: { kind: 'policy', show: async () => {} },
      choices: {},
    });
    expect(result).toMatchObject({ kind: 'left-to-the-manager', reasons: ['the terms change'] });
    expect(await shop.live()).toEqual(before);
    expect((await answersOf(shop)).chain).toHaveLength(1);
  });

  test('keep a page withheld that was withheld at the old mount', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    await withhold(await shop.open(), { page: 'story', undo: false });
    await main.editPartner('harbour', 'mount: /with-main/', 'mount: /coffee/');
    await main.pushed();
    await shop.accept();
    expect(Object.keys(await shop.live())).toContain('coffee/index.html');
    expect(Object.keys(await shop.live())).not.toContain('coffee/story.html');
    expect((await status(await shop.open())).withheld).toEqual(['coffee/story.html']);
    await withhold(await shop.open(), { page: 'story', undo: true });
    expect(Object.keys(await shop.live())).toContain('coffee/story.html');
  });

  test('move a page that was renamed along with its name', async () => {
    const mine = { ...ORIGINALS, 'with-main/index.html': 'mine' };
    const { main, shop } = await partnership({ originals: mine });
    const choices = { 'with-main/index.html': { rename: 'with-main/start.html' } } as const;
    await accept(await shop.open(), { answering: saying(true), choices });
    await main.editPartner('harbour', 'mount: /with-main/', 'mount: /with-main/coffee/');
    await main.pushed();
    await shop.accept();
    const live = await shop.live();
    expect(live['with-main/coffee/start.html']).toContain('Our coffee');
    expect(live['with-main/index.html']).toBe('mine');
    expect(Object.keys(live)).not.toContain('with-main/start.html');
  });
});
