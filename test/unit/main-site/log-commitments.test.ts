import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { LogRecord } from '../../../src/protocol/log-record.ts';
import { commitTo, forge, ownHits, tieUpHits } from '../../support/forged-export.ts';
import { type MainFixture, partnership } from '../../support/partnership-fixture.ts';
import { importMailed, pullOne, refusedPull } from '../../support/pulled.ts';

const T = tieUpHits(9);
const O = ownHits(5, 20);
const changed = (records: readonly LogRecord[], at: number) =>
  records.map((each, index) => (index === at ? { ...each, status: 404 } : each));

const keptAt = ({ folder }: MainFixture): readonly string[] => {
  const path = `${folder}/.tieup/logs/harbour/1/commitments`;
  return existsSync(path) ? readdirSync(path).toSorted() : [];
};

/** A partner of which pulls have seen checkpoints of T with 3 and 6 records, and one of O with 5; nothing is exported. */
async function committed() {
  const { main, shop } = await partnership();
  await commitTo(shop, 'T', T.slice(0, 3));
  await commitTo(shop, 'O', O);
  expect(await pullOne(main)).toMatchObject({ kind: 'none' });
  await commitTo(shop, 'T', T.slice(0, 6));
  await pullOne(main);
  expect(keptAt(main)).toEqual(['O-5.note', 'T-3.note', 'T-6.note']);
  return { main, shop };
}

describe('what a partner has committed to when somebody looked', () => {
  test('is what it exports later', async () => {
    const { main, shop } = await committed();
    await commitTo(shop, 'T', T);
    await forge(shop, { claim: { T: T.slice(0, 8), O }, discloses: (log) => log === 'T' });
    expect(await pullOne(main)).toMatchObject({ kind: 'pulled', added: { T: 8, O: 5 } });
    // What is pinned has done its work; what is ahead is still to come.
    expect(keptAt(main)).toEqual(['T-9.note']);
  });

  test.each([0, 2, 4, 5])('cannot be changed before it is exported: record %i', async (at) => {
    const { main, shop } = await committed();
    await forge(shop, { claim: { T: changed(T, at), O } });
    const { error, evidence } = await refusedPull(main, shop);
    expect(error).toMatchObject({
      code: 'TIEUP_E_VERIFY',
      message: expect.stringContaining('had committed to other records'),
    });
    expect(evidence).toEqual(expect.arrayContaining(['T.checkpoint-committed', 'export.note']));
  });

  test('leaves what came after it free', async () => {
    const { main, shop } = await committed();
    await forge(shop, { claim: { T: changed(T, 6), O } });
    expect(await pullOne(main)).toMatchObject({ kind: 'pulled' });
  });

  test('holds for a log that is only counted where its sizes meet', async () => {
    const { main, shop } = await committed();
    await forge(shop, { claim: { T, O: changed(O, 2) }, discloses: (log) => log === 'T' });
    expect((await refusedPull(main, shop)).error.message).toContain('log O of harbour is refused');
  });

  test.each([0, 2, 4, 5])('cannot be changed behind a record that is withheld either: record %i', async (at) => {
    const { main, shop } = await committed();
    await forge(shop, { claim: { T: changed(T, at), O }, discloses: (log, index) => log === 'O' || index !== 1 });
    expect((await refusedPull(main, shop)).error.message).toContain('had committed to other records');
  });

  test('holds where only one record is withheld, and is told where there is no root to be held against', async () => {
    const { main, shop } = await committed();
    const first = await forge(shop, { claim: { T, O }, discloses: (log, index) => log === 'O' || index !== 1 });
    const { findings } = await pullOne(main);
    expect(findings).toMatchObject([{ kind: 'tie-up-withheld' }]);
    expect(findings[0]?.message).not.toContain('committed');
    expect(existsSync(`${main.folder}/.tieup/logs/harbour/1/uncompared`)).toBe(false);

    const more = [...T, ...tieUpHits(8, 40)];
    await commitTo(shop, 'T', more.slice(0, 14));
    await pullOne(main);
    const discloses = (log: 'T' | 'O', index: number) => log === 'O' || index < 12;
    const previous = first.digest;
    await forge(shop, { claim: { T: more.slice(0, 16), O }, from: { T: 9, O: 5 }, seq: 2, previous, discloses });
    expect((await pullOne(main)).findings).toMatchObject([
      { kind: 'tie-up-withheld', message: expect.stringContaining('at 1 earlier sizes (14) cannot be held') },
    ]);
    expect(readdirSync(`${main.folder}/.tieup/logs/harbour/1/uncompared`)).toEqual(['T-14.note']);
    expect(keptAt(main)).toEqual([]);
  });

  test('is in an export that was made later: one that is shorter is told of', async () => {
    const { main, shop } = await committed();
    const first = await forge(shop, { claim: { T: T.slice(0, 4), O } });
    expect((await pullOne(main)).findings).toMatchObject([
      { kind: 'records-held-back', message: expect.stringContaining('has 4 records of log T, and 6 had been signed') },
    ]);
    await forge(shop, { claim: { T, O }, from: { T: 4, O: 5 }, seq: 2, previous: first.digest });
    expect(await pullOne(main)).toMatchObject({ kind: 'pulled', findings: [] });
  });

  test('may be ahead of an export that lay there before, or came by mail', async () => {
    const { main, shop } = await partnership();
    await forge(shop, { claim: { T: T.slice(0, 4), O } });
    await commitTo(shop, 'T', T.slice(0, 6));
    const broken = { ...main.site.files };
    broken.rename = async () => {
      throw new Error('the disk is full');
    };
    await expect(pullOne(main, { ...main.site, files: broken })).rejects.toThrow('the disk is full');
    expect(await pullOne(main)).toMatchObject({ kind: 'pulled', findings: [] });

    const other = await committed();
    await forge(other.shop, { claim: { T: T.slice(0, 4), O } });
    expect(await importMailed(other.main, other.shop)).toMatchObject({ kind: 'pulled', findings: [] });
  });

  test('is remembered by its newest checkpoint, however many there were', async () => {
    const { main, shop } = await committed();
    const folder = `${main.folder}/.tieup/logs/harbour/1/commitments`;
    const note = readFileSync(`${folder}/T-6.note`);
    for (let size = 1000; size < 1998; size += 1) writeFileSync(`${folder}/T-${size}.note`, note);
    await commitTo(shop, 'T', tieUpHits(2001));
    await pullOne(main);
    const kept = keptAt(main).filter((name) => name.startsWith('T-'));
    expect(kept).toHaveLength(1000);
    expect(kept).toEqual(expect.arrayContaining(['T-3.note', 'T-6.note', 'T-1996.note', 'T-2001.note']));
  });

  test('may not be two things: both checkpoints are kept', async () => {
    const { main, shop } = await committed();
    await commitTo(shop, 'T', changed(T, 1).slice(0, 6));
    const { error, evidence } = await refusedPull(main, shop);
    expect(error.message).toContain('two roots for the first 6 records');
    expect(evidence).toEqual(['T.checkpoint', 'T.checkpoint-before', 'reason.txt']);
  });

  test('may not be another thing than what was cosigned', async () => {
    const { main, shop } = await partnership();
    await forge(shop, { claim: { T, O } });
    await pullOne(main);
    await commitTo(shop, 'O', changed(O, 0));
    const { error, evidence } = await refusedPull(main, shop);
    expect(error.message).toContain('two roots for the first 5 records');
    expect(evidence).toEqual(['O.checkpoint', 'O.checkpoint-before', 'reason.txt']);
  });

  test('binds nobody when it is not signed, or is old', async () => {
    const { main, shop } = await committed();
    await shop.write(
      'exchange/outbox/logs/T.checkpoint',
      'harbour.example/tieup-log/harbour/T/1\n6\nAAAA\n\n— harbour/log AAAA\n',
    );
    await forge(shop, { claim: { T, O } });
    expect(await pullOne(main)).toMatchObject({ kind: 'pulled' });
    await commitTo(shop, 'T', changed(T, 1).slice(0, 4));
    expect(await pullOne(main)).toMatchObject({ kind: 'unchanged' });
  });
});
