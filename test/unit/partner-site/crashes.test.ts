/**
 * A process that dies before any of its system calls that change something. Whatever is left, the next command must bring the site
 * to a state that its decision and its receipt describe.
 */
import { describe, expect, test } from 'vitest';
import { accept } from '../../../src/partner-site/accept.ts';
import { merge, withhold } from '../../../src/partner-site/merge.ts';
import { resume, rollback } from '../../../src/partner-site/rollback.ts';
import { status } from '../../../src/partner-site/status.ts';
import { verify } from '../../../src/partner-site/verify.ts';
import { changesOf, killedAt, type Work } from '../../support/killed.ts';
import { answersOf, chainFaults } from '../../support/outbox.ts';
import { type PartnerFixture, saying, UNASKED } from '../../support/partner-fixture.ts';
import { partnership } from '../../support/partnership-fixture.ts';

/** A whole life of a site for every step takes its time on a busy machine. */
const PATIENCE = { timeout: 300_000 };

const acceptIt: Work = (site) => accept(site, { answering: saying(true), choices: {} });

/** Release 1 is live, release 2 waits. */
async function waiting(publish: 'link' | 'overwrite'): Promise<PartnerFixture> {
  const { main, shop } = await partnership({ publish });
  await shop.write('slots/visit/hours.md', 'From ten to six.\n');
  await shop.accept();
  await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\nNew roast\n');
  await main.write('pages/news.md', '---\ntitle: News\n---\n\nIt rains.\n');
  await main.remove('pages/story.md');
  await main.pushed();
  return shop;
}

/** Names of the file system change here, history of people aside; what lies between two of these looks the same to the next command. */
const NAMING = /^(?:rename|link|symlink|unlink|rmdir|mkdir) (?!(?:state\/)?(?:objects|history))/;

/** The steps at which to kill: all that change a name, each with the number of the call. */
async function stepsOf(ready: PartnerFixture, work: Work): Promise<readonly number[]> {
  return (await changesOf(ready, work)).flatMap((step, index) => (NAMING.test(step) ? [index + 1] : []));
}

/** What the site says of itself and what visitors see; null where nothing is. */
async function told(shop: PartnerFixture) {
  const { decision, digest, receipt, chain } = await answersOf(shop);
  return {
    decision: decision === undefined ? null : `${decision.verdict} ${decision.release}`,
    receipt: receipt === undefined ? null : `${receipt.state} ${receipt.release}`,
    follows: receipt?.decision === digest,
    faults: chainFaults(chain),
    live: await shop.live(),
  };
}

const TOLD_TWO = { decision: 'accepted 2', receipt: 'live 2', follows: true, faults: [] };

describe.each(['link', 'overwrite'] as const)('killed at any step, published by %s', (publish) => {
  test('an acceptance is finished by the next one, which asks only if nothing was decided', PATIENCE, async () => {
    const ready = await waiting(publish);
    const before = await ready.live();
    const done = await ready.copy();
    await done.accept();
    const after = await done.live();
    const steps = await stepsOf(ready, acceptIt);
    expect(steps.length).toBeGreaterThan(20);
    for (const step of steps) {
      const shop = await killedAt(ready, acceptIt, step);
      const served = publish === 'link' ? await shop.live() : before;
      expect([before, after]).toContainEqual(served);

      const { decision } = await status(await shop.open());
      const now = await told(shop);
      expect([before, after]).toContainEqual(now.live);
      expect(now.faults).toEqual([]);
      expect(now.decision).toBe(`accepted ${decision?.release}`);
      expect(now.receipt).toBe(now.live['with-main/news.html'] === undefined ? 'live 1' : 'live 2');

      const decided = decision?.release === 2;
      const result = await accept(await shop.open(), { answering: decided ? UNASKED : saying(true), choices: {} });
      expect(['live', 'nothing-new']).toContain(result.kind);
      expect(await told(shop)).toEqual({ ...TOLD_TWO, live: after });
      expect((await answersOf(shop)).chain).toHaveLength(2);
      expect(await verify(await shop.open())).toMatchObject({ differences: [] });
    }
  });

  test('withholding a page is done or not done, and can be done again', PATIENCE, async () => {
    const ready = await waiting(publish);
    const work: Work = (site) => withhold(site, { page: 'story', undo: false });
    const before = await ready.live();
    const steps = await stepsOf(ready, work);
    for (const step of steps) {
      const shop = await killedAt(ready, work, step);
      const { withheld } = await status(await shop.open());
      const now = await told(shop);
      const isThere = now.live['with-main/story.html'] !== undefined;
      expect(now.faults).toEqual([]);
      expect(now.receipt).toBe('live 1');
      const done = { withheld: ['with-main/story.html'], follows: true };
      const { 'with-main/story.html': _, ...others } = before;
      expect({ live: now.live, ...(isThere ? {} : { withheld, follows: now.follows }) }).toEqual(
        isThere ? { live: before } : { live: others, ...done },
      );

      await work(await shop.open());
      const { live, follows, faults } = await told(shop);
      expect({ follows, faults }).toEqual({ follows: true, faults: [] });
      expect(live['with-main/story.html']).toBeUndefined();
      expect(await verify(await shop.open())).toMatchObject({ differences: [] });
    }
  });

  test.each(['as it was', 'edited'])(
    'a rollback that was decided is carried out by the next command, and holds; the old tree is %s',
    PATIENCE,
    async (tree) => {
      const ready = await waiting(publish);
      const own = { 'uploads/cv.pdf': 'cv' };
      const before = { ...(await ready.live()), ...(tree === 'edited' ? own : {}) };
      await ready.accept();
      if (tree === 'edited') {
        if (publish === 'link') await ready.write('published/1/with-main/story.html', 'edited');
        await ready.write('public/uploads/cv.pdf', own['uploads/cv.pdf']);
      }
      const after = await ready.live();
      const work: Work = (site) => rollback(site, undefined);
      const steps = await stepsOf(ready, work);
      for (const step of steps) {
        const shop = await killedAt(ready, work, step);
        const served = publish === 'link' ? await shop.live() : before;
        expect([before, after]).toContainEqual(served);
        const { decision, held } = await status(await shop.open());
        const now = await told(shop);
        const decided = decision?.verdict === 'rollback';
        expect([step, { ...now, held }]).toEqual([
          step,
          decided
            ? { decision: 'rollback 1', receipt: 'held 1', follows: true, faults: [], live: before, held: true }
            : { ...TOLD_TWO, live: after, held: false },
        ]);
        const next: unknown = await shop.accept().catch((error: unknown) => error);
        expect(next).toMatchObject(decided ? { code: 'TIEUP_E_CONFLICT' } : { kind: 'nothing-new' });
      }
    },
  );

  test('an end of the hold is done by the next one', PATIENCE, async () => {
    const ready = await waiting(publish);
    await ready.accept();
    const after = await ready.live();
    await rollback(await ready.open(), undefined);
    const before = await ready.live();
    const steps = await stepsOf(ready, resume);
    for (const step of steps) {
      const shop = await killedAt(ready, resume, step);
      const { held } = await status(await shop.open());
      const now = await told(shop);
      expect([before, after]).toContainEqual(now.live);
      expect(now.faults).toEqual([]);
      if (held) await resume(await shop.open());
      else await merge(await shop.open());
      expect([step, await told(shop)]).toEqual([step, { ...TOLD_TWO, live: after }]);
      expect((await answersOf(shop)).chain).toHaveLength(4);
    }
  });
});
