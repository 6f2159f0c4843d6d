import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { verifyPart, proveRecord, type VerifiedPart } from '../../../src/protocol/log-part.ts';
import type { PartExpectations } from '../../../src/protocol/log-part-header.ts';
import { renderRecord, switchRecord, unparsedRecord } from '../../../src/protocol/log-record.ts';
import { FIELD_STRIDE } from '../../../src/protocol/log-scan.ts';
import { subtreesOf } from '../../../src/protocol/merkle.ts';
import { noteSigner } from '../../../src/protocol/note.ts';
import { openProof, renderProof } from '../../../src/protocol/tlog-proof.ts';
import {
  headOf,
  hit,
  hits,
  inChunks,
  logKey,
  origin,
  type PartOptions,
  partOf,
  sealed,
  type SealedRecord,
} from '../../support/exported-log.ts';

const expected: PartExpectations = { keys: [logKey], origin };

interface Read {
  readonly part: VerifiedPart;
  readonly records: readonly string[];
  readonly indexes: readonly number[];
}

async function read(bytes: Uint8Array, expectations = expected, chunk = bytes.length): Promise<Read> {
  const records: string[] = [];
  const indexes: number[] = [];
  const part = await verifyPart(inChunks(bytes, chunk), expectations, (batch) => {
    for (let index = 0; index < batch.count; index += 1) {
      const at = index * FIELD_STRIDE;
      records.push(batch.bytes.toString('utf8', batch.offsets[at], (batch.offsets[at + FIELD_STRIDE - 1] ?? 0) - 1));
      indexes.push(batch.indexes[index] ?? -1);
    }
  });
  return { part, records, indexes };
}

const refusal = (why: string) =>
  expect.objectContaining({ code: 'TIEUP_E_VERIFY', message: expect.stringContaining(why) });
const refused = async (bytes: Uint8Array, why: string, expectations = expected) =>
  expect(verifyPart(inChunks(bytes), expectations)).rejects.toThrow(refusal(why));
const textsOf = (records: readonly SealedRecord[]) => records.map(({ record }) => Buffer.from(record).toString());

/** The lines of a part, with line ends. */
const linesOf = (part: Buffer): string[] => part.toString('latin1').split(/(?<=\n)/);
/** The part with its lines changed. */
const edited = (part: Buffer, edit: (lines: string[]) => readonly string[]): Buffer =>
  Buffer.from(edit(linesOf(part)).join(''), 'latin1');
const HEAD_LINES = 3;

const six = hits(6);
const whole = partOf(six);

describe('a whole export', () => {
  test('is verified and hands over every record in order', async () => {
    const { part, records, indexes } = await read(whole);
    expect(records).toEqual(textsOf(six));
    expect(indexes).toEqual([0, 1, 2, 3, 4, 5]);
    expect(part).toMatchObject({ from: 0, disclosed: 6, withheld: 0, firstSeq: 1, lastSeq: 6 });
    expect(part.classes).toEqual({ T: 6, O: 0, X: 0, S: 0, G: 0 });
    expect(part.checkpoint.size).toBe(6);
  });

  test('comes in chunks of any length', async () => {
    for (const chunk of [1, 2, 7, 100, 1000])
      expect((await read(whole, expected, chunk)).records).toEqual(textsOf(six));
  });

  test('is more than a window and a batch long', async () => {
    const many = hits(5000);
    const { part, records } = await read(partOf(many));
    expect(part.disclosed).toBe(5000);
    expect(records).toEqual(textsOf(many));
  });

  test('may be empty', async () => {
    expect((await read(partOf([]))).part).toMatchObject({ from: 0, disclosed: 0, withheld: 0, firstSeq: undefined });
    expect((await read(partOf(six, { from: 6 }))).part).toMatchObject({ from: 6, disclosed: 0 });
  });

  test('counts classes, of which switches have the number of the line before', async () => {
    const live = { time: '2026-11-23T22:00:00Z', publication: 1, release: 1, releaseDigest: 'a'.repeat(64) };
    const lines = [switchRecord(0, live), hit(1), switchRecord(1, live), switchRecord(1, live), hit(2)];
    const { part } = await read(partOf(sealed(lines.map(renderRecord))));
    expect(part.classes).toEqual({ T: 2, O: 0, X: 0, S: 3, G: 0 });
    const others = sealed([renderRecord(hit(1, { class: 'O', page: '' })), renderRecord(unparsedRecord(2, 'x'))]);
    const log = { ...origin, log: 'O' } as const;
    const { classes } = (await read(partOf(others, { origin: log }), { keys: [logKey], origin: log })).part;
    expect(classes).toEqual({ T: 0, O: 1, X: 1, S: 0, G: 0 });
  });
});

describe('an export of a part', () => {
  const selections = fc.tuple(fc.integer({ min: 0, max: 40 }), fc.infiniteStream(fc.boolean()), fc.nat(40));

  test('is verified whatever is disclosed and wherever it starts', async () => {
    await fc.assert(
      fc.asyncProperty(selections, async ([size, stream, start]) => {
        const records = hits(size);
        const from = Math.min(start, size);
        const chosen = records.map(() => stream.next().value === true);
        const bytes = partOf(records, { from, discloses: (index) => chosen[index] === true });
        const {
          part,
          indexes,
          records: texts,
        } = await read(bytes, { ...expected, after: headOf(records.slice(0, from)) });
        const wanted = chosen.flatMap((yes, index) => (yes && index >= from ? [index] : []));
        expect(indexes).toEqual(wanted);
        expect(texts).toEqual(wanted.map((index) => textsOf(records)[index]));
        expect(part.withheld).toBe(size - from - wanted.length);
      }),
      { numRuns: 60 },
    );
  });

  test('withholds with the fewest lines there can be', () => {
    const records = hits(21);
    const withheld = linesOf(partOf(records, { from: 3, discloses: (index) => index === 9 })).filter((line) =>
      line.startsWith('H '),
    );
    expect(withheld.map((line) => line.split(' ').slice(1, 3).map(Number))).toEqual(
      [...subtreesOf(3, 9), ...subtreesOf(10, 21)].map(({ start, level }) => [start, level]),
    );
  });

  test('starts where the one before ended, or is refused', async () => {
    const part = partOf(six, { from: 4 });
    expect((await read(part, { ...expected, after: headOf(six.slice(0, 4)) })).part.from).toBe(4);
    await refused(part, 'it starts at record 4, but what was verified before ends at 3', {
      ...expected,
      after: headOf(six.slice(0, 3)),
    });
    const others = sealed(textsOf(six).map((text) => text.replace('200', '404')));
    await refused(part, 'its history was written anew', { ...expected, after: headOf(others.slice(0, 4)) });
  });

  test('leads to the tree that was stated, or is refused', async () => {
    expect((await read(whole, { ...expected, until: headOf(six) })).part.disclosed).toBe(6);
    await refused(whole, 'is not the one of 5 that was stated', { ...expected, until: headOf(six.slice(0, 5)) });
  });
});

describe('an export that was changed', () => {
  test('at any bit is refused', async () => {
    const small = partOf(hits(2), { discloses: (index) => index !== 1 });
    for (let at = 0; at < small.length; at += 1) {
      const bytes = Buffer.from(small);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
      await expect(verifyPart(inChunks(bytes), expected), `byte ${at}`).rejects.toThrow(refusal('refused'));
    }
  });

  test('by cutting it off at any byte is refused', async () => {
    const small = partOf(hits(2), { discloses: (index) => index !== 1 });
    for (let end = 0; end < small.length; end += 1) {
      await refused(small.subarray(0, end), 'cut off');
    }
  });

  test.each<[string, (lines: string[]) => readonly string[], string]>([
    [
      'a record altered',
      (lines) => lines.with(4, (lines[4] ?? '').replace('\t200\t', '\t404\t')),
      'do not add up to the root that harbour signed for 6',
    ],
    ['a record dropped', (lines) => lines.toSpliced(4, 1), 'at record 1: record 2 stands in its place'],
    ['the last record dropped', (lines) => lines.slice(0, -1), 'it ends after 5 of 6 records: the rest is missing'],
    [
      'a record doubled',
      (lines) => lines.toSpliced(4, 0, lines[4] ?? ''),
      'at record 2: record 1 stands in its place, which was there before',
    ],
    [
      'a record put in',
      (lines) => lines.toSpliced(5, 0, (lines[4] ?? '').replace('R 1 ', 'R 2 ')),
      'at record 2: it is of line 2 of the access log, but follows line 2',
    ],
    [
      'two records exchanged',
      (lines) => lines.with(4, lines[5] ?? '').with(5, lines[4] ?? ''),
      'at record 1: record 2 stands in its place',
    ],
    [
      'two records exchanged with their numbers',
      (lines) =>
        lines.with(4, (lines[5] ?? '').replace('R 2 ', 'R 1 ')).with(5, (lines[4] ?? '').replace('R 1 ', 'R 2 ')),
      'at record 2: it is of line 2 of the access log, but follows line 3',
    ],
    [
      'a record behind the last',
      (lines) => [...lines, (lines.at(-1) ?? '').replace('R 5 ', 'R 6 ')],
      'it goes on after its last record',
    ],
    ['a blank line behind the last', (lines) => [...lines, '\n'], 'it goes on after its last record'],
    ['a byte behind the last', (lines) => [...lines, 'x'], 'it ends in the middle of a line'],
    ['a blank line between', (lines) => lines.toSpliced(4, 0, '\n'), 'at record 1: its line is neither'],
    [
      'CRLF in a record',
      (lines) => lines.with(4, (lines[4] ?? '').replace('\n', '\r\n')),
      'at record 1: its line ends with CRLF',
    ],
    ['CRLF in the head', (lines) => lines.with(2, 'from 0\r\n'), 'its lines end with CRLF'],
    ['another type', (lines) => lines.with(0, 'tieup-part/2\n'), 'it does not start with tieup-part/1'],
    ['no checkpoint', (lines) => lines.toSpliced(1, 1), 'line 2 is not "checkpoint"'],
    ['a start in another spelling', (lines) => lines.with(2, 'from 00\n'), 'line 3 is not "from" with a number'],
    [
      'a start behind the end',
      (lines) => lines.with(2, 'from 7\n'),
      'it starts at record 7, and its checkpoint has 6 records',
    ],
    ['a huge start', (lines) => lines.with(2, 'from 9999999999999999\n'), 'line 3 is not "from" with a number'],
    ['a start later than it is', (lines) => lines.with(2, 'from 1\n'), 'line 4 is not "F 0" with a hash'],
    [
      'a number in another spelling',
      (lines) => lines.with(4, (lines[4] ?? '').replace('R 1 ', 'R 01 ')),
      'at record 1: its line does not start with its number',
    ],
    [
      'a huge number',
      (lines) => lines.with(4, (lines[4] ?? '').replace('R 1 ', 'R 9999999999999999 ')),
      'at record 1: its line does not start with its number',
    ],
    [
      'a number without end',
      (lines) => lines.with(4, `R ${'1'.repeat(15_000)}\n`),
      'at record 1: its line does not start with its number',
    ],
    [
      'a salt in another spelling',
      (lines) => lines.with(3, (lines[3] ?? '').replace(/(.)== /, 'B== ')),
      'at record 0: its salt is not 16 bytes',
    ],
    [
      'a salt that is too short',
      (lines) => lines.with(3, (lines[3] ?? '').replace(/^R 0 \S{4}/, 'R 0 ')),
      'at record 0: its salt is not 16 bytes',
    ],
    [
      'a salt with a strange character',
      (lines) => lines.with(3, (lines[3] ?? '').replace(/^R 0 ./, 'R 0 -')),
      'at record 0: its salt is not 16 bytes',
    ],
    ['no salt', (lines) => lines.with(3, 'R 0 \n'), 'at record 0: '],
    [
      'a record that is none',
      (lines) => lines.with(3, (lines[3] ?? '').replace('\tGET\t', '\t\t')),
      'at record 0: its method is empty',
    ],
    [
      'a record of the other log',
      (lines) => lines.with(3, (lines[3] ?? '').replace('\tT\twith-main/story.html\t', '\tO\t-\t')),
      'at record 0: a record of class O is not one of log T',
    ],
    [
      'a record too long',
      (lines) => lines.with(3, `${(lines[3] ?? '').slice(0, -1)}${'x'.repeat(17_000)}\n`),
      'at record 0: it is longer than 16384 bytes',
    ],
  ])('by %s is refused', async (_, edit, why) => {
    await refused(edited(whole, edit), why);
  });

  test('by a line without end is refused before it is kept', async () => {
    let asked = 0;
    function* endless(): Generator<Uint8Array> {
      yield whole.subarray(0, whole.length - 1);
      for (; asked < 1024; asked += 1) yield Buffer.alloc(1024 * 1024, 'x');
    }
    await expect(verifyPart(endless(), expected)).rejects.toThrow(refusal('a line of more than 16512 bytes'));
    expect(asked).toBeLessThan(2);
    await expect(verifyPart([Buffer.alloc(100_000, 'x')], expected)).rejects.toThrow(refusal('a line of more than'));
  });

  test('closes what it was read from', async () => {
    let closed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield Buffer.from('tieup-part/2\n');
        yield whole;
      } finally {
        closed = true;
      }
    }
    await expect(verifyPart(source(), expected)).rejects.toThrow('does not start with');
    expect(closed).toBe(true);
  });
});

describe('withheld records', () => {
  const eight = hits(8);
  const sparse = partOf(eight, { discloses: (index) => index === 0 });
  // R 0, H 1 0, H 2 1, H 4 2
  const body = (edit: (lines: string[]) => readonly string[]) =>
    edited(sparse, (lines) => [...lines.slice(0, HEAD_LINES), ...edit(lines.slice(HEAD_LINES))]);
  const single = (index: number): string => {
    const lines = linesOf(partOf(eight, { discloses: (other) => other !== index }));
    return lines.find((line) => line.startsWith(`H ${index} 0 `)) ?? '';
  };

  test('are counted', async () => {
    expect((await read(sparse)).part).toMatchObject({ disclosed: 1, withheld: 7 });
    const all = partOf(eight, { discloses: () => false });
    expect(linesOf(all)).toHaveLength(HEAD_LINES + 1);
    expect((await read(all)).part).toMatchObject({ disclosed: 0, withheld: 8 });
  });

  test.each<[string, (lines: string[]) => readonly string[], string]>([
    [
      'that overlap the one before',
      (lines) => lines.with(1, (lines[1] ?? '').replace('H 1 0', 'H 0 0')),
      'at record 1: record 0 stands in its place, which was there before',
    ],
    [
      'that leave a gap',
      (lines) => lines.toSpliced(1, 1),
      'at record 1: record 2 stands in its place: records are missing',
    ],
    [
      'in more lines than needed',
      (lines) => lines.toSpliced(2, 1, single(2), single(3)),
      'at record 3: two neighbouring lines withhold what one line could',
    ],
    [
      'that cannot be one subtree',
      (lines) => lines.with(1, (lines[1] ?? '').replace('H 1 0', 'H 1 1')),
      'at record 1: 2 records cannot be withheld as one',
    ],
    [
      'more than there are',
      (lines) => lines.with(3, (lines[3] ?? '').replace('H 4 2', 'H 4 3')),
      'at record 4: 8 records cannot be withheld as one',
    ],
    [
      'many more than there are',
      (lines) => ['H 0 52 ', (lines[3] ?? '').slice(6)],
      'at record 0: it withholds 4503599627370496 records, more than there are',
    ],
    [
      'of a level that does not exist',
      (lines) => lines.with(3, (lines[3] ?? '').replace('H 4 2', 'H 4 53')),
      'withholds nothing',
    ],
    [
      'of a level in another spelling',
      (lines) => lines.with(3, (lines[3] ?? '').replace('H 4 2', 'H 4 02')),
      'withholds nothing',
    ],
    [
      'from a huge number on',
      (lines) => lines.with(3, (lines[3] ?? '').replace('H 4 2', 'H 9999999999999999 2')),
      'withholds nothing',
    ],
    ['with a hash that is too short', (lines) => lines.with(3, `H 4 2 ${'A'.repeat(42)}==\n`), 'withholds nothing'],
    ['with a hash in another spelling', (lines) => lines.with(3, `H 4 2 ${'A'.repeat(42)}B=\n`), 'withholds nothing'],
    [
      'with a hash that is not theirs',
      (lines) => lines.with(3, `H 4 2 ${'A'.repeat(43)}=\n`),
      'do not add up to the root',
    ],
    ['with a carriage return', (lines) => lines.with(3, (lines[3] ?? '').replace('\n', '\r\n')), 'withholds nothing'],
  ])('%s are refused', async (_, edit, why) => {
    await refused(body(edit), why);
  });

  test('of which the line says nothing are not passed off as disclosed ones', async () => {
    // An inner node in the place of a record: its 64 bytes are no record.
    const forged = body((lines) => lines.with(1, `R 1 ${'A'.repeat(22)}== ${'x'.repeat(48)}\n`));
    await refused(forged, 'at record 1: it has 1 fields, not 20');
  });
});

describe('an export of another log', () => {
  const stranger = noteSigner('pier/log', new Uint8Array(32).fill(9));
  const other = (options: PartOptions) => partOf(six, options);

  test.each<[string, PartOptions, string]>([
    ['another epoch', { origin: { ...origin, epoch: 2 } }, 'its epoch is 2, not 1'],
    ['the other tree', { origin: { ...origin, log: 'O' } }, 'its log is "O", not "T"'],
    ['another host', { origin: { ...origin, host: 'pier.example' } }, 'its host is "pier.example"'],
    [
      'another partner, with this key',
      { origin: { ...origin, partner: 'pier' } },
      'of the log of "pier", but "harbour/log" has signed it',
    ],
    ['another key', { signer: noteSigner('harbour/log', new Uint8Array(32).fill(8)) }, 'none of the known keys'],
    ['another partner', { origin: { ...origin, partner: 'pier' }, signer: stranger }, 'none of the known keys'],
    ['the tree of commerce', { origin: { ...origin, log: 'C' } }, 'its log is "C"'],
  ])('of %s is refused', async (_, options, why) => {
    await refused(other(options), why);
  });

  test('can be read with nothing but the file and the key', async () => {
    const part = other({ origin: { ...origin, epoch: 3 } });
    expect((await read(part, { keys: [logKey] })).part.checkpoint.origin.epoch).toBe(3);
    await refused(other({ origin: { ...origin, log: 'C' } }), 'not one of access records', { keys: [logKey] });
  });
});

describe('a proof of one record', () => {
  test('is made from a whole export, from a part and from a continuation', async () => {
    const records = hits(23);
    for (const options of [
      {},
      { discloses: (index: number) => index % 5 === 2 },
      { from: 9 },
    ] satisfies PartOptions[]) {
      for (const index of [12, 17, 22]) {
        const proof = await proveRecord(inChunks(partOf(records, options), 300), expected, index);
        const opened = openProof(renderProof(proof), [logKey]);
        expect(opened.index).toBe(index);
        expect(Buffer.from(opened.record).toString()).toBe(textsOf(records)[index]);
        expect(opened.checkpoint.size).toBe(23);
      }
    }
  });

  test('is not made of a record that is not disclosed or not there', async () => {
    const sparse = partOf(six, { discloses: (index) => index !== 2 });
    for (const index of [2, 6]) {
      await expect(proveRecord(inChunks(sparse), expected, index)).rejects.toThrow(
        expect.objectContaining({ code: 'TIEUP_E_NOT_FOUND' }),
      );
    }
  });

  test('is not made from an export that is wrong further on', async () => {
    await expect(proveRecord(inChunks(whole.subarray(0, -1)), expected, 0)).rejects.toThrow(refusal('cut off'));
  });
});
