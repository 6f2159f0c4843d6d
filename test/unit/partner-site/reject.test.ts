import { rm } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { accept } from '../../../src/partner-site/accept.ts';
import { reject } from '../../../src/partner-site/reject.ts';
import type { Review } from '../../../src/partner-site/review.ts';
import { verify } from '../../../src/partner-site/verify.ts';
import { HARMLESS, type Hostile, layHostile } from '../../support/hostile-release.ts';
import { answersOf, chainFaults } from '../../support/outbox.ts';
import { type MainFixture, partnership } from '../../support/partnership-fixture.ts';
import { type PartnerFixture, saying } from '../../support/partner-fixture.ts';
import { refusalOf, refusedAccept } from '../../support/refusal.ts';
import { changedPaths } from '../../support/snapshot.ts';

/** What a "no" leaves: the decision in state and outbox, a line in the history, and that the release was seen. */
const THE_NO =
  /^(?:state\/(?:tuf(?:\/.*)?|decisions\/2\.note|history\/(?:lasting\/)?\d+\.jsonl)|exchange\/outbox\/(?:decisions\/2\.note|decision\.note))$/;

describe('a release that must not be accepted can be rejected', () => {
  let main: MainFixture;
  let ready: PartnerFixture;

  // Release 1 is live; every test works on a copy.
  beforeAll(async () => {
    ({ main, shop: ready } = await partnership());
    await ready.accept();
  });

  const page = (body: string) => ({ 'with-main/page.html': `<!doctype html><title>x</title>${body}` });

  test.each<[string, Hostile]>([
    ['it brings a script that the terms forbid', { files: page('<script>alert(1)</script>') }],
    ['it brings a program for the web server', { files: { 'with-main/shell.php.txt': 'x' } }],
    ['it climbs out of its mount', { files: { 'index.html': 'x' } }],
    ['its content is missing', { files: HARMLESS, pack: null }],
    ['its contract is over', { files: HARMLESS, terms: withPeriod('2026-01-01T00:00:00Z', '2026-11-01T23:59:59Z') }],
    ['its contract has not begun', { files: HARMLESS, terms: withPeriod('2026-12-01T00:00:00Z', null) }],
    ['its list of files cannot be read', { files: HARMLESS, bytes: { release: Buffer.from('{') } }],
    ['its terms cannot be read', { files: HARMLESS, bytes: { terms: Buffer.from('{') } }],
    ['it names another partner', { files: HARMLESS, release: (release) => ({ ...release, partner: 'lighthouse' }) }],
    ['it has a document too many', { files: HARMLESS, targets: { 'evil.html': Buffer.from('<script>') } }],
  ])('because %s', async (_, hostile) => {
    const shop = await ready.copy();
    const releaseDigest = await layHostile(main, shop, hostile);
    await refusedAccept(shop);
    const before = await shop.snapshot();

    await reject(await shop.open(), 'not on my site');

    expect(changedPaths(before, await shop.snapshot(), THE_NO)).toEqual([]);
    const { chain, decision, signers, receipt } = await answersOf(shop);
    expect(decision).toMatchObject({
      seq: 2,
      verdict: 'rejected',
      by: 'manager',
      reason: 'not on my site',
      release: 10,
      releaseDigest,
      merge: null,
    });
    expect([signers, chainFaults(chain), receipt?.release]).toEqual([['harbour/accept'], [], 1]);
    expect((await verify(await shop.open())).differences).toEqual([]);
    // A "no" makes it no more acceptable than it was.
    await refusedAccept(shop);
  });

  test.each<[string, string, Hostile]>([
    ['signed with the keys of another partner', 'TIEUP_E_VERIFY', { files: HARMLESS, keysOf: 'lighthouse' }],
    ['out of time', 'TIEUP_E_EXPIRED', { files: HARMLESS, now: new Date('2026-11-01T00:00:00Z') }],
  ])('but not one that is %s: nobody knows what the "no" would be about', async (_, code, hostile) => {
    const shop = await ready.copy();
    await layHostile(main, shop, hostile);
    expect((await refusalOf(shop, async () => reject(await shop.open(), 'no'), /^$/)).code).toBe(code);
  });

  test('and who looks at it again sees that, and why, until it is accepted after all', async () => {
    const shop = await ready.copy();
    await layHostile(main, shop, { files: HARMLESS });
    await reject(await shop.open(), 'last year’s prices');
    const reviews: Review[] = [];
    const ask = async (review: Review): Promise<boolean> => reviews.push(review) > 1;
    const answering = { ...saying(true), ask };
    await accept(await shop.open(), { answering, choices: {} });
    await accept(await shop.open(), { answering, choices: {} });
    expect(reviews.map(({ rejected }) => rejected?.reason)).toEqual(['last year’s prices', 'last year’s prices']);
    expect((await answersOf(shop)).receipt?.release).toBe(10);
  });

  test('but not where nothing lies in the inbox', async () => {
    const shop = await ready.copy();
    await rm(shop.path('exchange/inbox/metadata/timestamp.json'));
    const refused = await refusalOf(shop, async () => reject(await shop.open(), 'no'), /^$/);
    expect(refused.code).toBe('TIEUP_E_NOT_FOUND');
  });
});

function withPeriod(from: string, until: string | null): NonNullable<Hostile['terms']> {
  return (terms) => ({ ...terms, period: { from, until } });
}
