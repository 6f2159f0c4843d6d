import { readFile, rm, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { accept, type AcceptResult } from '../../../src/partner-site/accept.ts';
import { withhold } from '../../../src/partner-site/merge.ts';
import { reject } from '../../../src/partner-site/reject.ts';
import { signPolicy } from '../../../src/partner-site/policy.ts';
import type { Review } from '../../../src/partner-site/review.ts';
import { status } from '../../../src/partner-site/status.ts';
import { noteSigner, signNote } from '../../../src/protocol/note.ts';
import { renderPolicy } from '../../../src/protocol/policy.ts';
import { lockedKeys, seededKey } from '../../support/memory-keys.ts';
import { answersOf } from '../../support/outbox.ts';
import type { OpenOptions, PartnerFixture } from '../../support/partner-fixture.ts';
import { type JoinOptions, type MainFixture, partnership } from '../../support/partnership-fixture.ts';
import { refusalOf } from '../../support/refusal.ts';
import { changedPaths, SEEN } from '../../support/snapshot.ts';

const AUTO = { config: { auto: { allow: 'content', maxChangedPages: 2, maxRemovedPages: 1 } } } as const;

/** What cron does: nobody is there, and the accept key is locked. */
async function auto(
  shop: PartnerFixture,
  reviews: Review[] = [],
  given: Pick<OpenOptions, 'config'> = AUTO,
): Promise<AcceptResult> {
  const keys = lockedKeys(shop.keys, ['accept']);
  const answering = { kind: 'policy', show: async (review: Review) => void reviews.push(review) } as const;
  return accept(await shop.open({ ...given, keys }), { answering, choices: {} });
}

/** Release 1 is live, the policy is signed, and nothing waits. */
async function underPolicy(options: JoinOptions = {}): Promise<{ main: MainFixture; shop: PartnerFixture }> {
  const { main, shop } = await partnership(options);
  await shop.accept();
  await signPolicy(await shop.open(AUTO));
  return { main, shop };
}

/** That it is the manager's turn, for these reasons, and that nothing that counts has changed. */
async function leftToTheManager(
  shop: PartnerFixture,
  given: Pick<OpenOptions, 'config'> = AUTO,
): Promise<readonly string[]> {
  const before = await shop.snapshot();
  const result = await auto(shop, [], given);
  expect(changedPaths(before, await shop.snapshot(), SEEN)).toEqual([]);
  if (result.kind !== 'left-to-the-manager') throw new Error(`it was ${result.kind}`);
  return result.reasons;
}

const change = (main: MainFixture, page: string, text = 'New'): Promise<void> =>
  main.write(`pages/${page}.md`, `---\ntitle: ${page}\n---\n\n${text}\n`);

describe('accepting by policy', () => {
  test('signs with the site key, without a password, and shows what it does', async () => {
    const { main, shop } = await underPolicy();
    await change(main, 'index');
    await main.pushed();
    const reviews: Review[] = [];
    expect(await auto(shop, reviews)).toMatchObject({ kind: 'live', decision: { by: 'policy', seq: 2 } });
    expect(reviews).toHaveLength(1);
    const { signers, digest, receipt } = await answersOf(shop);
    expect(signers).toEqual(['harbour/site']);
    expect(receipt?.decision).toBe(digest);
    expect((await main.push()).map(({ kind }) => kind)).toEqual(['unchanged']);
  });

  test('is not possible before the manager has signed a policy', async () => {
    const { shop } = await partnership();
    expect(await leftToTheManager(shop)).toEqual([expect.stringContaining('signed no policy')]);
  });

  test('is not signed when tieup.yaml allows nothing', async () => {
    const { shop } = await partnership();
    await expect(signPolicy(await shop.open())).rejects.toMatchObject({ code: 'TIEUP_E_CONFIG', exitCode: 78 });
  });

  test('never covers the first release', async () => {
    const { shop } = await partnership();
    await signPolicy(await shop.open(AUTO));
    expect(await leftToTheManager(shop)).toContain('it is the first release of this partnership');
  });

  test('keeps to its limits', async () => {
    const { main, shop } = await underPolicy();
    for (const page of ['one', 'two', 'three']) await change(main, page);
    await main.pushed();
    expect(await leftToTheManager(shop)).toEqual(['3 files are new or changed, more than 2']);
    await main.remove('pages/three.md');
    await main.remove('pages/story.md');
    await main.remove('assets/style.css');
    await main.write(
      'templates/page.html',
      '<!doctype html><html lang="en"><head><title>x</title></head><body><slot name="content"></slot></body></html>\n',
    );
    await main.pushed();
    expect(await leftToTheManager(shop)).toContain('2 files go away, more than 1');
  });

  test('ends at once when tieup.yaml allows nothing any more, and keeps to lower limits, but to no higher ones', async () => {
    const { main, shop } = await underPolicy();
    await change(main, 'index');
    await main.pushed();
    const allow = 'content';
    expect(await leftToTheManager(shop, { config: { auto: { allow: 'nothing' } } })).toEqual([
      'tieup.yaml allows nothing to be accepted without asking',
    ]);
    expect(await leftToTheManager(shop, { config: { auto: { allow, maxChangedPages: 0 } } })).toEqual([
      expect.stringContaining('more than 0'),
    ]);
    for (const page of ['one', 'two', 'three']) await change(main, page);
    await main.pushed();
    expect(await leftToTheManager(shop, { config: { auto: { allow, maxChangedPages: 99 } } })).toEqual([
      expect.stringContaining('more than 2'),
    ]);
  });

  test('never covers changed terms', async () => {
    const { main, shop } = await underPolicy();
    await main.editPartner('harbour', '/with-main/', '/coffee/');
    await main.pushed();
    expect(await leftToTheManager(shop)).toContain('the terms change');
  });

  test('never covers scripts, though the terms allow them', async () => {
    const { main, shop } = await underPolicy({ partnership: 'policy:\n  scripts: own\n' });
    await main.write('assets/menu.js', 'document.title = "menu"\n');
    await main.pushed();
    expect(await leftToTheManager(shop)).toContain('it brings scripts or other active content');
    expect(await shop.accept()).toMatchObject({ kind: 'live' });
  });

  test('never overrules a release that the manager rejected', async () => {
    const { main, shop } = await underPolicy();
    await change(main, 'index');
    await main.pushed();
    await reject(await shop.open(AUTO), 'not like this');
    expect(await leftToTheManager(shop)).toEqual(['the manager rejected it']);
  });

  test('remembers a rejection, whatever is merged, withheld or rolled back meanwhile', async () => {
    const { main, shop } = await underPolicy();
    await change(main, 'index');
    await main.pushed();
    await reject(await shop.open(AUTO), 'not like this');
    await withhold(await shop.open(AUTO), { page: 'story', undo: false });
    await withhold(await shop.open(AUTO), { page: 'story', undo: true });
    expect((await answersOf(shop)).decision).toMatchObject({ verdict: 'accepted', release: 1, seq: 4 });
    expect(await leftToTheManager(shop)).toEqual(['the manager rejected it']);
    expect((await status(await shop.open(AUTO))).inbox).toMatchObject({ kind: 'rejected', reason: 'not like this' });
    expect(await shop.accept()).toMatchObject({ kind: 'live', decision: { release: 2 } });
  });

  test('ends with the policy', async () => {
    const { main, shop } = await underPolicy();
    main.clock.passDays(366);
    await change(main, 'index');
    await main.pushed();
    expect(await leftToTheManager(shop)).toEqual([expect.stringContaining('the policy was good until 2027-11-23')]);
  });

  test('is refused under a policy of another key, another partner, or an altered one', async () => {
    const { main, shop } = await underPolicy();
    await change(main, 'index');
    await main.pushed();
    const path = shop.path('state/policy.note');
    const good = await readFile(path, 'utf8');
    const policy = {
      partner: 'harbour',
      maxChanged: null,
      maxRemoved: null,
      from: '2026-01-01T00:00:00Z',
      until: '2030-01-01T00:00:00Z',
    };
    const signedBy = (name: string, seed: Uint8Array, partner = 'harbour') =>
      signNote(renderPolicy({ ...policy, partner }), [noteSigner(name, seed)]);
    const forged: Record<string, string | Uint8Array> = {
      'a stranger’s': signedBy('harbour/accept', seededKey('a stranger', 'accept')),
      'the site key’s': signedBy('harbour/site', await shop.keys.load('site')),
      'for another partner': signedBy('harbour/accept', await shop.keys.load('accept'), 'lighthouse'),
      altered: good.replace('max-changed 2', 'max-changed -'),
      'cut off': good.slice(0, -10),
    };
    for (const [name, note] of Object.entries(forged)) {
      await writeFile(path, note);
      const answering = { kind: 'policy', show: async () => {} } as const;
      const work = async () => accept(await shop.open(AUTO), { answering, choices: {} });
      const { code } = await refusalOf(shop, work, SEEN);
      expect([name, code]).toEqual([name, 'TIEUP_E_VERIFY']);
    }
    await rm(path);
    expect(await leftToTheManager(shop)).toEqual([expect.stringContaining('signed no policy')]);
  });
});
