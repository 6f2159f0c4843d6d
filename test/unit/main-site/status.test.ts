/** Where each partner stands. */
import { describe, expect, test } from 'vitest';
import { diskUse } from '../../../src/main-site/disk-use.ts';
import { loadPartnership } from '../../../src/main-site/partnerships.ts';
import type { Outbox } from '../../../src/main-site/read-outbox.ts';
import { EMPTY_RECORD, type PartnerRecord } from '../../../src/main-site/record.ts';
import { judge, type PartnerState } from '../../../src/main-site/partner-state.ts';
import type { MainSite } from '../../../src/main-site/main-site.ts';
import { status } from '../../../src/main-site/status.ts';
import { waitForAnswer } from '../../../src/main-site/wait-for-answer.ts';
import { merge, withhold } from '../../../src/partner-site/merge.ts';
import { status as lookAtSite } from '../../../src/partner-site/status.ts';
import { reject } from '../../../src/partner-site/reject.ts';
import { resume, rollback } from '../../../src/partner-site/rollback.ts';
import { type Decision, decisionDigest } from '../../../src/protocol/decision.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import type { Receipt } from '../../../src/protocol/receipt.ts';
import type { PartnerFixture } from '../../support/partner-fixture.ts';
import { mainFixture, type MainFixture, partnership } from '../../support/partnership-fixture.ts';

const PUSHED = { release: 2, releaseDigest: sha256('release 2'), at: '2026-11-23T12:00:00Z' };
const NOW = new Date('2026-11-23T12:00:00Z');
const RECORD: PartnerRecord = { ...EMPTY_RECORD, pushed: PUSHED };
const REJECTED = { rejections: [{ releaseDigest: PUSHED.releaseDigest, reason: 'too dear' }] };
const FAILURE = { code: 'TIEUP_E_CONNECTION', message: 'the server is gone', at: PUSHED.at };

const decision = (changes: Partial<Decision> = {}): Decision => ({
  partner: 'harbour',
  terms: sha256('terms'),
  seq: 1,
  previous: null,
  release: 2,
  releaseDigest: PUSHED.releaseDigest,
  merge: sha256('merge'),
  verdict: 'accepted',
  by: 'manager',
  time: '2026-11-23T12:00:00Z',
  expires: '2026-12-23T12:00:00Z',
  reason: null,
  ...changes,
});

const receipt = (of: Decision, state: Receipt['state'] = 'live'): Receipt => ({
  partner: 'harbour',
  release: of.release,
  releaseDigest: of.releaseDigest,
  decision: decisionDigest(of),
  publication: 1,
  published: sha256('sums'),
  state,
  pages: { tieUp: 1, original: 1 },
  time: '2026-11-23T12:00:00Z',
});

const answer = (decided?: Decision, received?: Receipt): Outbox => ({ decision: decided, receipt: received });
const older = decision({ release: 1, releaseDigest: sha256('release 1') });

describe('a partner', () => {
  test.each<readonly [PartnerState, string, Partial<PartnerRecord>, Outbox]>([
    ['never', 'nothing was pushed', { pushed: null }, answer()],
    ['failed', 'the last push failed', { failure: FAILURE }, answer(decision(), receipt(decision()))],
    ['pending', 'it has not answered', {}, answer()],
    ['pending', 'its answer is to an older release', {}, answer(older, receipt(older))],
    ['rejected', 'it said no', REJECTED, answer(decision({ verdict: 'rejected' }), receipt(older))],
    ['rejected', 'it said no and then merged the release before', REJECTED, answer(older, receipt(older))],
    ['accepted', 'it said yes, and is not live yet', {}, answer(decision(), receipt(older))],
    ['live', 'a receipt says so', {}, answer(decision(), receipt(decision()))],
    ['held', 'it went back', {}, answer(decision({ verdict: 'rollback' }), receipt(older, 'held'))],
    ['left', 'it has taken the pages away', {}, answer(decision(), receipt(decision(), 'left'))],
  ])('is %s when %s', (state, _why, record, outbox) => {
    expect(judge({ ...RECORD, ...record }, outbox, NOW)[0]).toBe(state);
  });

  test('is shown with the reason of its rejection, or of the failure', () => {
    expect(judge({ ...RECORD, ...REJECTED }, answer(older), NOW)).toEqual(['rejected', 'too dear']);
    expect(judge({ ...RECORD, failure: FAILURE }, answer(), NOW)).toEqual(['failed', 'the server is gone']);
  });

  test('has not confirmed what it did not publish in time', () => {
    const late = new Date('2026-12-23T12:00:01Z');
    expect(judge(RECORD, answer(decision()), late)).toEqual(['pending', expect.stringContaining('confirmed again')]);
    expect(judge(RECORD, answer(decision(), receipt(decision())), late)).toEqual(['live', null]);
  });

  test('goes from state to state as both sides act', async () => {
    const main = await mainFixture();
    const shop = await main.join();
    const state = async () => (await status(main.site, [], 1)).map((row) => [row.state, row.pushed, row.live])[0];
    const next = async (text: string) => {
      await main.write('pages/index.md', `---\ntitle: Our coffee\n---\n\n# ${text}\n`);
      await main.pushed();
    };
    expect(await state()).toEqual(['never', null, null]);
    await main.pushed();
    expect(await state()).toEqual(['pending', 1, null]);
    await shop.accept();
    expect(await state()).toEqual(['live', 1, 1]);
    await next('Second');
    expect(await state()).toEqual(['pending', 2, 1]);
    await reject(await shop.open(), 'not now');
    expect(await state()).toEqual(['rejected', 2, 1]);
    await withhold(await shop.open(), { page: 'visit', undo: false });
    await withhold(await shop.open(), { page: 'visit', undo: true });
    expect(await state()).toEqual(['rejected', 2, 1]);
    await shop.accept();
    expect(await state()).toEqual(['live', 2, 2]);
    await rollback(await shop.open(), undefined);
    expect(await state()).toEqual(['held', 2, 1]);
    await resume(await shop.open());
    expect(await state()).toEqual(['live', 2, 2]);
    await shop.write('slots/visit/hours.md', 'Nine to five.\n');
    await merge(await shop.open());
    expect(await state()).toEqual(['live', 2, 2]);
  });

  test('that has not joined yet is not asked', async () => {
    const main = await mainFixture();
    await main.join();
    await main.editPartner('harbour', 'status: active', 'status: invited');
    const site = { ...main.site, connect: () => Promise.reject(new Error('somebody connected')) };
    expect(await status(site, [], 1)).toMatchObject([{ state: 'never' }]);
  });

  test('is listed after those that are worse off', async () => {
    const main = await mainFixture();
    const [alpha, beta] = [await main.join('alpha'), await main.join('beta')];
    await main.join('gamma');
    await main.push({ partners: ['alpha', 'beta'] });
    await alpha.accept();
    await reject(await beta.open(), 'no');
    const rows = await status(main.site, [], 2);
    expect(rows.map(({ partner, state }) => [partner, state])).toEqual([
      ['beta', 'rejected'],
      ['gamma', 'never'],
      ['alpha', 'live'],
    ]);
  });
});

describe('an answer that was taken back', () => {
  /** Two decisions were made and seen; `old` is the outbox as it was after the first. */
  async function twoDecisions(): Promise<{ main: MainFixture; shop: PartnerFixture; first: Uint8Array }> {
    const { main, shop } = await partnership();
    await reject(await shop.open(), 'no');
    const exchange = await main.site.connect(await loadPartnership(main.site, 'harbour'));
    const first = await exchange.read('outbox/decision.note', 1e6);
    await shop.accept();
    expect(await status(main.site, [], 1)).toMatchObject([{ state: 'live' }]);
    return { main, shop, first };
  }

  test('is refused when an older one stands in its place', async () => {
    const { main, shop, first } = await twoDecisions();
    await shop.write('exchange/outbox/decision.note', first);
    const [row] = await status(main.site, [], 1);
    expect(row).toMatchObject({ state: 'failed', live: 1 });
    expect(row?.detail).toContain('went back in time');
    // It is believed again as soon as the newest one is there.
    await shop.open().then(lookAtSite);
    expect(await status(main.site, [], 1)).toMatchObject([{ state: 'live' }]);
  });

  test('is refused when it is gone', async () => {
    const { main, shop } = await twoDecisions();
    await shop.remove('exchange/outbox/decision.note');
    expect((await status(main.site, [], 1))[0]?.detail).toContain('decision 2 was there and is gone');
  });
});

describe('waiting for an answer', () => {
  const SOON = new Date('2026-11-23T12:10:00Z');

  /** Waits; whenever nothing is there `meanwhile` happens before the next look. */
  async function wait(main: MainFixture, meanwhile: readonly (() => Promise<unknown>)[], deadline = SOON) {
    const rest = [...meanwhile];
    const waits: number[] = [];
    const clock = {
      ...main.clock,
      sleep: async (ms: number, signal?: AbortSignal) => {
        // The bound of a look, which is not reached here.
        if (signal !== undefined) return main.clock.sleep(ms, signal);
        waits.push(ms);
        await main.clock.sleep(ms);
        await rest.shift()?.();
      },
    };
    const { releaseDigest } = await main.pushedBefore();
    return { result: await waitForAnswer({ ...main.site, clock }, 'harbour', releaseDigest, deadline), waits };
  }

  test('ends when the release is live', async () => {
    const { main, shop } = await partnership();
    const { result, waits } = await wait(main, [async () => {}, () => shop.accept()]);
    expect(result).toEqual({ kind: 'live' });
    expect(waits).toHaveLength(2);
  });

  test('ends with the reason of a rejection', async () => {
    const { main, shop } = await partnership();
    const { result } = await wait(main, [async () => reject(await shop.open(), 'too dear')]);
    expect(result).toEqual({ kind: 'rejected', reason: 'too dear' });
  });

  test('ends with a rejection though the partner merged the release before since', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\n# Second\n');
    await main.pushed();
    await reject(await shop.open(), 'too dear');
    await withhold(await shop.open(), { page: 'visit', undo: false });
    const { result } = await wait(main, []);
    expect(result).toEqual({ kind: 'rejected', reason: 'too dear' });
  });

  test('does not take the answer to an older release for one', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    await main.write('pages/index.md', '---\ntitle: Our coffee\n---\n\n# Second\n');
    await main.pushed();
    expect((await wait(main, [])).result).toEqual({ kind: 'waited-too-long', accepted: false });
  });

  test('ends at its deadline, never later', async () => {
    const { main } = await partnership();
    const { result, waits } = await wait(main, [], new Date('2026-11-23T12:00:05Z'));
    expect(result).toEqual({ kind: 'waited-too-long', accepted: false });
    expect(waits).toEqual([2000, 2000, 1000]);
  });

  test('tells a release that was accepted and is not live yet', async () => {
    const { main, shop } = await partnership();
    await shop.accept();
    await shop.remove('exchange/outbox/receipt.note');
    expect((await wait(main, [])).result).toEqual({ kind: 'waited-too-long', accepted: true });
  });

  test.each([1, 2])('ends though the server answers without end from look %s on, and lets go of it', async (stuck) => {
    const { main } = await partnership();
    const { releaseDigest } = await main.pushedBefore();
    let looks = 0;
    const open = new Set<object>();
    const connect: MainSite['connect'] = async (partner) => {
      const tree = await main.site.connect(partner);
      open.add(tree);
      const read: typeof tree.read = (...words) => (looks >= stuck ? new Promise(() => {}) : tree.read(...words));
      const stat: typeof tree.stat = (...words) => (looks >= stuck ? new Promise(() => {}) : tree.stat(...words));
      return { ...tree, read, stat, close: async () => void open.delete(tree) };
    };
    let now = main.clock.now();
    const sleep: MainSite['clock']['sleep'] = async (ms, signal) => {
      // Bounds of looks: only that of a stuck one is reached.
      if (signal !== undefined && (ms > 2000 ? (looks += 1) : looks) < stuck) return await new Promise(() => {});
      now = new Date(now.getTime() + ms);
    };
    const clock = { now: () => now, sleep };
    const ended = await waitForAnswer({ ...main.site, connect, clock }, 'harbour', releaseDigest, SOON);
    expect(ended).toEqual({ kind: 'waited-too-long', accepted: false });
    expect(open.size).toBe(0);
  });

  test('can be interrupted', async () => {
    const { main } = await partnership();
    const sleep = async (_ms: number, signal?: AbortSignal): Promise<void> => {
      signal?.throwIfAborted();
      return new Promise(() => {});
    };
    const clock = { ...main.clock, sleep };
    const { releaseDigest } = await main.pushedBefore();
    const waiting = waitForAnswer({ ...main.site, clock }, 'harbour', releaseDigest, SOON, {
      signal: AbortSignal.abort(),
    });
    await expect(waiting).rejects.toThrow(/abort/);
  });
});

test('who was pushed to from here is looked at without reading what its release consists of', async () => {
  const { main, shop } = await partnership();
  await shop.accept();
  await status(main.site, [], 1);
  const read: string[] = [];
  const files = {
    ...main.site.files,
    read: (...words: Parameters<typeof main.site.files.read>) => {
      read.push(words[0]);
      return main.site.files.read(...words);
    },
  };
  for (const cached of [false, true]) {
    const rows = await status({ ...main.site, files }, [], 1, { cached });
    expect(rows).toMatchObject([{ partner: 'harbour', state: 'live', pushed: 1, live: 1 }]);
  }
  expect(read.length).toBeGreaterThan(0);
  expect(read.filter((path) => /\/(?:sent|releases)\//.test(path))).toEqual([]);
});

test('what an older tieup remembered of a push is enough', async () => {
  const { main, shop } = await partnership();
  await shop.accept();
  const path = '.tieup/partners/harbour/pushed.json';
  const kept: unknown = JSON.parse(Buffer.from(await main.site.files.read(path, 1e5)).toString());
  await main.site.files.write(path, Buffer.from(JSON.stringify({ ...Object(kept), release: undefined })));
  expect(await status(main.site, [], 1)).toMatchObject([{ state: 'live', pushed: 1 }]);
});

test('the disk that tieup takes is counted with every file below .tieup, temporary ones too', async () => {
  const { main } = await partnership();
  const before = await diskUse(main.site);
  await main.write('.tieup/deep/down/.tieup-tmp-left', 'four');
  expect(await diskUse(main.site)).toEqual({ files: before.files + 1, bytes: before.bytes + 4 });
  expect(before.bytes).toBeGreaterThan(1000);
});
