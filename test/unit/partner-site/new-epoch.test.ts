import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { commitLogs } from '../../../src/partner-site/commit-logs.ts';
import { exportLogs } from '../../../src/partner-site/export-logs.ts';
import { rotateOwnKey } from '../../../src/partner-site/keys-rotate.ts';
import { withhold } from '../../../src/partner-site/merge.ts';
import { newEpoch } from '../../../src/partner-site/new-epoch.ts';
import { ownKey } from '../../../src/partner-site/own-keys.ts';
import type { PartnerSite } from '../../../src/partner-site/partner-site.ts';
import { EPOCH_TYPE, type LogEpoch, parseEpoch } from '../../../src/protocol/log-epoch.ts';
import { ownPathOf, switchOf } from '../../../src/protocol/log-record.ts';
import { openNote } from '../../../src/protocol/note.ts';
import { pull } from '../../support/cosigning.ts';
import { changesOf, killedAt } from '../../support/killed.ts';
import type { PartnerFixture } from '../../support/partner-fixture.ts';
import { partnership } from '../../support/partnership-fixture.ts';
import { refusalOf } from '../../support/refusal.ts';
import { disclosed, exported, hit, serve, withLogs } from '../../support/shop-logs.ts';

const options = { config: withLogs({ export: { O: 'whole' } }) };
const work = (site: PartnerSite) => exportLogs(site, { acceptGap: false, disclose: {} });
const exportAll = async (shop: PartnerFixture) => work(await shop.open(options));
const commit = async (shop: PartnerFixture) => commitLogs(await shop.open(options), { acceptGap: false });

/** Two lines exported and cosigned. */
async function cosigned() {
  const { main, shop } = await partnership();
  await shop.accept(await shop.open(options));
  serve(shop, hit('/with-main/'), hit('/own.html'));
  await exportAll(shop);
  await pull(main);
  return { main, shop };
}

async function statement(shop: PartnerFixture): Promise<LogEpoch> {
  const key = await ownKey(await shop.open(), 'accept');
  return parseEpoch(
    openNote(readFileSync(shop.path('exchange/outbox/logs/epoch.note')), [key], { type: EPOCH_TYPE }).text,
  );
}

const all = async (shop: PartnerFixture) =>
  [...(await disclosed(shop, 'T')), ...(await disclosed(shop, 'O'))]
    .toSorted((a, b) => a.seq - b.seq || Number(a.class === 'S') - Number(b.class === 'S'))
    .map(({ seq, class: kind, path }) => `${seq} ${kind}${kind === 'S' ? '' : ` ${path}`}`);

describe('a new epoch of the logs', () => {
  test('names where the one before was cosigned, and loses nothing that was not', async () => {
    const { shop } = await cosigned();
    const before = await exported(shop);
    serve(shop, hit('/own/two.html'), hit('/with-main/story.html'));
    await commit(shop);
    serve(shop, hit('/with-main/visit.html'));
    const begun = await newEpoch(await shop.open(options), { reason: 'we moved' });
    expect(begun).toMatchObject({ epoch: 2, carried: 2 });
    expect(await statement(shop)).toMatchObject({
      epoch: 2,
      reason: 'we moved',
      previous: { T: { size: 2, root: before.T.root }, O: { size: 1, root: before.O.root } },
    });
    await exportAll(shop);
    expect(await exported(shop)).toMatchObject({ seq: 2, epoch: 2, lines: { T: 2, O: 1, X: 0, S: 1 } });
    expect(await all(shop)).toEqual([
      '0 S',
      '1 O /own/two.html',
      '2 T /with-main/story.html',
      '3 T /with-main/visit.html',
    ]);
  });

  test('follows what was cosigned last, also when another one began and ended meanwhile', async () => {
    const { shop } = await cosigned();
    const before = await exported(shop);
    serve(shop, hit('/own/two.html'));
    for (const reason of ['we moved', 'we moved back']) await newEpoch(await shop.open(options), { reason });
    expect(await statement(shop)).toMatchObject({
      epoch: 3,
      follows: 1,
      previous: { T: { size: 2, root: before.T.root }, O: { size: 1, root: before.O.root } },
    });
    await exportAll(shop);
    expect(await all(shop)).toEqual(['0 S', '1 O /own/two.html']);
  });

  test('begins with the release that is live, and with the paths of it that are the partner’s own', async () => {
    const { main, shop } = await cosigned();
    for (const page of ['story', 'visit']) await withhold(await shop.open(options), { page, undo: false });
    serve(shop, hit('/with-main/'));
    await exportAll(shop);
    const [last] = (await disclosed(shop, 'T')).filter((record) => switchOf(record) !== undefined).toReversed();
    await pull(main);
    serve(shop, hit('/with-main/story.html'));
    await newEpoch(await shop.open(options), { reason: 'we moved' });
    await exportAll(shop);
    const begun = (await disclosed(shop, 'T')).filter(({ class: kind }) => kind === 'S');
    expect(begun.map((record) => ownPathOf(record) ?? switchOf(record))).toEqual([
      last && switchOf(last),
      'with-main/story.html',
      'with-main/visit.html',
    ]);
    expect((await exported(shop)).lines).toMatchObject({ T: 0, O: 1, S: 3 });
  });

  test('begins by itself with a new log key, which then signs alone', async () => {
    const { shop } = await cosigned();
    serve(shop, hit('/with-main/story.html'));
    await commit(shop);
    expect(await rotateOwnKey(await shop.open(options), 'log')).toMatchObject({ name: 'log-2', epoch: 2 });
    const { publicKey } = await ownKey(await shop.open(options), 'log');
    expect((await statement(shop)).log).toContain('harbour/log');
    await exportAll(shop);
    expect(await exported(shop)).toMatchObject({ epoch: 2, lines: { T: 1, O: 0 } });
    expect(publicKey.length).toBe(32);
    expect(await all(shop)).toEqual(['0 S', '1 T /with-main/story.html']);
  });

  test('is needed when the log key is another one than the state knows', async () => {
    const { shop } = await cosigned();
    await rotateOwnKey(await shop.open(), 'log');
    const refusal = (await refusalOf(shop, () => commit(shop))).error;
    expect(refusal).toMatchObject({ code: 'TIEUP_E_DRIFT', hint: expect.stringContaining('tieup logs new-epoch') });
  });

  test('killed at any step, is begun by the next try, with every line once', { timeout: 120_000 }, async () => {
    const { shop } = await cosigned();
    serve(shop, hit('/own/two.html'), hit('/with-main/story.html'));
    await commit(shop);
    const begin = (site: PartnerSite) => newEpoch(site, { reason: 'a reason' });
    const steps = await changesOf(shop, begin, options);
    for (const step of steps.keys()) {
      const killed = await killedAt(shop, begin, step + 1, options);
      await exportAll(killed);
      if ((await exported(killed)).epoch === 1) {
        await begin(await killed.open(options));
        await exportAll(killed);
      }
      expect([steps[step], (await statement(killed)).epoch, ...(await all(killed))]).toEqual([
        steps[step],
        2,
        '0 S',
        '1 O /own/two.html',
        '2 T /with-main/story.html',
      ]);
    }
  });
});

describe('a state folder that was lost or set back', () => {
  /** What `state/logs` was before two more lines were signed, put back. */
  async function setBack() {
    const { main, shop } = await cosigned();
    cpSync(shop.path('state/logs'), shop.path('backup'), { recursive: true });
    serve(shop, hit('/with-main/story.html'));
    await commit(shop);
    rmSync(shop.path('state/logs'), { recursive: true });
    cpSync(shop.path('backup'), shop.path('state/logs'), { recursive: true });
    rmSync(shop.path('backup'), { recursive: true });
    return { main, shop };
  }

  test('signs no second history, and says what to do', async () => {
    for (const { shop } of [await setBack(), await lost()]) {
      for (const act of [commit, exportAll]) {
        const refusal = (await refusalOf(shop, () => act(shop))).error;
        expect(refusal).toMatchObject({ code: 'TIEUP_E_DRIFT', hint: expect.stringContaining('tieup logs new-epoch') });
      }
    }
  });

  async function lost() {
    const { main, shop } = await cosigned();
    rmSync(shop.path('state/logs'), { recursive: true });
    mkdirSync(shop.path('state/logs'));
    return { main, shop };
  }

  test('is noticed by what the main site cosigned, when the outbox was emptied too', async () => {
    const { shop } = await lost();
    rmSync(shop.path('exchange/outbox/logs'), { recursive: true });
    expect((await refusalOf(shop, () => commit(shop))).error).toMatchObject({ code: 'TIEUP_E_DRIFT' });
    expect(existsSync(shop.path('exchange/outbox/logs/T.checkpoint'))).toBe(false);
  });

  test('the manager must say where to begin', async () => {
    const { shop } = await lost();
    expect(
      (await refusalOf(shop, async () => newEpoch(await shop.open(options), { reason: 'disk' }))).error,
    ).toMatchObject({
      code: 'TIEUP_E_USAGE',
      hint: expect.stringContaining('--from-now'),
    });
  });

  test('from now on: what is there is passed over, which a record says', async () => {
    const { shop } = await lost();
    serve(shop, hit('/with-main/missed.html'));
    expect(await newEpoch(await shop.open(options), { reason: 'the disk broke', lost: 'from-now' })).toMatchObject({
      epoch: 2,
      previous: { T: { size: 2 }, O: { size: 1 } },
    });
    serve(shop, hit('/own/new.html'));
    await exportAll(shop);
    expect(await exported(shop)).toMatchObject({ seq: 2, epoch: 2, lines: { T: 0, O: 1, G: 1 } });
    expect((await disclosed(shop, 'T'))[0]).toMatchObject({ class: 'G', query: 'the disk broke' });
  });

  test('from the start: every line of the files is read', async () => {
    const { shop } = await setBack();
    expect(await newEpoch(await shop.open(options), { reason: 'backup', lost: 'from-start' })).toMatchObject({
      epoch: 2,
    });
    await exportAll(shop);
    expect((await exported(shop)).lines).toMatchObject({ T: 2, O: 1 });
  });

  test('with a state that is whole, reading goes on where it was, whatever is said', async () => {
    const { shop } = await cosigned();
    serve(shop, hit('/own/two.html'));
    await exportAll(shop);
    const refusal = (
      await refusalOf(shop, async () => newEpoch(await shop.open(options), { reason: 'less fee', lost: 'from-now' }))
    ).error;
    expect(refusal).toMatchObject({ code: 'TIEUP_E_USAGE' });
    expect(existsSync(shop.path('exchange/outbox/logs/epoch.note'))).toBe(false);
  });

  test('a damaged state is lost as well', async () => {
    const { shop } = await cosigned();
    writeFileSync(shop.path('state/logs/state.json'), '{');
    expect((await refusalOf(shop, () => commit(shop))).error).toMatchObject({ code: 'TIEUP_E_VERIFY' });
    expect(await newEpoch(await shop.open(options), { reason: 'disk', lost: 'from-now' })).toMatchObject({ epoch: 2 });
    mkdirSync(shop.path('log'), { recursive: true });
    await commit(shop);
  });
});
