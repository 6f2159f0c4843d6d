import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { accept } from '../../../src/partner-site/accept.ts';
import { merge, withhold } from '../../../src/partner-site/merge.ts';
import type { Review } from '../../../src/partner-site/review.ts';
import { resume, rollback } from '../../../src/partner-site/rollback.ts';
import { reject } from '../../../src/partner-site/reject.ts';
import { status } from '../../../src/partner-site/status.ts';
import { verify } from '../../../src/partner-site/verify.ts';
import { lockedKeys } from '../../support/memory-keys.ts';
import { answersOf, chainFaults } from '../../support/outbox.ts';
import { type PartnerFixture, saying } from '../../support/partner-fixture.ts';
import { partnership } from '../../support/partnership-fixture.ts';
import { refusalOf } from '../../support/refusal.ts';
import { changedPaths, SEEN } from '../../support/snapshot.ts';

const WAYS = ['link', 'overwrite'] as const;

/** What cron does: the accept key is locked. */
const unattended = (shop: PartnerFixture) => shop.open({ keys: lockedKeys(shop.keys, ['accept']) });

describe.each(WAYS)('merging again, published by %s', (publish) => {
  test('carries changed, new and removed original pages into the live tree without a password', async () => {
    const { shop } = await partnership({ publish });
    await shop.accept();
    await shop.write('original/index.html', 'my new home');
    await shop.write('original/shop/hours.html', 'always');
    await shop.remove('original/about/us.html');
    const merged = await merge(await unattended(shop));
    expect(merged.wentLive?.publication).toMatchObject({ changed: true, written: 2, removed: 1 });
    const live = await shop.live();
    expect(live).toMatchObject({ 'index.html': 'my new home', 'shop/hours.html': 'always' });
    expect(live['about/us.html']).toBeUndefined();
    const { chain, receipt, digest } = await answersOf(shop);
    expect([chain.length, receipt?.decision, receipt?.publication]).toEqual([1, digest, 2]);
  });

  test('changes nothing when nothing is new', async () => {
    const { shop } = await partnership({ publish });
    await shop.accept();
    const before = await shop.snapshot();
    expect((await merge(await unattended(shop))).wentLive?.publication.changed).toBe(false);
    expect(changedPaths(before, await shop.snapshot())).toEqual([]);
  });

  test('fills slots from Markdown and HTML, sanitised, and signs for what it fills', async () => {
    const { shop } = await partnership({ publish });
    await shop.accept();
    expect((await shop.live())['with-main/visit.html']).toContain('Please ask at the counter.');
    await shop.write('slots/visit/hours.md', '**Ten to six**\n\n<script>alert(1)</script>\n');
    await shop.write('slots/visit/nonsense.md', 'x');
    const merged = await merge(await shop.open());
    expect(merged.unusedSlotFiles).toEqual(['slots/visit/nonsense.md']);
    const page = (await shop.live())['with-main/visit.html'];
    expect(page).toContain('<strong>Ten to six</strong>');
    expect(page).not.toMatch(/alert|counter/);
    expect((await answersOf(shop)).chain).toHaveLength(2);

    await shop.remove('slots/visit/hours.md');
    await shop.write('slots/visit/hours.html', '<p onclick="x()">Noon</p>');
    await merge(await shop.open());
    expect((await shop.live())['with-main/visit.html']).toContain('<p>Noon</p>');
    const { chain, receipt, digest } = await answersOf(shop);
    expect([chain.length, chainFaults(chain), receipt?.decision]).toEqual([3, [], digest]);
  });

  test('needs the manager where slots change what was decided, and changes nothing without', async () => {
    const { shop } = await partnership({ publish });
    await shop.accept();
    await shop.write('slots/visit/hours.md', 'Ten to six\n');
    const refused = await refusalOf(shop, async () => merge(await unattended(shop)), SEEN);
    expect(refused).toMatchObject({ code: 'TIEUP_E_PASSWORD', error: { exitCode: 4 } });
  });

  test('refuses slots that cannot be read, all of them at once', async () => {
    const { shop } = await partnership({ publish });
    await shop.accept();
    await shop.write('slots/visit/hours.md', 'one');
    await shop.write('slots/visit/hours.html', 'two');
    expect((await refusalOf(shop, async () => merge(await shop.open()))).code).toBe('TIEUP_E_CONTENT');
    await shop.remove('slots/visit/hours.html');
    await shop.write('slots/visit/hours.md', Uint8Array.of(0xff, 0xfe));
    const { problems } = await refusalOf(shop, async () => merge(await shop.open()));
    expect(problems).toEqual(['the file is not valid UTF-8']);
  });

  test('keeps a page out, and brings it back', async () => {
    const { shop } = await partnership({ publish });
    await shop.accept();
    const before = await shop.live();
    expect(await withhold(await shop.open(), { page: 'story', undo: false })).toMatchObject({
      path: 'with-main/story.html',
    });
    expect((await shop.live())['with-main/story.html']).toBeUndefined();
    expect((await status(await shop.open())).withheld).toEqual(['with-main/story.html']);
    expect((await answersOf(shop)).receipt?.pages).toEqual({ tieUp: 2, original: 2 });
    await withhold(await shop.open(), { page: '/with-main/story.html', undo: true });
    expect(await shop.live()).toEqual(before);
    const { chain, receipt, digest } = await answersOf(shop);
    expect([chain.length, chainFaults(chain), receipt?.decision]).toEqual([3, [], digest]);
    const refused = await refusalOf(shop, async () =>
      withhold(await shop.open(), { page: 'with-main/stroy.html', undo: false }),
    );
    expect(refused).toMatchObject({ code: 'TIEUP_E_USAGE', error: { hint: expect.stringContaining('story') } });
    const shown = await refusalOf(shop, async () => withhold(await shop.open(), { page: 'story', undo: true }));
    expect(shown).toMatchObject({ code: 'TIEUP_E_USAGE', error: { message: '"story" is not withheld' } });
  });

  test('a page that is withheld stays out when the next release comes', async () => {
    const { main, shop } = await partnership({ publish });
    await shop.accept();
    await withhold(await shop.open(), { page: 'story', undo: false });
    await main.write('pages/story.md', '---\ntitle: Who we are\ninherit: link\n---\n\nAnother story\n');
    await main.pushed();
    await shop.accept();
    expect((await shop.live())['with-main/story.html']).toBeUndefined();
  });
});

const VISIT =
  '---\ntitle: Visit\ninherit: framework\nslots:\n  hours:\n    description: When\n    required: true\n---\n\n<slot name="hours"></slot>\n';

describe('links that lead nowhere because of a choice', () => {
  const toVisit = (instead: 'nothing' | 'yours') => [
    { target: 'with-main/visit.html', instead, pages: ['with-main/index.html'] },
  ];

  test('are listed when a page is withheld, in every review from then on, and not after it came back', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    const withheld = await withhold(await shop.open(), { page: 'visit', undo: false });
    expect(withheld.strayLinks).toEqual(toVisit('nothing'));
    expect((await merge(await shop.open())).strayLinks).toEqual(toVisit('nothing'));
    await main.write('pages/story.md', '---\ntitle: Who we are\ninherit: link\n---\n\nAnother story\n');
    await main.pushed();
    expect((await status(await shop.open())).inbox).toMatchObject({ review: { strayLinks: toVisit('nothing') } });
    await shop.accept();
    const back = await withhold(await shop.open(), { page: 'visit', undo: true });
    expect(back.strayLinks).toEqual([]);
  });

  test.each([
    ['keeps a page of its own there', 'keep-mine'],
    ['gives the page another name', { rename: 'with-main/elsewhere.html' }],
  ] as const)('are listed when the partner %s', async (_, choice) => {
    const { shop } = await partnership({ originals: { 'with-main/visit.html': 'mine' } });
    const choices = { 'with-main/visit.html': choice };
    const strayLinks: unknown[] = [];
    const ask = async (review: Review) => strayLinks.push(...review.strayLinks) > 0;
    await accept(await shop.open(), { answering: { ...saying(true), ask }, choices });
    expect(strayLinks).toEqual(toVisit('yours'));
  });

  test('are listed when a page lacks what the partner has to write for it', async () => {
    const { shop } = await partnership({ pages: { 'pages/visit.md': VISIT } });
    expect((await status(await shop.open())).inbox).toMatchObject({ review: { strayLinks: toVisit('nothing') } });
    await shop.write('slots/visit/hours.md', 'Ten to six\n');
    expect((await status(await shop.open())).inbox).toMatchObject({ review: { strayLinks: [] } });
  });
});

describe('a required slot', () => {
  test('leaves its page out until it is filled', async () => {
    const { shop } = await partnership({ pages: { 'pages/visit.md': VISIT } });
    const result = await accept(await shop.open(), { answering: saying(true), choices: {} });
    expect(result.kind).toBe('live');
    expect((await shop.live())['with-main/visit.html']).toBeUndefined();
    await shop.write('slots/visit/hours.md', 'Ten to six\n');
    await merge(await shop.open());
    expect((await shop.live())['with-main/visit.html']).toContain('Ten to six');
  });
});

describe.each(WAYS)('going back, published by %s', (publish) => {
  const twoReleases = async () => {
    const { main, shop } = await partnership({ publish });
    await shop.accept();
    const first = await shop.live();
    await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\nNew roast\n');
    await main.pushed();
    await shop.accept();
    return { main, shop, first, second: await shop.live() };
  };

  test('holds: the next push does not undo it until the manager resumes', async () => {
    const { main, shop, first, second } = await twoReleases();
    const { to } = await rollback(await shop.open(), undefined);
    expect(to.release?.number).toBe(1);
    expect(await shop.live()).toEqual(first);
    const held = await answersOf(shop);
    expect(held.receipt).toMatchObject({ state: 'held', release: 1, decision: held.digest });
    expect(held.decision).toMatchObject({ verdict: 'rollback', release: 1, by: 'manager', seq: 3 });

    await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\nNewest roast\n');
    await main.pushed();
    for (const work of [
      () => shop.accept(),
      async () => merge(await shop.open()),
      async () => withhold(await shop.open(), { page: 'story', undo: false }),
    ]) {
      expect((await refusalOf(shop, work, SEEN)).code).toBe('TIEUP_E_CONFLICT');
    }
    await resume(await shop.open());
    expect(await shop.live()).toEqual(second);
    const { chain, decision, receipt, digest } = await answersOf(shop);
    expect(decision).toMatchObject({ verdict: 'accepted', release: 2 });
    expect([chainFaults(chain), receipt?.state, receipt?.decision]).toEqual([[], 'live', digest]);
    expect(await shop.accept()).toMatchObject({ kind: 'live', decision: { release: 3 } });
    expect((await shop.live())['with-main/index.html']).toContain('Newest roast');
    expect(await verify(await shop.open())).toMatchObject({ differences: [] });
  });

  test('going back twice never leads forward again', async () => {
    const { shop } = await twoReleases();
    await shop.write('original/index.html', 'my new home');
    await merge(await shop.open());
    expect((await rollback(await shop.open(), undefined)).to.release?.number).toBe(1);
    expect((await shop.live())['index.html']).toBe('my new home');
    const refused = await refusalOf(shop, async () => rollback(await shop.open(), undefined));
    expect([refused.code, refused.error.message]).toEqual([
      'TIEUP_E_USAGE',
      'there is no earlier release to go back to',
    ]);
  });

  test('stops where an edit of a live page would be lost, and asks for a choice', async () => {
    const { shop, first, second } = await twoReleases();
    await shop.write('public/with-main/index.html', 'edited by hand');
    const refused = await refusalOf(shop, async () => rollback(await shop.open(), undefined));
    expect([refused.code, refused.problems.length]).toEqual(['TIEUP_E_CONFLICT', 1]);
    expect(refused.problems[0]).toContain('with-main/index.html');
    expect(await shop.live()).toEqual({ ...second, 'with-main/index.html': 'edited by hand' });
    const { restored } = await rollback(await shop.open(), undefined, { 'with-main/index.html': 'take-theirs' });
    expect(restored).toMatchObject({ altered: [], record: { restores: 1 } });
    expect(await shop.live()).toEqual(first);
    const { receipt, digest } = await answersOf(shop);
    expect(receipt).toMatchObject({ state: 'held', release: 1, decision: digest });
  });

  test('a receipt of what is held names the decision to go back, whatever is decided since', async () => {
    const { main, shop } = await twoReleases();
    await rollback(await shop.open(), undefined);
    const { digest } = await answersOf(shop);
    await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\nNewest roast\n');
    await main.pushed();
    await reject(await shop.open(), 'not now');
    await status(await shop.open());
    expect((await answersOf(shop)).receipt).toMatchObject({ state: 'held', decision: digest });
  });

  test('is refused where there is nothing to go back to or to resume, and nothing changes', async () => {
    const { shop } = await partnership({ publish });
    await shop.accept();
    expect((await refusalOf(shop, async () => rollback(await shop.open(), undefined))).code).toBe('TIEUP_E_USAGE');
    expect((await refusalOf(shop, async () => rollback(await shop.open(), 9))).code).toBe('TIEUP_E_USAGE');
    expect((await refusalOf(shop, async () => resume(await shop.open()))).code).toBe('TIEUP_E_USAGE');
  });

  test('a hold does not end when resuming is refused', async () => {
    const { shop, first } = await twoReleases();
    await rollback(await shop.open(), undefined);
    const refused = await refusalOf(shop, async () => resume(await unattended(shop)));
    expect(refused.code).toBe('TIEUP_E_PASSWORD');
    expect((await status(await shop.open())).held).toBe(true);
    expect(await shop.live()).toEqual(first);
  });

  test('nothing is decided without the password', async () => {
    const { shop } = await twoReleases();
    const refused = await refusalOf(
      shop,
      async () => rollback(await unattended(shop), undefined),
      /^state\/rollback\.json$/,
    );
    expect(refused.code).toBe('TIEUP_E_PASSWORD');
    expect((await status(await shop.open())).held).toBe(false);
  });
});

describe('original pages in place', () => {
  test('are neither moved nor changed, and a page in the way is a conflict', async () => {
    const originals = { 'index.html': 'mine', 'with-main/story.html': 'mine, and in the way' };
    const { shop } = await partnership({ publish: 'overwrite', inPlace: true, originals });
    const refused = await refusalOf(shop, () => shop.accept(), SEEN);
    expect(refused.code).toBe('TIEUP_E_CONFLICT');
    expect(refused.problems).toEqual([expect.stringContaining('with-main/story.html')]);
    const choices = { 'with-main/story.html': 'take-theirs' } as const;
    const taking = async () => accept(await shop.open(), { answering: saying(true), choices });
    expect((await refusalOf(shop, taking, SEEN)).code).toBe('TIEUP_E_CONFLICT');
    await accept(await shop.open(), {
      answering: saying(true),
      choices: { 'with-main/story.html': { rename: 'with-main/our-story.html' } },
    });
    const live = await shop.live();
    expect(live).toMatchObject(originals);
    expect(live['with-main/our-story.html']).toContain('How it began');
    expect(await verify(await shop.open())).toMatchObject({ differences: [], kept: ['with-main/story.html'] });
    // Remembered: nothing is asked again.
    expect((await merge(await shop.open())).wentLive?.publication.changed).toBe(false);
  });
});

describe('a choice for a path that the release does not have', () => {
  const misspelt = { 'with-main/stroy.html': 'keep-mine' } as const;

  test('is refused by accept, with what was meant', async () => {
    const { shop } = await partnership();
    const choosing = async () => accept(await shop.open(), { answering: saying(true), choices: misspelt });
    const refused = await refusalOf(shop, choosing, SEEN);
    expect(refused).toMatchObject({
      code: 'TIEUP_E_USAGE',
      error: { hint: 'did you mean "with-main/story.html"?' },
    });
  });

  test('is refused by merge, and nothing changes', async () => {
    const { shop } = await partnership();
    await shop.accept();
    const refused = await refusalOf(shop, async () => merge(await shop.open(), misspelt));
    expect(refused).toMatchObject({
      code: 'TIEUP_E_USAGE',
      error: { hint: 'did you mean "with-main/story.html"?' },
    });
  });
});

describe.each([
  ['keep-mine', 'mine', undefined],
  ['take-theirs', expect.stringContaining('How it began'), undefined],
  [{ rename: 'with-main/other.html' }, 'mine', expect.stringContaining('How it began')],
] as const)('a tie-up page over an original page, chosen %j', (choice, there, renamed) => {
  test.each(WAYS)('published by %s', async (publish) => {
    const originals = { 'with-main/story.html': 'mine' };
    const { shop } = await partnership({ publish, originals });
    expect((await refusalOf(shop, () => shop.accept(), SEEN)).code).toBe('TIEUP_E_CONFLICT');
    const choices = { 'with-main/story.html': choice };
    await accept(await shop.open(), { answering: saying(true), choices });
    const live = await shop.live();
    expect(live['with-main/story.html']).toEqual(there);
    expect(live['with-main/other.html']).toEqual(renamed);
    expect(await readFile(shop.path('original/with-main/story.html'), 'utf8')).toBe('mine');
  });
});
