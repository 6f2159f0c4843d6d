import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { importPulled } from '../../../src/main-site/import-logs.ts';
import { readPins } from '../../../src/main-site/logs/log-records.ts';
import { commitLogs } from '../../../src/partner-site/commit-logs.ts';
import { exportLogs } from '../../../src/partner-site/export-logs.ts';
import { rotateOwnKey } from '../../../src/partner-site/keys-rotate.ts';
import { newEpoch } from '../../../src/partner-site/new-epoch.ts';
import type { LogEpoch } from '../../../src/protocol/log-epoch.ts';
import { noteSigner } from '../../../src/protocol/note.ts';
import { renderVkey } from '../../../src/protocol/vkey.ts';
import {
  beginEpoch,
  type Claim,
  commitTo,
  forge,
  liveSwitch,
  logSignerOf,
  ownHits,
  tieUpHits,
} from '../../support/forged-export.ts';
import { hit, headOf, sealed } from '../../support/exported-log.ts';
import { renderRecord } from '../../../src/protocol/log-record.ts';
import type { PartnerFixture } from '../../support/partner-fixture.ts';
import { type MainFixture, partnership } from '../../support/partnership-fixture.ts';
import { knowRelease, pullOne, refusedPull } from '../../support/pulled.ts';
import { hit as line, serve, withLogs } from '../../support/shop-logs.ts';

const RELEASE = 'ab'.repeat(32);
const claim: Claim = { T: [liveSwitch(0, RELEASE), ...tieUpHits(5)], O: ownHits(4, 6) };
const longer: Claim = { T: [...claim.T, ...tieUpHits(2, 20)], O: [...claim.O, ...ownHits(2, 22)] };
const anew: Claim = { T: tieUpHits(2), O: ownHits(1, 3) };

const importedLines = (main: MainFixture): readonly string[] => [...main.hits.files.values()].flat();
const headIn = (records: Claim['T']) => headOf(sealed(records.map(renderRecord)));
const heads = ({ T, O }: Claim) => ({ T: headIn(T), O: headIn(O) });

async function vkeyOf(shop: PartnerFixture): Promise<string> {
  const { name, publicKey } = await logSignerOf(shop);
  return renderVkey(name, publicKey);
}

async function epochOf(shop: PartnerFixture, changes: Partial<LogEpoch> = {}): Promise<LogEpoch> {
  return {
    partner: 'harbour',
    epoch: 2,
    log: await vkeyOf(shop),
    follows: 1,
    previous: heads(longer),
    reason: 'the disk is new',
    time: '2026-11-25T00:00:00Z',
    ...changes,
  };
}

/** Two exports, both pulled. */
async function pulledTwice(audit = 0) {
  const { main, shop } = await partnership({ partnership: `logs:\n  audit: ${audit}\n` });
  await knowRelease(main, RELEASE);
  const first = await forge(shop, { claim });
  await pullOne(main);
  const second = await forge(shop, { claim: longer, from: { T: 6, O: 4 }, seq: 2, previous: first.digest });
  await pullOne(main);
  return { main, shop, second };
}

describe('a new epoch of the logs', () => {
  test('goes on where the main site has cosigned, and what was pinned before is kept', async () => {
    const { main, shop } = await pulledTwice();
    const before = await readPins(main.site, 'harbour');
    await beginEpoch(shop, await epochOf(shop));
    // The last export of the epoch before still lies there.
    const pulled = await pullOne(main);
    expect(pulled).toMatchObject({
      kind: 'none',
      epoch: { epoch: 2, reason: 'the disk is new', abandoned: { T: 0, O: 0 } },
      pins: { epoch: 2, T: { size: 0 }, O: { size: 0 } },
      findings: [],
    });
    expect(JSON.parse(readFileSync(`${main.folder}/.tieup/logs/harbour/1/pins.json`, 'utf8'))).toEqual(before);
    expect(existsSync(`${main.folder}/.tieup/logs/harbour/2/epoch.note`)).toBe(true);

    // Numbers of exports may start anew, with the state that was lost.
    await forge(shop, { claim: anew, epoch: 2 });
    expect(await pullOne(main)).toMatchObject({ kind: 'pulled', epoch: null, added: { T: 2, O: 1 } });
    expect(existsSync(`${main.folder}/.tieup/logs/harbour/1/statements/1.note`)).toBe(true);
    expect(existsSync(`${main.folder}/.tieup/logs/harbour/2/statements/1.note`)).toBe(true);
    // Read again, it begins nothing.
    expect(await pullOne(main)).toMatchObject({ kind: 'unchanged', epoch: null });
    expect(readFileSync(shop.path('exchange/inbox/logs/T.cosigned'), 'utf8')).toContain('/tieup-log/harbour/T/2');
  });

  test('that goes on from an older checkpoint brings what was cosigned since again, and it is imported once', async () => {
    const { main, shop } = await pulledTwice();
    await beginEpoch(shop, await epochOf(shop, { previous: heads(claim) }));
    expect(await pullOne(main)).toMatchObject({ epoch: { abandoned: { T: 2, O: 2 } }, findings: [] });
    const before = importedLines(main);
    // Numbers begin anew; the first record says again what was live.
    const T = [claim.T[0] ?? hit(0), ...tieUpHits(2, 1), ...tieUpHits(1, 5, { path: '/with-main/new.html' })];
    await forge(shop, { claim: { T, O: ownHits(2, 3) }, epoch: 2 });
    expect(await pullOne(main)).toMatchObject({ kind: 'pulled', added: { T: 4, O: 2 }, findings: [] });
    const added = [...main.hits.files].flatMap(([path, lines]) => (path.includes('/2-') ? lines : []));
    expect(added.map((each) => each.split('\t')[7])).toEqual([RELEASE, '/with-main/new.html']);
    // However often it is imported.
    await importPulled(main.site, true);
    expect(importedLines(main)).toHaveLength(before.length + 2);
  });

  test('that brings less over than was cosigned and not named is a finding; what was cosigned stays imported', async () => {
    const { main, shop } = await pulledTwice();
    await beginEpoch(shop, await epochOf(shop, { previous: heads(claim) }));
    await pullOne(main);
    const before = importedLines(main);
    await forge(shop, { claim: { T: [claim.T[0] ?? hit(0), ...tieUpHits(1)], O: ownHits(1, 2) }, epoch: 2 });
    const { findings } = await pullOne(main);
    expect(findings.map(({ kind, message }) => [kind, message])).toEqual([
      ['records-abandoned', expect.stringContaining('brings over 1 of the 2 records of log T')],
      ['records-abandoned', expect.stringContaining('brings over 1 of the 2 records of log O')],
    ]);
    expect(importedLines(main)).toEqual(expect.arrayContaining([...before]));
    expect((await pullOne(main)).findings).toEqual([]);
  });

  test('that brings other records instead of those is a finding, and nothing is taken for known', async () => {
    const { main, shop } = await pulledTwice();
    await beginEpoch(shop, await epochOf(shop, { previous: heads(claim) }));
    await pullOne(main);
    const before = importedLines(main).length;
    const T = [claim.T[0] ?? hit(0), ...tieUpHits(2, 1, { agent: 'Mozilla/4.0' })];
    await forge(shop, { claim: { T, O: ownHits(2, 3) }, epoch: 2 });
    expect((await pullOne(main)).findings).toMatchObject([
      { kind: 'records-again', message: expect.stringContaining('2 records of log T') },
    ]);
    expect(importedLines(main)).toHaveLength(before + 3);
  });

  test('ends the wait for records of the one before, which were demanded and not shown', async () => {
    const { main, shop } = await pulledTwice(5);
    await beginEpoch(shop, await epochOf(shop));
    expect((await pullOne(main)).findings).toMatchObject([
      { kind: 'unanswered', epoch: 1, message: expect.stringContaining('a new epoch began') },
    ]);
  });

  test('that has lost everything leaves out everything', async () => {
    const { main, shop } = await pulledTwice();
    await beginEpoch(shop, await epochOf(shop, { previous: { T: null, O: null } }));
    expect((await pullOne(main)).epoch).toMatchObject({ abandoned: { T: 8, O: 6 } });
  });

  test('may follow one in which nothing was ever exported, and that is told', async () => {
    const { main, shop } = await pulledTwice();
    await beginEpoch(shop, await epochOf(shop, { epoch: 4, follows: 3, previous: { T: null, O: null } }));
    const { pins, findings } = await pullOne(main);
    expect(pins.epoch).toBe(4);
    expect(findings).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining('2 epochs between 1 and 4') }),
    );
  });

  test('leaves nothing out when the one before began and ended between two pulls', async () => {
    const { main, shop } = await pulledTwice();
    await beginEpoch(shop, await epochOf(shop, { epoch: 3 }));
    const { pins, epoch, findings } = await pullOne(main);
    expect(pins.epoch).toBe(3);
    expect(epoch).toMatchObject({ epoch: 3, abandoned: { T: 0, O: 0 } });
    expect(findings).toEqual([]);
  });

  const refusals: readonly (readonly [string, Partial<LogEpoch>, string])[] = [
    [
      'names records that were never cosigned',
      { previous: heads({ T: [...longer.T, hit(40)], O: longer.O }) },
      'not what was cosigned',
    ],
    [
      'names another past',
      { previous: { ...heads(claim), T: { size: 6, root: new Uint8Array(32) } } },
      'not what was cosigned',
    ],
    [
      'names another log key than the partner has stated',
      { log: renderVkey('harbour/log', noteSigner('x', new Uint8Array(32).fill(9)).publicKey) },
      'log key',
    ],
    [
      'names what was cosigned in an epoch that nothing is known of',
      { epoch: 3, follows: 2 },
      'nothing was after epoch 1',
    ],
  ];
  test.each(refusals)('is refused when its statement %s', async (_, changes, why) => {
    const { main, shop } = await pulledTwice();
    await beginEpoch(shop, await epochOf(shop, changes));
    const { error, evidence } = await refusedPull(main, shop);
    expect(error).toMatchObject({ code: 'TIEUP_E_VERIFY', message: expect.stringContaining(why) });
    expect(evidence).toEqual(['epoch.note', 'reason.txt']);
  });

  test('is refused unless the accept key has signed it: the log key is no manager', async () => {
    const { main, shop } = await pulledTwice();
    await beginEpoch(shop, await epochOf(shop), await logSignerOf(shop));
    expect((await refusedPull(main, shop)).error).toMatchObject({ code: 'TIEUP_E_VERIFY' });
  });

  test('is refused of another partner', async () => {
    const { main, shop } = await pulledTwice();
    const log = (await vkeyOf(shop)).replace('harbour/log', 'harbour/log');
    await beginEpoch(shop, await epochOf(shop, { partner: 'mill', log: log.replace('harbour', 'mill') })).catch(
      () => {},
    );
    expect((await refusedPull(main, shop)).error).toMatchObject({ code: 'TIEUP_E_VERIFY' });
  });

  test('that is over takes no exports any more', async () => {
    const { main, shop, second } = await pulledTwice();
    await beginEpoch(shop, await epochOf(shop));
    await pullOne(main);
    await forge(shop, { claim: longer, from: { T: 8, O: 6 }, seq: 3, previous: second.digest });
    expect((await refusedPull(main, shop)).error).toMatchObject({
      code: 'TIEUP_E_ROLLBACK',
      message: expect.stringContaining('its epoch 1 is over'),
    });
  });

  test('is needed when the log key changes: until then exports of the new key are refused', async () => {
    const { main, shop, second } = await pulledTwice();
    await rotateOwnKey(await shop.open(), 'log');
    const keys = (await shop.open()).keys;
    const name = (await keys.names()).find((each) => each.startsWith('log-'));
    if (name === undefined) throw new Error('the key was not rotated');
    const signer = noteSigner('harbour/log', await keys.load(name));
    const more: Claim = { T: [...longer.T, hit(50)], O: longer.O };
    await forge(shop, {
      claim: more,
      from: { T: 8, O: 6 },
      seq: 3,
      previous: second.digest,
      signer,
      checkpointSigner: signer,
    });
    // The new key is taken in, because the accept key vouches for it.
    const refusedOnce = await pullOne(main).catch((error: unknown) => error);
    expect(refusedOnce).toMatchObject({
      code: 'TIEUP_E_VERIFY',
      hint: expect.stringContaining('tieup logs new-epoch'),
    });
    expect(await readPins(main.site, 'harbour')).toMatchObject({ T: { size: 8 } });

    const log = renderVkey(signer.name, signer.publicKey);
    await beginEpoch(shop, await epochOf(shop, { log, reason: null }));
    await forge(shop, { claim: anew, epoch: 2, signer, checkpointSigner: signer });
    expect(await pullOne(main)).toMatchObject({ kind: 'pulled', epoch: { epoch: 2 }, added: { T: 2, O: 1 } });
  });
});

describe('what was signed and not pulled when an epoch ended', () => {
  const more = tieUpHits(3, 40);
  const committedT = [...longer.T, ...more];
  const committedO = [...longer.O, ...ownHits(1, 50)];
  /** The first record says again what was live, then comes what was not cosigned. */
  const over = (T: number, O: number): Claim => ({
    T: [claim.T[0] ?? hit(0), ...tieUpHits(T, 1)],
    O: ownHits(O, 1 + T),
  });

  async function committed() {
    const pulled = await pulledTwice();
    const { main, shop } = pulled;
    await commitTo(shop, 'T', committedT);
    await commitTo(shop, 'O', committedO);
    expect(await pullOne(main)).toMatchObject({ kind: 'unchanged', findings: [] });
    await beginEpoch(shop, await epochOf(shop));
    return pulled;
  }

  test('comes over with the first export', async () => {
    const { main, shop } = await committed();
    expect((await pullOne(main)).findings).toEqual([]);
    await forge(shop, { claim: over(3, 1), epoch: 2 });
    expect(await pullOne(main)).toMatchObject({ kind: 'pulled', findings: [], added: { T: 4, O: 1 } });
  });

  test.each([
    [
      'T',
      'the epoch began and was exported between two pulls',
      false,
      over(2, 2),
      'brings over 2 of the 3 records of log T',
    ],
    ['T', 'the epoch was seen before', true, over(0, 1), 'brings over 0 of the 3 records of log T'],
    ['O', 'the epoch was seen before', true, over(3, 0), 'brings over 0 of the 1 records of log O'],
  ] as const)(
    'is missed when records of log %s stay away, also when %s',
    async (_, _when, isSeen, brought, message) => {
      const { main, shop } = await committed();
      if (isSeen) await pullOne(main);
      await forge(shop, { claim: brought, epoch: 2 });
      expect((await pullOne(main)).findings).toMatchObject([
        { kind: 'records-abandoned', epoch: 2, message: expect.stringContaining(message) },
      ]);
    },
  );

  test('is missed also after the log key was replaced', async () => {
    const { main, shop } = await committed();
    await rotateOwnKey(await shop.open(), 'log');
    const keys = (await shop.open()).keys;
    const name = (await keys.names()).find((each) => each.startsWith('log-')) ?? 'log';
    const signer = noteSigner('harbour/log', await keys.load(name));
    await beginEpoch(shop, await epochOf(shop, { log: renderVkey(signer.name, signer.publicKey) }));
    await forge(shop, { claim: over(0, 1), epoch: 2, signer, checkpointSigner: signer });
    expect((await pullOne(main)).findings).toMatchObject([{ kind: 'records-abandoned' }]);
  });

  test('is missed also when yet another epoch begins before anything is exported', async () => {
    const { main, shop } = await committed();
    await pullOne(main);
    await beginEpoch(shop, await epochOf(shop, { epoch: 3 }));
    expect((await pullOne(main)).findings).toEqual([]);
    await forge(shop, { claim: over(2, 1), epoch: 3 });
    expect((await pullOne(main)).findings).toMatchObject([
      { kind: 'records-abandoned', message: expect.stringContaining('brings over 2 of the 3 records of log T') },
    ]);
  });

  test('is there twice where the logs were read from the start again, which is told', async () => {
    const { main, shop } = await pulledTwice();
    await beginEpoch(shop, await epochOf(shop));
    const T = tieUpHits(5, 1, { time: '2026-11-20T10:00:00Z' });
    await forge(shop, { claim: { T, O: [] }, epoch: 2 });
    expect((await pullOne(main)).findings).toMatchObject([{ kind: 'late-hits' }]);
  });

  test('is also what an export says that nobody pulled: it is passed over, and what is in it comes over', async () => {
    const { main, shop, second } = await pulledTwice();
    const unpulled = { claim: { T: committedT, O: committedO }, from: { T: 8, O: 6 }, seq: 3, previous: second.digest };
    await forge(shop, unpulled);
    await beginEpoch(shop, await epochOf(shop));
    expect(await pullOne(main)).toMatchObject({ kind: 'none', epoch: { epoch: 2 }, findings: [] });
    expect(await pullOne(main)).toMatchObject({ kind: 'none', epoch: null, findings: [] });
    await forge(shop, { claim: over(2, 1), epoch: 2 });
    expect((await pullOne(main)).findings).toMatchObject([
      { kind: 'records-abandoned', message: expect.stringContaining('brings over 2 of the 3 records of log T') },
    ]);
  });

  const config = withLogs({ export: { O: 'whole' } });
  const exportNow = async (shop: PartnerFixture) =>
    exportLogs(await shop.open({ config }), { acceptGap: false, disclose: {} });
  const paths = (main: MainFixture) =>
    importedLines(main)
      .map((each) => each.split('\t'))
      .filter(([, , , , kind]) => kind === 'T' || kind === 'O')
      .map((fields) => fields[7])
      .toSorted();

  /** A partner whose last export was pulled, and whose lines since are committed to. */
  async function honest() {
    const { main, shop } = await partnership({ partnership: 'logs:\n  audit: 0\n' });
    await shop.accept(await shop.open({ config }));
    serve(shop, line('/with-main/'), line('/about/us.html'));
    await exportNow(shop);
    await pullOne(main);
    serve(shop, line('/with-main/story.html'), line('/'));
    return { main, shop };
  }

  test('is brought over by an honest partner whose last export nobody pulled', async () => {
    const { main, shop } = await honest();
    await exportNow(shop);
    serve(shop, line('/with-main/visit.html'));
    await commitLogs(await shop.open({ config }), { acceptGap: false });
    await newEpoch(await shop.open({ config }), { reason: 'a try' });
    expect(await pullOne(main)).toMatchObject({ kind: 'none', epoch: { epoch: 2 }, findings: [] });
    await exportNow(shop);
    expect(await pullOne(main)).toMatchObject({ kind: 'pulled', findings: [] });
    expect(paths(main)).toEqual([
      '/',
      '/about/us.html',
      '/with-main/',
      '/with-main/story.html',
      '/with-main/visit.html',
    ]);
  });

  test('is imported once of an honest partner that never saw the last cosignature', async () => {
    const { main, shop } = await honest();
    await exportNow(shop);
    await pullOne(main);
    await shop.remove('exchange/inbox/logs');
    serve(shop, line('/with-main/visit.html'));
    await newEpoch(await shop.open({ config }), { reason: 'a try' });
    await exportNow(shop);
    expect(await pullOne(main)).toMatchObject({ kind: 'pulled', epoch: { epoch: 2 }, findings: [] });
    expect(paths(main)).toEqual([
      '/',
      '/about/us.html',
      '/with-main/',
      '/with-main/story.html',
      '/with-main/visit.html',
    ]);
  });

  test('is brought over through an epoch in which nothing was exported', async () => {
    const { main, shop } = await honest();
    await commitLogs(await shop.open({ config }), { acceptGap: false });
    await pullOne(main);
    await newEpoch(await shop.open({ config }), { reason: 'a try' });
    await commitLogs(await shop.open({ config }), { acceptGap: false });
    await pullOne(main);
    await newEpoch(await shop.open({ config }), { reason: 'another' });
    expect(await pullOne(main)).toMatchObject({ epoch: { epoch: 3 }, findings: [] });
    await exportNow(shop);
    expect(await pullOne(main)).toMatchObject({ kind: 'pulled', findings: [] });
    expect(paths(main)).toEqual(['/', '/about/us.html', '/with-main/', '/with-main/story.html']);
  });
});
