import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { LogRecord } from '../../../src/protocol/log-record.ts';
import { commitTo, forge, ownHits, tieUpHits } from '../../support/forged-export.ts';
import { type MainFixture, partnership } from '../../support/partnership-fixture.ts';
import { pullOne, refusedPull } from '../../support/pulled.ts';

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
