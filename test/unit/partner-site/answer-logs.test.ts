import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { exportLogs } from '../../../src/partner-site/export-logs.ts';
import { ownKey } from '../../../src/partner-site/own-keys.ts';
import { showLogs } from '../../../src/partner-site/show-logs.ts';
import { LOG_ANSWER_TYPE, parseLogAnswer } from '../../../src/protocol/log-answer.ts';
import { demandedIndexes, type LogDemand, renderDemand } from '../../../src/protocol/log-demand.ts';
import { verifyPart } from '../../../src/protocol/log-part.ts';
import { openNote } from '../../../src/protocol/note.ts';
import { sha256 } from '../../../src/protocol/digest.ts';
import { demandRecords, pull } from '../../support/cosigning.ts';
import { changesOf, killedAt } from '../../support/killed.ts';
import type { PartnerFixture } from '../../support/partner-fixture.ts';
import { partnership } from '../../support/partnership-fixture.ts';
import { changedPaths } from '../../support/snapshot.ts';
import { hit, serve, withLogs } from '../../support/shop-logs.ts';

const ANSWER = 'exchange/outbox/logs/answer.note';
const exportAll = async (shop: PartnerFixture, more = {}) =>
  exportLogs(await shop.open({ config: withLogs(more) }), { acceptGap: false, disclose: {} });

const look = async (shop: PartnerFixture, limit = 100, more = {}) =>
  showLogs(await shop.open({ config: withLogs(more) }), { commit: false, disclose: {}, limit });

/** Twenty hits on the partner's own pages, exported, counted, and cosigned. */
async function counted() {
  const { main, shop } = await partnership();
  await shop.accept(await shop.open({ config: withLogs() }));
  serve(shop, ...Array.from({ length: 20 }, (_, index) => hit(`/own/${index}.html`)));
  await exportAll(shop);
  await pull(main);
  return { main, shop };
}

/** Paths by index that the answer in the outbox discloses, verified to the demanded root. */
async function answered(shop: PartnerFixture, demand: LogDemand): Promise<readonly string[]> {
  const key = await ownKey(await shop.open(), 'log');
  const answer = parseLogAnswer(openNote(readFileSync(shop.path(ANSWER)), [key], { type: LOG_ANSWER_TYPE }).text);
  expect(answer.demand).toBe(sha256(renderDemand(demand)));
  const bytes = readFileSync(shop.path('exchange/outbox/logs/answer.part.gz'));
  expect([sha256(bytes), bytes.length]).toEqual([answer.file.digest, answer.file.length]);
  const raw = gunzipSync(bytes);
  const shown = [...raw.toString().matchAll(/^R (\d+) .*?\tGET\t(\S+)\t/gm)].map(
    ([, index, path]) => `${index} ${path}`,
  );
  const verified = await verifyPart([raw], { keys: [key], until: demand.tree });
  expect(verified).toMatchObject({ from: 0, disclosed: shown.length });
  return shown;
}

describe('the main site demands a sample of what was only counted', () => {
  test('and gets exactly the records that were drawn', async () => {
    const { main, shop } = await counted();
    const demand = await demandRecords(main, shop);
    const { answer } = await exportAll(shop);
    const indexes = demandedIndexes(demand);
    expect(answer).toEqual({ kind: 'answered', records: indexes.length, dropped: 0 });
    expect(await answered(shop, demand)).toEqual(indexes.map((index) => `${index} /own/${index}.html`));
  });

  test('which logs show prints first, though nothing of them would leave otherwise', async () => {
    const { main, shop } = await counted();
    const demand = await demandRecords(main, shop);
    const before = await shop.snapshot();
    const { sample, logs, records } = await look(shop);
    // What was cosigned is noted by whoever sees it first.
    expect(changedPaths(before, await shop.snapshot())).toEqual(['state/logs/pins.json']);
    expect(logs.O.leaving).toBe(0);
    expect(records.filter(({ class: kind }) => kind === 'O')).toEqual([]);
    await exportAll(shop);
    const paths = await answered(shop, demand);
    expect(sample).toMatchObject({ kind: 'demanded', leaving: paths.length, dropped: 0 });
    const shown = sample.kind === 'demanded' ? sample.records.map(({ path }) => path) : [];
    expect(shown).toEqual(paths.map((path) => path.split(' ')[1]));
    expect((await look(shop)).sample).toEqual({ kind: 'answered-before' });
  });

  test('and logs show counts all of them, gives no more than asked for, and says why one is refused', async () => {
    expect((await look((await partnership()).shop)).sample).toEqual({ kind: 'none' });
    const { main, shop } = await counted();
    const demand = await demandRecords(main, shop);
    const { sample } = await look(shop, 1);
    expect(sample).toMatchObject({ kind: 'demanded', leaving: demandedIndexes(demand).length });
    expect(sample.kind === 'demanded' ? sample.records : []).toHaveLength(1);
    expect((await look(shop, 1, { audit: { perDay: 0 } })).sample).toMatchObject({ kind: 'refused' });
  });

  test('once: a second time nothing is written, and a lost answer comes back', async () => {
    const { main, shop } = await counted();
    const demand = await demandRecords(main, shop);
    await exportAll(shop);
    const before = await shop.snapshot();
    expect((await exportAll(shop)).answer).toEqual({ kind: 'answered-before' });
    expect(await shop.snapshot()).toEqual(before);
    rmSync(shop.path(ANSWER));
    expect((await exportAll(shop)).answer).toMatchObject({ kind: 'answered' });
    await answered(shop, demand);
  });

  test.each([
    ['of a tree that is not its own', { tree: { size: 20, root: new Uint8Array(32) } }],
    ['of records that are not there yet', { tree: { size: 21, root: new Uint8Array(32) } }],
    ['of another epoch', { epoch: 2 }],
    ['of another partner', { partner: 'inland' }],
    ['for more records than the manager lets it see in a day', { count: 2000 }],
  ])('but a demand %s is refused, and the export goes on', async (_, more) => {
    const { main, shop } = await counted();
    await demandRecords(main, shop, more);
    serve(shop, hit('/own/more.html'));
    const { answer, statement } = await exportAll(shop, { audit: { perDay: 10 } });
    expect(answer.kind).toBe('refused');
    expect(statement?.lines.O).toBe(21);
    expect(existsSync(shop.path(ANSWER))).toBe(false);
  });

  test('demands of one day count together, and a new day begins anew', async () => {
    const { main, shop } = await counted();
    await demandRecords(main, shop);
    await exportAll(shop, { audit: { perDay: 4 } });
    const second = await demandRecords(main, shop, { nonce: '6f'.repeat(32), time: '2026-11-23T12:00:01Z' });
    expect((await exportAll(shop, { audit: { perDay: 4 } })).answer).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('logs.audit.perDay in tieup.yaml allows 4'),
    });
    main.clock.passDays(1);
    expect((await exportAll(shop, { audit: { perDay: 4 } })).answer).toMatchObject({ kind: 'answered' });
    await answered(shop, second);
  });

  test('a demand of before, which a thief puts back, gets no second answer', async () => {
    const { main, shop } = await counted();
    await demandRecords(main, shop);
    const old = readFileSync(shop.path('exchange/inbox/logs/demand.note'));
    await exportAll(shop);
    const second = await demandRecords(main, shop, { nonce: '6f'.repeat(32), time: '2026-11-23T13:00:00Z' });
    await exportAll(shop);
    writeFileSync(shop.path('exchange/inbox/logs/demand.note'), old);
    expect((await exportAll(shop)).answer).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('not newer'),
    });
    await answered(shop, second);
  });

  test('killed at any step, the answer is there after the next run, whole', { timeout: 120_000 }, async () => {
    const { main, shop } = await counted();
    const demand = await demandRecords(main, shop);
    const options = { config: withLogs({ audit: { perDay: 3 } }) };
    const work = async (site: Parameters<typeof exportLogs>[0]) => exportLogs(site, { acceptGap: false, disclose: {} });
    const steps = await changesOf(shop, work, options);
    for (const step of steps.keys()) {
      const killed = await killedAt(shop, work, step + 1, options);
      await work(await killed.open(options));
      expect([steps[step], (await answered(killed, demand)).length]).toEqual([
        steps[step],
        demandedIndexes(demand).length,
      ]);
    }
  });
});
