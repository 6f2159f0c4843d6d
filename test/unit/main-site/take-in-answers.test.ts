/** What a partner answered, and what of it is believed: everything else is refused, and changes nothing of what is known. */
import { MAX_DECISION_NOTE } from '../../../src/protocol/exchange.ts';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TieupError } from '../../../src/errors.ts';
import { learnRemote } from '../../../src/main-site/learn-remote.ts';
import { loadPartnership } from '../../../src/main-site/partnerships.ts';
import { carriesOut, type Outbox, receiptFollows } from '../../../src/main-site/read-outbox.ts';
import { readRecord } from '../../../src/main-site/record.ts';
import { takeInAnswers } from '../../../src/main-site/take-in-answers.ts';
import { accept } from '../../../src/partner-site/accept.ts';
import { rotateOwnKey } from '../../../src/partner-site/keys-rotate.ts';
import { leave } from '../../../src/partner-site/leave.ts';
import { merge } from '../../../src/partner-site/merge.ts';
import { signPolicy } from '../../../src/partner-site/policy.ts';
import { reject } from '../../../src/partner-site/reject.ts';
import { resume, rollback } from '../../../src/partner-site/rollback.ts';
import { type Decision, decisionDigest, renderDecision } from '../../../src/protocol/decision.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import { noteSigner, signNote } from '../../../src/protocol/note.ts';
import { type AcceptPolicy, renderPolicy } from '../../../src/protocol/policy.ts';
import { type Receipt, renderReceipt } from '../../../src/protocol/receipt.ts';
import { seededKey } from '../../support/memory-keys.ts';
import type { PartnerFixture } from '../../support/partner-fixture.ts';
import { type JoinOptions, type MainFixture, partnership } from '../../support/partnership-fixture.ts';
import { changedPaths, snapshotOf } from '../../support/snapshot.ts';

type Role = 'accept' | 'site';

const POLICY: AcceptPolicy = {
  partner: 'harbour',
  maxChanged: null,
  maxRemoved: null,
  from: '2026-11-01T00:00:00Z',
  until: '2026-12-01T00:00:00Z',
};

/** A partner that signs whatever it is told to, with its real keys. */
class Hand {
  readonly main: MainFixture;
  readonly shop: PartnerFixture;
  /** The last decision that was signed. */
  last: Decision | undefined;

  constructor(main: MainFixture, shop: PartnerFixture) {
    this.main = main;
    this.shop = shop;
  }

  static async started(options: Parameters<typeof partnership>[0] = {}): Promise<Hand> {
    const { main, shop } = await partnership(options);
    return new Hand(main, shop);
  }

  /** A decision on what was pushed last, following the one before. */
  async decision(changes: Partial<Decision> = {}): Promise<Decision> {
    const { release, releaseDigest, termsDigest } = await this.main.pushedBefore();
    return {
      partner: 'harbour',
      terms: termsDigest,
      seq: (this.last?.seq ?? 0) + 1,
      previous: this.last === undefined ? null : decisionDigest(this.last),
      release: release.release,
      releaseDigest,
      merge: sha256('merge'),
      verdict: 'accepted',
      by: 'manager',
      time: '2026-11-23T12:00:00Z',
      expires: '2026-12-23T12:00:00Z',
      reason: null,
      ...changes,
    };
  }

  async sign(body: string, role: Role): Promise<Uint8Array> {
    return signNote(body, [noteSigner(`harbour/${role}`, await this.shop.keys.load(role))]);
  }

  async decides(changes: Partial<Decision> = {}, role: Role = 'accept'): Promise<Decision> {
    const decision = await this.decision(changes);
    const note = await this.sign(renderDecision(decision), role);
    await this.lay(`decisions/${decision.seq}.note`, note);
    await this.lay('decision.note', note);
    this.last = decision;
    return decision;
  }

  decidesByPolicy(changes: Partial<Decision> = {}): Promise<Decision> {
    return this.decides({ by: 'policy', ...changes }, 'site');
  }

  async allows(changes: Partial<AcceptPolicy> = {}, role: Role = 'accept'): Promise<void> {
    await this.lay('policy.note', await this.sign(renderPolicy({ ...POLICY, ...changes }), role));
  }

  async receives(changes: Partial<Receipt> = {}, role: Role = 'site'): Promise<Receipt> {
    const { last } = this;
    if (last === undefined) throw new Error('nothing was decided');
    const receipt: Receipt = {
      partner: 'harbour',
      release: last.release,
      releaseDigest: last.releaseDigest,
      decision: decisionDigest(last),
      publication: 1,
      published: sha256('sums'),
      state: 'live',
      pages: { tieUp: 3, original: 2 },
      time: '2026-11-23T12:00:00Z',
      ...changes,
    };
    await this.lay('receipt.note', await this.sign(renderReceipt(receipt), role));
    return receipt;
  }

  lay(name: string, note: Uint8Array | string): Promise<void> {
    return this.shop.write(`exchange/outbox/${name}`, note);
  }

  note(name: string): Promise<Buffer> {
    return readFile(this.shop.path(`exchange/outbox/${name}`));
  }

  /** The next release, with another page. */
  async pushes(text: string): Promise<void> {
    await this.main.write('pages/index.md', `---\ntitle: Our coffee\n---\n\n# ${text}\n`);
    await this.main.pushed();
  }

  async takenIn(): Promise<Outbox> {
    const { site } = this.main;
    const partner = await loadPartnership(site, 'harbour');
    const exchange = await site.connect(partner);
    const { versions } = await learnRemote(site, partner, exchange);
    const { decision, receipt } = await takeInAnswers(site, partner, exchange, versions.targets);
    return { decision, receipt };
  }

  record() {
    return readRecord(this.main.site, 'harbour');
  }

  kept(folder: string): string[] {
    return readdirSync(join(this.main.folder, '.tieup/partners/harbour', folder), {
      recursive: true,
      encoding: 'utf8',
    });
  }
}

/** The refusal, which leaves everything on both sides as it is but for the evidence. */
async function refused(hand: Hand): Promise<string> {
  const folders = () => Promise.all([hand.main.folder, hand.shop.folder].map(snapshotOf));
  const before = await folders();
  const error: unknown = await hand.takenIn().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof TieupError)) throw error ?? new Error('the outbox was believed');
  expect(error).toMatchObject({ code: 'TIEUP_E_VERIFY', exitCode: 5 });
  const evidence = /^\.tieup\/partners\/harbour\/evidence(?:\/|$)/;
  const after = await folders();
  for (const [index, each] of before.entries()) expect(changedPaths(each, after[index] ?? {}, evidence)).toEqual([]);
  return error.message;
}

describe('the outbox of a partner', () => {
  test('that is empty says nothing', async () => {
    expect(await (await Hand.started()).takenIn()).toEqual({ decision: undefined, receipt: undefined });
  });

  test('holds the decision of the manager and the receipt of the site, and both notes are kept as they are', async () => {
    const hand = await Hand.started();
    const [decision, receipt] = [await hand.decides(), await hand.receives()];
    const outbox = await hand.takenIn();
    expect(outbox).toEqual({ decision, receipt });
    expect(receiptFollows(outbox)).toBe(true);
    expect(carriesOut(outbox, decision.releaseDigest)).toBe(true);
    expect(carriesOut(outbox, sha256('another release'))).toBe(false);
    const digest = decisionDigest(decision);
    expect(await hand.record()).toMatchObject({ decisions: [digest], consent: { release: 1 }, receipt: { seq: 1 } });
    const kept = join(hand.main.folder, `.tieup/partners/harbour/answers/decisions/1-${digest.slice(0, 16)}.note`);
    expect(await readFile(kept)).toEqual(await hand.note('decision.note'));
    expect(hand.kept('answers/receipts')).toHaveLength(1);
  });

  test('may hold a receipt of an older decision, or of a partner that has left', async () => {
    const hand = await Hand.started();
    await hand.decides();
    await hand.receives();
    await hand.decides();
    expect(receiptFollows(await hand.takenIn())).toBe(false);
    const left = await hand.decides({ verdict: 'rejected', merge: null });
    await hand.receives({ state: 'left', publication: 2 });
    const outbox = await hand.takenIn();
    expect(carriesOut(outbox, left.releaseDigest)).toBe(false);
    expect((await hand.record()).consent).toBeNull();
  });

  test('is not read beyond its bound, whoever fills it', async () => {
    const hand = await Hand.started();
    await hand.lay('decision.note', 'x'.repeat(MAX_DECISION_NOTE + 1));
    await expect(hand.takenIn()).rejects.toMatchObject({ code: 'TIEUP_E_TOO_LARGE' });
  });
});

describe('a signature', () => {
  test('of the site key in the name of the manager is not believed', async () => {
    const hand = await Hand.started();
    await hand.decides({}, 'site');
    expect(await refused(hand)).toContain('the accept key did not sign it');
  });

  test('of a stranger under the name of the partner is not believed', async () => {
    const hand = await Hand.started();
    const stranger = noteSigner('harbour/accept', seededKey('a stranger', 'accept'));
    await hand.lay('decision.note', signNote(renderDecision(await hand.decision()), [stranger]));
    expect(await refused(hand)).toContain('none of the known keys');
  });

  test.each(['decision', 'receipt'] as const)('under a %s of another partner is not believed', async (what) => {
    const hand = await Hand.started();
    await hand.decides(what === 'decision' ? { partner: 'other' } : {});
    if (what === 'receipt') await hand.receives({ partner: 'other' });
    expect(await refused(hand)).toContain('"other"');
  });

  test('of the accept key under a receipt is not believed: that is the site’s to say', async () => {
    const hand = await Hand.started();
    await hand.decides();
    await hand.receives({}, 'accept');
    expect(await refused(hand)).toContain('none of the known keys');
  });

  test.each(['decision', 'receipt'] as const)(
    'under a %s of which one letter was edited is not believed',
    async (what) => {
      const hand = await Hand.started();
      await hand.decides();
      await hand.receives();
      const text = (await hand.note(`${what}.note`)).toString();
      await hand.lay(`${what}.note`, text.replace('release 1 ', 'release 2 '));
      expect(await refused(hand)).toContain('is not valid');
    },
  );
});

describe('a decision of the manager', () => {
  test.each<readonly [string, Partial<Decision>, string]>([
    ['names a release that was never pushed', { release: 7 }, 'release 7, which was never pushed'],
    ['names another release of that number', { releaseDigest: sha256('other') }, 'another release 1 than was pushed'],
    ['names other terms than were sent', { terms: sha256('cheaper') }, 'other terms than release 1 was sent with'],
    ['was made in the far future', { time: '2026-11-25T00:00:00Z' }, 'was made on 2026-11-25T00:00:00Z, and here'],
    ['was made before the release', { time: '2026-11-22T11:00:00Z' }, 'before release 1 was'],
    ['expires before it was made', { expires: '2026-11-23T11:00:00Z' }, 'is good until 2026-11-23T11:00:00Z'],
    ['never expires', { expires: '2030-01-01T00:00:00Z' }, 'not within 30 days'],
  ])('that %s is refused and kept as evidence', async (_what, changes, why) => {
    const hand = await Hand.started();
    await hand.decides(changes);
    expect(await refused(hand)).toContain(why);
    expect(hand.kept('evidence').filter((path) => path.endsWith('.note'))).toEqual([
      expect.stringMatching(/^[0-9a-f]{16}\/received-1\.note$/),
    ]);
    // Once is enough.
    await refused(hand);
    expect(hand.kept('evidence')).toHaveLength(2);
  });

  test('may come from a clock that is a little wrong', async () => {
    const hand = await Hand.started();
    await hand.decides({ time: '2026-11-24T11:00:00Z', expires: '2026-12-24T11:00:00Z' });
    expect((await hand.takenIn()).decision?.seq).toBe(1);
  });

  test('on an older release is judged by what was sent then', async () => {
    const hand = await Hand.started();
    const first = await hand.decision();
    await hand.main.editPartner('harbour', 'mount: /with-main/', 'mount: /with-main/\npolicy:\n  search: noindex');
    await hand.main.pushed();
    await hand.decides(first);
    expect((await hand.takenIn()).decision).toEqual(first);
    await hand.decides({ release: 1, releaseDigest: first.releaseDigest });
    expect(await refused(hand)).toContain('other terms than release 1');
  });
});

describe('the chain of decisions', () => {
  test('is followed over those that were not seen, and from its start by a machine that knows nothing', async () => {
    const hand = await Hand.started();
    for (let count = 0; count < 20; count++) await hand.decides();
    expect((await hand.takenIn()).decision?.seq).toBe(20);
    for (let count = 0; count < 20; count++) await hand.decides();
    expect((await hand.takenIn()).decision?.seq).toBe(40);
    expect((await hand.record()).decisions).toHaveLength(40);
    expect(hand.kept('answers/decisions')).toHaveLength(40);
  });

  test('with a gap is refused', async () => {
    const hand = await Hand.started();
    await hand.decides();
    await hand.takenIn();
    for (let count = 0; count < 3; count++) await hand.decides();
    await hand.shop.remove('exchange/outbox/decisions/3.note');
    expect(await refused(hand)).toContain('holds decision 4, but not decision 3 before it');
  });

  test('that starts above one is refused', async () => {
    const hand = await Hand.started();
    await hand.decides({ seq: 2, previous: sha256('nobody saw it') });
    expect(await refused(hand)).toContain('holds decision 2, but not decision 1 before it');
  });

  test('with a number that nobody could ever walk to is refused at once', async () => {
    const hand = await Hand.started();
    await hand.decides({ seq: Number.MAX_SAFE_INTEGER, previous: sha256('x') });
    expect(await refused(hand)).toContain('but not decision 1 before it');
  });

  test('in which one does not follow the one before is refused', async () => {
    const hand = await Hand.started();
    await hand.decides();
    await hand.decides({ previous: sha256('another one') });
    expect(await refused(hand)).toContain('decision 2 does not follow the one before');
  });

  test('that is older than what was seen is refused, and both are kept as evidence', async () => {
    const hand = await Hand.started();
    await hand.decides();
    const old = await hand.note('decision.note');
    await hand.decides({ verdict: 'rejected' });
    await hand.takenIn();
    const newest = await hand.note('decision.note');
    await hand.lay('decision.note', old);
    expect(await refused(hand)).toContain('went back in time: it holds decision 1, but 2 was seen before');
    const folder = join(hand.main.folder, '.tieup/partners/harbour/evidence', hand.kept('evidence')[0] ?? '');
    expect(await readFile(join(folder, 'received-1.note'))).toEqual(old);
    expect(await readFile(join(folder, 'seen-2.note'))).toEqual(newest);
    await hand.lay('decision.note', newest);
    expect((await hand.takenIn()).decision?.seq).toBe(2);
  });

  test('that forks is refused at the number that was seen, and one above it', async () => {
    const hand = await Hand.started();
    const first = await hand.decides();
    await hand.takenIn();
    await hand.decides({ seq: 1, previous: null, verdict: 'rejected' });
    expect(await refused(hand)).toContain('decision 1 was another one before');
    await hand.decides({ seq: 2 });
    expect(await refused(hand)).toContain('decision 2 does not follow decision 1 as it was seen');
    expect((await hand.record()).decisions).toEqual([decisionDigest(first)]);
    expect(new Set(hand.kept('evidence').filter((path) => !path.includes('/'))).size).toBe(2);
  });

  test('that is gone is refused', async () => {
    const hand = await Hand.started();
    await hand.decides();
    await hand.takenIn();
    await hand.shop.remove('exchange/outbox/decision.note');
    expect(await refused(hand)).toContain('decision 1 was there and is gone');
  });

  test('fills no disk: a thief who signs contradictions for ever proves no more with them', async () => {
    const hand = await Hand.started();
    await hand.decides();
    await hand.takenIn();
    for (let count = 0; count < 22; count++) {
      await hand.decides({ seq: 1, previous: null, reason: `no ${count}` });
      await refused(hand);
    }
    expect(hand.kept('evidence').filter((path) => !path.includes('/'))).toHaveLength(20);
  });
});

describe('a decision by policy', () => {
  async function accepted(options: Parameters<typeof partnership>[0] = {}): Promise<Hand> {
    const hand = await Hand.started(options);
    await hand.decides();
    await hand.allows();
    return hand;
  }

  test('counts under a policy of the manager that was in force, to its first and last second', async () => {
    for (const time of ['2026-11-22T13:00:00Z', '2026-11-23T20:00:00Z']) {
      const hand = await accepted();
      await hand.allows({ from: '2026-11-22T13:00:00Z', until: '2026-11-23T20:00:00Z' });
      await hand.decidesByPolicy({ time, expires: '2026-12-01T00:00:00Z' });
      expect((await hand.takenIn()).decision).toMatchObject({ by: 'policy', time });
      expect(hand.kept('answers/policies')).toHaveLength(1);
    }
  });

  test('does not count without a policy', async () => {
    const hand = await Hand.started();
    await hand.decides();
    await hand.decidesByPolicy();
    expect(await refused(hand)).toContain('no policy of the manager');
  });

  test('does not count under a policy that the site key made, or that is of another partner', async () => {
    const hand = await accepted();
    await hand.decidesByPolicy();
    await hand.allows({}, 'site');
    expect(await refused(hand)).toContain('none of the known keys');
    await hand.allows({ partner: 'other' });
    expect(await refused(hand)).toContain('"other"');
  });

  test.each([
    ['before the policy began', { from: '2026-11-23T12:00:01Z' }, 'in force since'],
    ['after it was over', { until: '2026-11-23T11:59:59Z' }, 'good until'],
  ])('does not count %s', async (_when, policy, why) => {
    const hand = await accepted();
    await hand.allows(policy);
    await hand.decidesByPolicy();
    expect(await refused(hand)).toContain(why);
  });

  test('can only accept', async () => {
    for (const verdict of ['rejected', 'rollback'] as const) {
      const hand = await accepted();
      await hand.decidesByPolicy({ verdict });
      expect(await refused(hand)).toContain(`says ${verdict}`);
    }
  });

  test('never is the first of a partnership', async () => {
    const hand = await Hand.started();
    await hand.allows();
    await hand.decidesByPolicy();
    expect(await refused(hand)).toContain('first release');
  });

  test('does not bring back what the manager left', async () => {
    const hand = await accepted();
    await hand.decides({ verdict: 'rejected', merge: null });
    await hand.pushes('Second');
    await hand.decidesByPolicy();
    expect(await refused(hand)).toContain('first release');
  });

  test('does not overrule a rejection of the same release, nor a rollback', async () => {
    for (const verdict of ['rejected', 'rollback'] as const) {
      const hand = await accepted();
      const first = await hand.decision();
      await hand.pushes('Second');
      await hand.decides(verdict === 'rejected' ? { verdict } : { ...first, verdict });
      await hand.decidesByPolicy();
      expect(await refused(hand)).toContain(
        verdict === 'rejected' ? 'the manager rejected it' : 'the manager went back',
      );
    }
  });

  test('does not overrule a rejection after which the release before was merged', async () => {
    const hand = await accepted();
    const { release, releaseDigest } = await hand.decision();
    await hand.pushes('Second');
    await hand.decides({ verdict: 'rejected' });
    await hand.decides({ release, releaseDigest, merge: sha256('withheld') });
    await hand.decidesByPolicy();
    expect(await refused(hand)).toContain('the manager rejected it');
  });

  test('does not go around a rejection by way of the release before it', async () => {
    const hand = await accepted();
    const first = await hand.main.pushedBefore();
    await hand.allows();
    await hand.pushes('Second');
    await hand.decides({ verdict: 'rejected', merge: null });
    const { release, releaseDigest, termsDigest } = first;
    await hand.decidesByPolicy({ release: release.release, releaseDigest, terms: termsDigest });
    await hand.decidesByPolicy();
    expect(await refused(hand)).toContain('its decision 3 is by policy');
  });

  test('never takes changed terms', async () => {
    const hand = await accepted();
    await hand.main.editPartner('harbour', 'mount: /with-main/', 'mount: /with-main/\npolicy:\n  search: noindex');
    await hand.main.pushed();
    await hand.decidesByPolicy();
    expect(await refused(hand)).toContain('the terms change');
  });

  test('never takes new scripts', async () => {
    const hand = await accepted({ partnership: 'policy:\n  scripts: own\n' });
    await hand.main.write('assets/app.js', 'alert(1)\n');
    await hand.main.pushed();
    await hand.pushes('And a page');
    await hand.decidesByPolicy();
    expect(await refused(hand)).toContain('scripts or other active content');
  });

  test.each<readonly [string, Partial<AcceptPolicy>, string]>([
    ['changes more pages', { maxChanged: 1 }, '2 files are new or changed, more than 1'],
    ['removes more pages', { maxRemoved: 0 }, '1 files go away, more than 0'],
  ])('does not count when the release %s than the policy allows', async (_what, policy, why) => {
    const hand = await accepted();
    await hand.allows(policy);
    await hand.main.write('pages/events.md', '---\ntitle: Events\n---\n\n# Events\n');
    await hand.main.remove('pages/story.md');
    await hand.pushes('Second');
    await hand.decidesByPolicy();
    expect(await refused(hand)).toContain(why);
  });

  test('is judged although another one follows it: a thief cannot go there in two steps', async () => {
    const hand = await accepted();
    await hand.allows({ maxChanged: 0 });
    await hand.pushes('Second');
    await hand.decidesByPolicy();
    await hand.decidesByPolicy();
    expect(await refused(hand)).toContain('its decision 2 is by policy');
    // The manager vouches for what came before.
    await hand.decides();
    expect((await hand.takenIn()).decision?.seq).toBe(4);
  });
});

describe('a receipt', () => {
  test.each<readonly [string, Partial<Receipt>, string]>([
    ['follows no decision that was shown', { decision: sha256('none') }, 'never shown'],
    ['names another release than its decision', { release: 2 }, 'another release than decision 1'],
    ['says held without a rollback', { state: 'held' }, 'says held, but decision 1'],
    ['is from the far future', { time: '2026-11-25T00:00:00Z' }, 'and here it is'],
  ])('that %s is refused, and the decision stays what was known', async (_what, changes, why) => {
    const hand = await Hand.started();
    await hand.decides();
    await hand.takenIn();
    await hand.receives(changes);
    expect(await refused(hand)).toContain(why);
  });

  test('that is older than what was seen is refused', async () => {
    const hand = await Hand.started();
    await hand.decides();
    await hand.receives();
    const [first, old] = [hand.last, await hand.note('receipt.note')];
    await hand.receives({ publication: 2 });
    await hand.takenIn();
    await hand.lay('receipt.note', old);
    expect(await refused(hand)).toContain('the receipt of publication 1, but that of 2 was seen before');
    await hand.receives({ publication: 2, published: sha256('other sums') });
    expect(await refused(hand)).toContain('the receipt of publication 2 was another one before');
    await hand.decides();
    await hand.receives({ publication: 3 });
    await hand.takenIn();
    hand.last = first;
    await hand.receives({ publication: 4 });
    expect(await refused(hand)).toContain('a receipt of decision 1, but one of decision 2 was seen before');
  });
});

describe('an honest partner', () => {
  const auto = { auto: { allow: 'content', maxChangedPages: 1 } } as const;

  const acceptsByItself = async ({ shop }: Hand) =>
    accept(await shop.open({ config: auto }), { answering: { kind: 'policy', show: async () => {} }, choices: {} });

  test.each<readonly [NonNullable<JoinOptions['publish']>]>([['link'], ['overwrite']])(
    'is believed in all that it can do (%s), by a machine that saw each step and by one that saw none',
    async (publish) => {
      const hand = await Hand.started({ publish });
      const { shop, main } = hand;
      await shop.accept();
      const steps: (() => Promise<unknown>)[] = [
        async () => signPolicy(await shop.open({ config: auto })),
        async () => (await hand.pushes('Second'), acceptsByItself(hand)),
        async () => rotateOwnKey(await shop.open(), 'site'),
        async () => (await shop.write('slots/visit/hours.md', 'Nine to five.\n'), merge(await shop.open())),
        async () => rotateOwnKey(await shop.open(), 'site'),
        async () => rollback(await shop.open(), undefined),
        async () => resume(await shop.open()),
        async () => (await hand.pushes('Third'), reject(await shop.open(), 'no')),
        async () => shop.accept(),
        async () => (await hand.pushes('Fourth'), acceptsByItself(hand)),
        async () =>
          leave(await shop.open(), {
            reason: null,
            choices: {},
            confirm: async () => true,
            choose: async () => undefined,
          }),
      ];
      for (const step of steps) {
        await step();
        await hand.takenIn();
      }
      const known = await hand.record();
      await main.remove('.tieup/partners/harbour/record.json');
      await hand.takenIn();
      expect(await hand.record()).toMatchObject({ decisions: known.decisions, receipt: { state: 'left' } });
    },
  );

  test('does not accept by itself what the main site would not believe: pages that it withholds count as well', async () => {
    const hand = await Hand.started();
    await hand.shop.accept();
    await signPolicy(await hand.shop.open({ config: auto }));
    await hand.main.write('pages/events.md', '---\ntitle: Events\n---\n\n# Events\n');
    await hand.pushes('Second');
    expect(await acceptsByItself(hand)).toMatchObject({ kind: 'left-to-the-manager' });
  });
});
