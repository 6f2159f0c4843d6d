import { describe, expect, test } from 'vitest';
import { isTieupError } from '../../../src/errors.ts';
import { openOutbox } from '../../../src/main-site/read-outbox.ts';
import { loadPartnership } from '../../../src/main-site/partnerships.ts';
import { status as mainStatus } from '../../../src/main-site/status.ts';
import { accept } from '../../../src/partner-site/accept.ts';
import { comeBack, leave, type LeavePlan, type LeaveRequest } from '../../../src/partner-site/leave.ts';
import { merge, withhold } from '../../../src/partner-site/merge.ts';
import type { PartnerSite } from '../../../src/partner-site/partner-site.ts';
import { signPolicy } from '../../../src/partner-site/policy.ts';
import { reject } from '../../../src/partner-site/reject.ts';
import { resume, rollback } from '../../../src/partner-site/rollback.ts';
import { status } from '../../../src/partner-site/status.ts';
import { verify } from '../../../src/partner-site/verify.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import { lockedKeys } from '../../support/memory-keys.ts';
import { answersOf, chainFaults } from '../../support/outbox.ts';
import { type PartnerFixture, saying, UNASKED } from '../../support/partner-fixture.ts';
import { type MainFixture, ORIGINALS, partnership } from '../../support/partnership-fixture.ts';
import { refusalOf } from '../../support/refusal.ts';

function leaving(changes: Partial<LeaveRequest> = {}): LeaveRequest {
  return {
    reason: null,
    choices: {},
    confirm: async () => true,
    choose: async () => undefined,
    ...changes,
  };
}

const UNASKED_LEAVING = leaving({
  confirm: async () => {
    throw new Error('the manager was asked again');
  },
});

async function stateAtMain(main: MainFixture) {
  const [row] = await mainStatus(main.site, ['harbour'], 1);
  return row;
}

async function newRelease(main: MainFixture): Promise<void> {
  await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\nNew roast\n');
  await main.pushed();
}

const WAYS = [
  ['link', {}],
  ['overwrite', { publish: 'overwrite' }],
  ['overwrite in place', { publish: 'overwrite', inPlace: true }],
] as const;

describe.each(WAYS)('leaving, published by %s', (way, options) => {
  test('takes away every tie-up page and nothing else, and tells the main site', async () => {
    const { main, shop } = await partnership(options);
    await shop.accept();
    await shop.write('public/mine.txt', 'put there by hand');
    const plans: LeavePlan[] = [];
    const result = await leave(
      await shop.open(),
      leaving({ reason: 'we close the shop', confirm: async (plan) => plans.push(plan) > 0 }),
    );

    expect(plans[0]?.live.release?.number).toBe(1);
    if (result.kind !== 'left') throw new Error(result.kind);
    expect(result.plan.removals.filter(({ original }) => !original).map(({ path }) => path)).toEqual([
      'with-main/assets/style.css',
      'with-main/index.html',
      'with-main/story.html',
      'with-main/visit.html',
    ]);
    expect(await shop.live()).toEqual({ ...ORIGINALS, 'mine.txt': 'put there by hand' });
    expect((await verify(await shop.open())).differences).toEqual([]);

    const { decision, digest, signers, receipt, chain } = await answersOf(shop);
    expect(signers).toEqual(['harbour/accept']);
    expect(decision).toMatchObject({ seq: 2, verdict: 'rejected', release: 1, reason: 'we close the shop' });
    expect(chainFaults(chain)).toEqual([]);
    const sums = await shop.open().then(({ state }) => state.read('published/2.SHA256SUMS', 1e6));
    expect(receipt).toMatchObject({
      state: 'left',
      release: 1,
      releaseDigest: decision?.releaseDigest,
      decision: digest,
      publication: 2,
      published: sha256(sums),
      pages: { tieUp: 0, original: 2 },
    });
    expect(
      await openOutbox(
        await main.site.connect(await loadPartnership(main.site, 'harbour')),
        await loadPartnership(main.site, 'harbour'),
      ),
    ).toMatchObject({
      receipt: { statement: { state: 'left' } },
    });
    expect(await stateAtMain(main)).toMatchObject({ state: 'left', live: null });
  });

  test('keeps everything of the main site out, until it is taken back and the manager accepts again', async () => {
    const { main, shop } = await partnership(options);
    await shop.accept();
    await leave(await shop.open(), leaving());
    await newRelease(main);
    expect(await stateAtMain(main)).toMatchObject({ state: 'left', pushed: 2, live: null });
    const works: readonly ((site: PartnerSite) => Promise<unknown>)[] = [
      (site) => accept(site, { answering: saying(true), choices: {} }),
      (site) => merge(site),
      (site) => withhold(site, { page: 'index', undo: false }),
      (site) => rollback(site, 1),
      (site) => resume(site),
    ];
    for (const work of works) {
      const { code, error } = await refusalOf(shop, async () => work(await shop.open()));
      expect([code, error.exitCode, error.hint]).toEqual([
        'TIEUP_E_CONTRACT',
        11,
        'to take releases again: tieup leave --undo',
      ]);
    }
    const left = await status(await shop.open());
    expect(left.left?.since).toBe('2026-11-23T12:00:00Z');
    expect(left.live?.release).toBeNull();

    expect(await comeBack(await shop.open())).toEqual(left.left);
    expect(await shop.live()).toEqual(ORIGINALS);
    expect(await stateAtMain(main)).toMatchObject({ state: 'left' });
    const result = await shop.accept();
    expect(result).toMatchObject({ kind: 'live', decision: { seq: 3, release: 2, verdict: 'accepted' } });
    expect((await shop.live())['with-main/index.html']).toContain('New roast');
    expect(await shop.live()).toMatchObject(ORIGINALS);
    expect(await stateAtMain(main)).toMatchObject({ state: 'live', live: 2 });
    expect(chainFaults((await answersOf(shop)).chain)).toEqual([]);
  });

  test('can be followed by the very release that was live, without a new push', async () => {
    const { main, shop } = await partnership(options);
    await shop.accept();
    const before = await shop.live();
    await leave(await shop.open(), leaving());
    await comeBack(await shop.open());
    await shop.accept();
    expect(await shop.live()).toEqual(before);
    expect(await stateAtMain(main)).toMatchObject({ state: 'live', live: 1 });
  });

  test('stops at a tie-up page that was edited by hand, and keeps it when the manager says so', async () => {
    const { shop } = await partnership(options);
    await shop.accept();
    await shop.write('public/with-main/index.html', 'edited by hand');
    const { code, problems } = await refusalOf(shop, async () => leave(await shop.open(), leaving()));
    expect(code).toBe('TIEUP_E_CONFLICT');
    expect(problems).toHaveLength(1);
    await leave(await shop.open(), leaving({ choices: { 'with-main/index.html': 'keep-mine' } }));
    expect(await shop.live()).toEqual({ ...ORIGINALS, 'with-main/index.html': 'edited by hand' });
  });

  test('finishes after a crash at any step, without asking or signing twice', async () => {
    const { shop } = await partnership(options);
    await shop.accept();
    let steps = 0;
    await leave(await (await shop.copy()).open({ beforeStep: () => void (steps += 1) }), leaving());
    expect(steps).toBeGreaterThan(10);
    // The ways take turns: what two of them have in common crashes at each step.
    for (let crashAt = 1 + (WAYS.findIndex(([other]) => other === way) % 2); crashAt <= steps; crashAt += 2) {
      const copy = await shop.copy();
      await crash(copy, crashAt);
      const { left, live } = await status(await copy.open());
      // Before the decision nothing has changed.
      expect(left !== undefined || live?.release?.number === 1).toBe(true);
      await leave(await copy.open(), left === undefined ? leaving() : UNASKED_LEAVING);
      expect(await copy.live()).toEqual(ORIGINALS);
      const { chain, receipt, digest } = await answersOf(copy);
      expect(chainFaults(chain)).toEqual([]);
      expect(chain.map(({ verdict }) => verdict)).toEqual(['accepted', 'rejected']);
      expect(receipt).toMatchObject({ state: 'left', decision: digest });
      expect((await verify(await copy.open())).differences).toEqual([]);
    }
  });
});

async function crash(shop: PartnerFixture, at: number): Promise<void> {
  let step = 0;
  const site = await shop.open({
    beforeStep: () => {
      step += 1;
      if (step >= at) throw new Error('killed');
    },
  });
  await leave(site, leaving()).then(
    () => undefined,
    (error: unknown) => {
      if (!(error instanceof Error)) throw error;
    },
  );
}

describe('leaving', () => {
  test('brings back an original page in whose place a tie-up page stood', async () => {
    const mine = { ...ORIGINALS, 'with-main/index.html': 'my own page about coffee' };
    const { shop } = await partnership({ originals: mine });
    const choices = { 'with-main/index.html': 'take-theirs' } as const;
    await accept(await shop.open(), { answering: saying(true), choices });
    expect((await shop.live())['with-main/index.html']).toContain('Our coffee');
    await leave(await shop.open(), leaving());
    expect(await shop.live()).toEqual(mine);
  });

  test('is refused when no tie-up page is live', async () => {
    const { shop } = await partnership();
    const { code, error } = await refusalOf(shop, async () => leave(await shop.open(), leaving()));
    expect([code, error.hint]).toEqual(['TIEUP_E_NOT_FOUND', 'to say no to what is in the inbox: tieup reject']);
  });

  test('changes nothing when the manager says no, or when the key cannot be opened', async () => {
    const { shop } = await partnership();
    await shop.accept();
    const before = await shop.snapshot();
    const no = leaving({ confirm: async () => false });
    expect(await leave(await shop.open(), no)).toEqual({ kind: 'declined' });
    expect(await shop.snapshot()).toEqual(before);
    const keys = lockedKeys(shop.keys, ['accept']);
    expect((await refusalOf(shop, async () => leave(await shop.open({ keys }), leaving()))).code).toBe(
      'TIEUP_E_PASSWORD',
    );
  });

  test('a second time says so and asks nobody', async () => {
    const { shop } = await partnership();
    await shop.accept();
    await leave(await shop.open(), leaving());
    const before = await shop.snapshot();
    expect(await leave(await shop.open(), UNASKED_LEAVING)).toMatchObject({ kind: 'left-already' });
    expect(await shop.snapshot()).toEqual(before);
  });

  test('ends a hold as well', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    await newRelease(main);
    await shop.accept();
    await rollback(await shop.open(), undefined);
    await leave(await shop.open(), leaving());
    expect(await shop.live()).toEqual(ORIGINALS);
    expect((await answersOf(shop)).decision).toMatchObject({ verdict: 'rejected', release: 1 });
    await comeBack(await shop.open());
    expect(await shop.accept()).toMatchObject({ kind: 'live', decision: { release: 2 } });
  });

  test('works when the contract is over and the inbox is empty', async () => {
    const { main, shop } = await partnership({ partnership: '  until: "2026-11-30"\n' });
    await shop.accept();
    main.clock.passDays(400);
    await shop.remove('exchange/inbox');
    expect(await leave(await shop.open(), leaving())).toMatchObject({ kind: 'left' });
    expect(await shop.live()).toEqual(ORIGINALS);
  });

  test('a manager’s return is for the manager: no policy accepts the first release after it', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    const auto = { allow: 'content' } as const;
    await signPolicy(await shop.open({ config: { auto } }));
    await leave(await shop.open(), leaving());
    await newRelease(main);
    await comeBack(await shop.open());
    const result = await accept(await shop.open({ config: { auto } }), {
      answering: { kind: 'policy', show: async () => {} },
      choices: {},
    });
    expect(result).toMatchObject({
      kind: 'left-to-the-manager',
      reasons: ['it is the first release of this partnership'],
    });
  });

  test('cannot be taken back by a site that has not left', async () => {
    const { shop } = await partnership();
    await shop.accept();
    expect((await refusalOf(shop, async () => comeBack(await shop.open()))).code).toBe('TIEUP_E_USAGE');
  });

  test('a rejection of what waits is no leaving', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    await newRelease(main);
    await reject(await shop.open(), 'not now');
    expect((await status(await shop.open())).left).toBeUndefined();
    expect(await stateAtMain(main)).toMatchObject({ state: 'rejected', live: 1 });
    expect(
      isTieupError(await accept(await shop.open(), { answering: UNASKED, choices: {} }).catch((e: unknown) => e)),
    ).toBe(false);
  });
});
