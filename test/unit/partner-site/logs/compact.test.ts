import { readdirSync, readFileSync, rmSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commitLogs } from '../../../../src/partner-site/commit-logs.ts';
import { exportLogs } from '../../../../src/partner-site/export-logs.ts';
import { smallNeighbours } from '../../../../src/partner-site/logs/compact.ts';
import { stretchesOf } from '../../../../src/partner-site/logs/segments.ts';
import { showLogs } from '../../../../src/partner-site/show-logs.ts';
import type { PartnerSite } from '../../../../src/partner-site/partner-site.ts';
import { demandedIndexes } from '../../../../src/protocol/log-demand.ts';
import { demandRecords, pull } from '../../../support/cosigning.ts';
import { changesOf, killedAt } from '../../../support/killed.ts';
import type { PartnerFixture } from '../../../support/partner-fixture.ts';
import { partnership } from '../../../support/partnership-fixture.ts';
import { disclosed, exported, hit, serve, withLogs } from '../../../support/shop-logs.ts';

const options = { config: withLogs() };
const work = (site: PartnerSite) => exportLogs(site, { acceptGap: false, disclose: {} });
const exportAll = async (shop: PartnerFixture) => work(await shop.open(options));
const kept = (shop: PartnerFixture, tree: 'T' | 'O') => readdirSync(shop.path(`state/logs/1/${tree}`)).toSorted();

/** Six commits of a hit on each kind of page, cosigned, and one more that is not. */
async function manyCommits() {
  const { main, shop } = await partnership();
  await shop.accept(await shop.open(options));
  for (let round = 0; round < 6; round += 1) {
    serve(shop, hit('/with-main/'), hit(`/own/${round}.html`));
    await commitLogs(await shop.open(options), { acceptGap: false });
  }
  await exportAll(shop);
  await pull(main);
  serve(shop, hit('/with-main/story.html'), hit('/own/6.html'));
  return { main, shop };
}

describe('commits of every few minutes', () => {
  test('become one file once they are cosigned; what is not stays as it is', async () => {
    const { shop } = await manyCommits();
    expect(kept(shop, 'O')).toHaveLength(12);
    await exportAll(shop);
    expect(kept(shop, 'O')).toEqual([
      expect.stringMatching(/^0-6-\d+\.seg$/),
      '0-6.hashes',
      expect.stringMatching(/^6-7-\d+\.seg$/),
      '6-7.hashes',
    ]);
    expect((await disclosed(shop, 'T')).map(({ page }) => page)).toEqual(['with-main/story.html']);
  });

  test('can be shown and asked for after that as before', async () => {
    const { main, shop } = await manyCommits();
    await exportAll(shop);
    // The tree of an earlier day ends within the merged file.
    const site = await shop.open(options);
    expect((await stretchesOf(site, 1, 'O', 2, 5)).map(({ from, to }) => [from, to])).toEqual([[2, 5]]);
    // The pull has asked for records already; only what was asked for later is answered.
    const demand = await demandRecords(main, shop, { time: '2026-11-24T12:00:00Z' });
    expect((await exportAll(shop)).answer).toMatchObject({ kind: 'answered', records: demandedIndexes(demand).length });
    await exportLogs(await shop.open(options), { acceptGap: false, fromStart: true, disclose: {} });
    expect((await exported(shop)).T).toMatchObject({ from: 0, size: 8 });
    expect((await disclosed(shop, 'T')).map(({ seq }) => seq)).toEqual([0, 1, 3, 5, 7, 9, 11, 13]);
  });

  test('killed at any step, the next run has every record once', { timeout: 300_000 }, async () => {
    const { shop } = await manyCommits();
    const steps = await changesOf(shop, work, options);
    const merging = steps.findIndex((step) => step.includes('0-6'));
    expect(merging).toBeGreaterThan(0);
    for (let step = merging; step < steps.length; step += 1) {
      const after = await killedAt(shop, work, step + 1, options);
      const killed = await after.copy();
      await exportLogs(await killed.open({ ...options, isAlive: () => false }), {
        acceptGap: false,
        fromStart: true,
        disclose: {},
      });
      const numbers = (await disclosed(killed, 'T')).map(({ seq }) => seq);
      expect([steps[step], numbers]).toEqual([steps[step], [0, 1, 3, 5, 7, 9, 11, 13]]);
      await exportAll(after);
      expect([steps[step], ...kept(after, 'O')]).toEqual([
        steps[step],
        expect.stringMatching(/^0-6-\d+\.seg$/),
        '0-6.hashes',
        expect.stringMatching(/^6-7-\d+\.seg$/),
        '6-7.hashes',
      ]);
    }
  });

  test('whatever the sizes, only cosigned neighbours are merged, and none is left out between them', () => {
    const lengths = fc.array(fc.nat({ max: 3 * 1024 * 1024 }), { maxLength: 40 });
    fc.assert(
      fc.property(lengths, fc.nat({ max: 40 }), fc.array(fc.nat({ max: 40 })), (raw, size, cuts) => {
        const segments = raw.map((rawLength, first) => {
          const lines = { path: '', rawLength, length: rawLength };
          return { epoch: 1, tree: 'T' as const, first, next: first + 1, hashes: '', lines };
        });
        for (const group of smallNeighbours(segments, size, cuts)) {
          expect(group.length).toBeGreaterThan(1);
          expect(group.at(-1)?.next).toBeLessThanOrEqual(size);
          const total = group.reduce((sum, { lines }) => sum + (lines?.rawLength ?? 0), 0);
          expect(total).toBeLessThanOrEqual(4 * 1024 * 1024);
          group.slice(1).forEach((each, index) => expect(each.first).toBe(group[index]?.next));
          group.slice(1).forEach(({ first }) => expect(cuts).not.toContain(first));
        }
      }),
    );
  });
});

describe('old records', () => {
  test('are dropped when they are cosigned, their hashes stay, and everything can still be counted', async () => {
    const { main, shop } = await manyCommits();
    await exportAll(shop);
    const before = await showLogs(await shop.open(options), { commit: false, disclose: {}, limit: 10 });
    main.clock.passDays(401);
    serve(shop, hit('/own/7.html'));
    await exportAll(shop);
    expect(kept(shop, 'O').filter((name) => name.startsWith('0-6'))).toEqual(['0-6.hashes']);
    expect(kept(shop, 'T').filter((name) => name.endsWith('.seg'))).toEqual([expect.stringMatching(/^7-8-/)]);
    const after = await showLogs(await shop.open(options), { commit: false, disclose: {}, limit: 10 });
    expect(after.disk.bytes).toBeLessThan(before.disk.bytes);
    await pull(main);
    const demand = await demandRecords(main, shop, { count: 50, time: '2027-12-30T12:00:00Z' });
    const old = demandedIndexes(demand).filter((index) => index < 6).length;
    expect((await exportAll(shop)).answer).toMatchObject({ kind: 'answered', dropped: old });
  });

  test('of tie-up pages stay until the main site was shown all of them', async () => {
    const { main, shop } = await partnership();
    await shop.accept(await shop.open(options));
    serve(shop, hit('/with-main/'), hit('/own.html'));
    const only = { T: { kind: 'records', isWanted: () => false } } as const;
    await exportLogs(await shop.open(options), { acceptGap: false, disclose: only });
    await pull(main);
    await exportAll(shop);
    main.clock.passDays(401);
    serve(shop, hit('/with-main/story.html'));
    await exportAll(shop);
    expect(kept(shop, 'T').some((name) => name.startsWith('0-2-'))).toBe(true);
    expect(kept(shop, 'O').filter((name) => name.startsWith('0-'))).toEqual(['0-1.hashes']);
  });
});

test('a damaged file is named, and nothing is exported of it', async () => {
  const { shop } = await manyCommits();
  const name = kept(shop, 'T').find((each) => each.endsWith('.hashes')) ?? '';
  rmSync(shop.path(`state/logs/1/T/${name}`));
  const before = readFileSync(shop.path('exchange/outbox/logs/export.note'));
  await expect(
    exportLogs(await shop.open(options), { acceptGap: false, fromStart: true, disclose: {} }),
  ).rejects.toThrow(/records of log T are missing in the state folder, from number 0 on/);
  expect(readFileSync(shop.path('exchange/outbox/logs/export.note'))).toEqual(before);
});
