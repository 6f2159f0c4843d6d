import { randomFillSync } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { base64 } from '../../../src/protocol/base64.ts';
import { noteSigner } from '../../../src/protocol/note.ts';
import {
  type Claim,
  type Forgery,
  forge,
  liveSwitch,
  ownHits,
  tieUpHits,
  unreadable,
} from '../../support/forged-export.ts';
import { hit } from '../../support/exported-log.ts';
import { mainFixture, partnership } from '../../support/partnership-fixture.ts';
import { pullOne, refusedPull } from '../../support/pulled.ts';

const DIGEST = 'ab'.repeat(32);
const claim: Claim = {
  T: [liveSwitch(0, DIGEST), ...tieUpHits(5)],
  O: [...ownHits(3, 6), unreadable(9, 'no request at all')],
};
const more: Claim = { T: [...claim.T, ...tieUpHits(3, 10)], O: [...claim.O, ...ownHits(2, 13)] };
const FROM = { T: 6, O: 4 };

/** A partner whose first export was pulled; its digest. */
async function pulledOnce() {
  const { main, shop } = await partnership();
  const first = await forge(shop, { claim });
  expect(await pullOne(main)).toMatchObject({ kind: 'pulled', added: { T: 6, O: 4 } });
  return { main, shop, first };
}

const lines =
  (edit: (all: string[]) => string[]): NonNullable<Forgery['text']> =>
  (log, text) =>
    log === 'O' ? text : edit(text.split(/(?<=\n)/)).join('');
const HEAD = 3;
const swapped = (all: string[], a: number, b: number): string[] => {
  const other = [...all];
  [other[a], other[b]] = [all[b] ?? '', all[a] ?? ''];
  return other;
};

describe('an honest export', () => {
  test('is taken, and so is the one that follows it', async () => {
    const { main, shop, first } = await pulledOnce();
    await forge(shop, { claim: more, from: FROM, seq: 2, previous: first.digest });
    expect(await pullOne(main)).toMatchObject({ kind: 'pulled', added: { T: 3, O: 2 } });
  });

  test('is taken when others before it were never seen here, and is what the next one must name', async () => {
    const { main, shop } = await pulledOnce();
    // Exports 2 and 3 were made and replaced before anybody pulled.
    const fourth = await forge(shop, { claim: more, from: FROM, seq: 4, previous: DIGEST });
    expect(await pullOne(main)).toMatchObject({ kind: 'pulled', added: { T: 3, O: 2 } });
    const longer: Claim = { ...more, O: [...more.O, ...ownHits(1, 15)] };
    const next = { claim: longer, from: { T: 9, O: 6 } };
    await forge(shop, { ...next, seq: 5, previous: DIGEST });
    expect((await refusedPull(main, shop)).error.message).toContain('follows another export 4');
    await forge(shop, { ...next, seq: 3, previous: DIGEST });
    expect((await refusedPull(main, shop)).error).toMatchObject({
      code: 'TIEUP_E_ROLLBACK',
      message: expect.stringContaining('export 3 is older than 4'),
    });
    await forge(shop, { ...next, seq: 5, previous: fourth.digest });
    expect(await pullOne(main)).toMatchObject({ kind: 'pulled', added: { T: 0, O: 1 } });
  });
});

describe('an export is refused, and nothing of it counts, with', () => {
  const firsts: readonly (readonly [string, Omit<Forgery, 'claim'> & { readonly claim?: Claim }, string])[] = [
    [
      'a record that was altered after it was signed',
      { text: lines((all) => all.map((l) => l.replace('5120', '5121'))) },
      'do not add up to the root',
    ],
    [
      'a salt that was altered',
      { text: lines((all) => all.map((l) => l.replace(/^(R 2 )./, (_, r: string) => `${r}z`))) },
      'do not add up to the root',
    ],
    [
      'a record that was dropped',
      { text: lines((all) => all.toSpliced(HEAD + 2, 1)) },
      'records are missing or in another order',
    ],
    ['the last record dropped', { text: lines((all) => all.slice(0, -1)) }, 'ends after 5 of 6 records'],
    [
      'a record that was inserted',
      { text: lines((all) => all.toSpliced(HEAD + 2, 0, all[HEAD + 1] ?? '')) },
      'doubled or in another order',
    ],
    [
      'a record behind the last one',
      { text: lines((all) => [...all, (all.at(-1) ?? '').replace('R 5', 'R 6')]) },
      'goes on after its last record',
    ],
    ['records in another order', { text: lines((all) => swapped(all, HEAD + 1, HEAD + 2)) }, 'in another order'],
    [
      'records in another order under each other’s numbers',
      {
        text: lines((all) =>
          swapped(all, HEAD + 1, HEAD + 2).map((l, at) => (at < HEAD ? l : l.replace(/^R \d+/, `R ${at - HEAD}`))),
        ),
      },
      'follows line',
    ],
    ['lines that end with CRLF', { text: (_, text) => text.replaceAll('\n', '\r\n') }, 'CRLF'],
    ['the log of another partner', { partner: 'mill' }, '"mill"'],
    ['checkpoints of another host', { host: 'mill.example' }, 'host is "mill.example"'],
    ['the two logs crossed', { logOf: (log) => (log === 'T' ? 'O' : 'T') }, 'its log is "O", not "T"'],
    ['an epoch that nobody began', { epoch: 2 }, 'no statement of the manager begins that'],
    ['a statement that another key signed', { signer: noteSigner('harbour/log', new Uint8Array(32).fill(9)) }, 'note'],
    [
      'checkpoints that another key signed',
      { checkpointSigner: noteSigner('harbour/log', new Uint8Array(32).fill(9)) },
      'none of the known keys',
    ],
    ['a number below the first one', { seq: 0, previous: DIGEST }, 'numbered from 1'],
    ['a first one that follows another', { statement: (s) => ({ ...s, previous: DIGEST }) }, 'name the one before'],
    [
      'more lines than its logs have',
      { statement: (s) => ({ ...s, lines: { ...s.lines, O: 9 } }) },
      'log O has 4 records, but 10',
    ],
    [
      'a sum of lines that is wrong',
      { statementText: (text) => text.replace(/^lines \d+/m, 'lines 99') },
      'says that 99 were read',
    ],
    [
      'hits counted as switches',
      { statement: (s) => ({ ...s, lines: { ...s.lines, T: 4, S: 2 } }) },
      'counts 4 new records of class T, and log T has 5',
    ],
    [
      'unreadable lines counted as hits',
      { statement: (s) => ({ ...s, lines: { ...s.lines, O: 4, X: 0 } }) },
      'counts 4 new records of class O, and log O has 3',
    ],
    [
      'a tree that its checkpoint does not have',
      { statement: (s) => ({ ...s, T: { ...s.T, root: new Uint8Array(32) } }) },
      'is not the one of 6 that was stated',
    ],
    [
      'records withheld that are said to be shown',
      {
        discloses: (log, index) => log === 'O' || index !== 3,
        statement: (s) => ({ ...s, T: { ...s.T, disclosed: 'whole' } }),
      },
      '1 of its records are withheld',
    ],
    [
      'a file that is not there',
      { file: (log, bytes) => (log === 'T' ? undefined : bytes) },
      'a file that it names is not there',
    ],
    ['a file of other bytes', { file: (_, bytes) => Buffer.alloc(bytes.length) }, 'not those that were signed'],
    [
      'a file that is longer than was signed',
      { file: (_, bytes) => Buffer.concat([bytes, Buffer.alloc(1)]) },
      'longer than was signed',
    ],
    [
      'a file that is no gzip',
      { bytes: (_, bytes) => randomFillSync(Buffer.alloc(bytes.length)) },
      'damaged or cut off',
    ],
    [
      'more decompressed than was announced',
      { statement: (s) => ({ ...s, T: { ...s.T, file: s.T.file && { ...s.T.file, rawLength: 100 } } }) },
      'more than the 100 bytes',
    ],
    [
      'less decompressed than was announced',
      {
        statement: (s) => ({
          ...s,
          T: { ...s.T, file: s.T.file && { ...s.T.file, rawLength: s.T.file.rawLength + 1 } },
        }),
      },
      'bytes once it is decompressed, not',
    ],
    [
      'a file larger than any',
      { statement: (s) => ({ ...s, T: { ...s.T, file: s.T.file && { ...s.T.file, length: 2 ** 50 } } }) },
      'larger than any export',
    ],
    [
      'a number that no computer counts to',
      { statementText: (text) => text.replace(/^T \d+/m, `T ${'9'.repeat(17)}`) },
      'is not a whole number',
    ],
    ['a beginning that is not known here', { from: { T: 2, O: 0 } }, 'only 0 are known here'],
    [
      'tie-up hits in the log of its own pages',
      { claim: { T: claim.T, O: tieUpHits(1, 20) }, statement: (s) => ({ ...s, lines: { ...s.lines, T: 5, O: 1 } }) },
      'class T is not one of log O',
    ],
  ];

  test.each(firsts)('%s', async (_, forgery, why) => {
    const { main, shop } = await partnership();
    await forge(shop, { claim, ...forgery });
    const { error, evidence, reason } = await refusedPull(main, shop);
    expect(error).toMatchObject({ exitCode: 5, message: expect.stringContaining(why) });
    expect(error.hint).toContain('evidence: .tieup/logs/harbour/evidence/');
    expect(evidence).toContain('export.note');
    expect(reason).toContain(why);
    // The lie is not in the way of the truth.
    await forge(shop, { claim });
    expect(await pullOne(main)).toMatchObject({ kind: 'pulled' });
  });

  const nexts: readonly (readonly [string, (first: string) => Forgery, string, readonly string[]])[] = [
    [
      'a record that was cosigned altered',
      () => ({ claim: { ...more, T: more.T.with(2, hit(2, { status: 404 })) } }),
      'written anew',
      [],
    ],
    [
      'fewer records than were cosigned',
      () => ({ claim: { T: claim.T.slice(0, 3), O: claim.O }, from: { T: 0, O: 4 } }),
      'records were dropped',
      [],
    ],
    [
      'another root for the records that were cosigned',
      () => ({ claim: { ...claim, T: claim.T.with(5, hit(5, { status: 404 })) } }),
      'the history was forked',
      [],
    ],
  ];
  test.each(nexts)('%s', async (_, forgery, why) => {
    const { main, shop, first } = await pulledOnce();
    await forge(shop, { seq: 2, previous: first.digest, from: FROM, ...forgery(first.digest) });
    const { error, evidence } = await refusedPull(main, shop);
    expect(error.message).toContain(why);
    // What was signed before, and what contradicts it.
    expect(evidence).toEqual(
      expect.arrayContaining(['O.checkpoint-before', 'T.checkpoint-before', 'export-before.note', 'export.note']),
    );
    await forge(shop, { claim: more, from: FROM, seq: 2, previous: first.digest });
    expect(await pullOne(main)).toMatchObject({ kind: 'pulled', added: { T: 3, O: 2 } });
  });

  test('two statements of one number: both are kept', async () => {
    const { main, shop } = await pulledOnce();
    await forge(shop, { claim: more, from: FROM, seq: 1 });
    const { error, evidence } = await refusedPull(main, shop);
    expect(error.message).toContain('two different exports number 1');
    expect(evidence).toEqual(expect.arrayContaining(['export-before.note', 'export.note']));
  });

  test('another past of statements', async () => {
    const { main, shop } = await pulledOnce();
    await forge(shop, { claim: more, from: FROM, seq: 2, previous: DIGEST });
    expect((await refusedPull(main, shop)).error.message).toContain('follows another export 1');
  });

  test('an older number, as after an old backup was restored', async () => {
    const { main, shop, first } = await pulledOnce();
    const second = await forge(shop, { claim: more, from: FROM, seq: 2, previous: first.digest });
    await pullOne(main);
    await forge(shop, { claim, seq: 1 });
    const { error } = await refusedPull(main, shop);
    expect(error).toMatchObject({
      code: 'TIEUP_E_ROLLBACK',
      message: expect.stringContaining('export 1 is older than 2'),
    });
    expect(second.statement.seq).toBe(2);
  });

  test('a number that was used for an export which began too early', async () => {
    const { main, shop, first } = await pulledOnce();
    await forge(shop, { claim: more, seq: 2, previous: first.digest });
    expect(await pullOne(main)).toMatchObject({ kind: 'behind' });
    await forge(shop, {
      claim: { ...more, O: [...more.O, ...ownHits(1, 15)] },
      from: FROM,
      seq: 2,
      previous: first.digest,
    });
    const { error, evidence } = await refusedPull(main, shop);
    expect(error.message).toContain('two different exports number 2');
    expect(evidence).toContain('export-before.note');
  });

  test('a frontier that was made up', async () => {
    const { main, shop, first } = await pulledOnce();
    const zeros = base64(new Uint8Array(32));
    await forge(shop, {
      claim: more,
      from: FROM,
      seq: 2,
      previous: first.digest,
      text: (_, text) => text.replace(/^F (\d) .*$/m, `F $1 ${zeros}`),
    });
    expect((await refusedPull(main, shop)).error.message).toContain('written anew');
  });
});

describe('an export that was cut off', () => {
  test('is refused wherever that happened, on the way or before it was signed', async () => {
    const { main, shop } = await partnership();
    const { statement } = await forge(shop, { claim });
    const { length, rawLength } = statement.T.file ?? { length: 0, rawLength: 0 };
    for (let cut = 0; cut < length; cut += Math.ceil(length / 20)) {
      await forge(shop, { claim, file: (log, bytes) => (log === 'T' ? bytes.subarray(0, cut) : bytes) });
      expect((await refusedPull(main, shop)).error.message).toContain('cut off');
      await forge(shop, { claim, bytes: (log, bytes) => (log === 'T' ? bytes.subarray(0, cut) : bytes) });
      expect((await refusedPull(main, shop)).error.exitCode).toBe(5);
    }
    for (let cut = 0; cut < rawLength; cut += Math.ceil(rawLength / 40)) {
      await forge(shop, { claim, text: (log, text) => (log === 'T' ? text.slice(0, cut) : text) });
      expect((await refusedPull(main, shop)).error).toMatchObject({ code: 'TIEUP_E_VERIFY' });
    }
  }, 120_000);
});

describe('a decompression bomb', () => {
  test('of a gigabyte of zeros is refused after a line of it, whatever was announced', async () => {
    const { main, shop } = await partnership();
    const block = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const bomb = Buffer.concat(Array.from({ length: 16 }, () => block));
    await forge(shop, {
      claim,
      bytes: (log, bytes) => (log === 'T' ? bomb : bytes),
      statement: (s) => ({ ...s, T: { ...s.T, file: s.T.file && { ...s.T.file, rawLength: 2 ** 30 } } }),
    });
    const before = process.memoryUsage().rss;
    expect((await refusedPull(main, shop)).error.message).toContain('a line of more than');
    expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 * 1024);
  });

  test('behind a whole log is refused at the first byte that was not announced', async () => {
    const { main, shop } = await partnership();
    await forge(shop, {
      claim,
      bytes: (log, bytes) => (log === 'T' ? Buffer.concat([bytes, gzipSync(Buffer.alloc(64 * 1024 * 1024))]) : bytes),
    });
    expect((await refusedPull(main, shop)).error.message).toContain('that were announced');
  });
});

describe('what the outbox says is bounded', () => {
  test('a statement that is far too long is refused', async () => {
    const { main, shop } = await partnership();
    await forge(shop, { claim });
    await shop.write('exchange/outbox/logs/export.note', Buffer.alloc(100_000, 0x61));
    expect((await refusedPull(main, shop)).error).toMatchObject({ code: 'TIEUP_E_TOO_LARGE' });
  });

  test('a lock of another pull is waited for by nobody', async () => {
    const main = await mainFixture();
    const shop = await main.join();
    await main.pushed();
    await forge(shop, { claim });
    const until = new Date(main.clock.now().getTime() + 60_000).toISOString().replace(/\.\d+/, '');
    const holder = { who: 'cron@main', id: 'other', host: 'elsewhere', pid: 5, until };
    await main.write('.tieup/logs/harbour/lock', JSON.stringify(holder));
    expect((await refusedPull(main, shop)).error).toMatchObject({ code: 'TIEUP_E_LOCKED' });
  });
});
