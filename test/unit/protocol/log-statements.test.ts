import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type LogAnswer,
  LOG_ANSWER_TYPE,
  MAX_LOG_ANSWER_NOTE,
  parseLogAnswer,
  renderLogAnswer,
} from '../../../src/protocol/log-answer.ts';
import {
  demandedIndexes,
  DEMAND_TYPE,
  MAX_DEMAND_NOTE,
  type LogDemand,
  parseDemand,
  renderDemand,
} from '../../../src/protocol/log-demand.ts';
import { EPOCH_TYPE, type LogEpoch, MAX_EPOCH_NOTE, parseEpoch, renderEpoch } from '../../../src/protocol/log-epoch.ts';
import {
  EXPORT_TYPE,
  type LogExport,
  MAX_EXPORT_NOTE,
  parseExport,
  renderExport,
} from '../../../src/protocol/log-export.ts';
import { emptyRoot, leafHash } from '../../../src/protocol/merkle.ts';
import { noteSigner, signNote } from '../../../src/protocol/note.ts';
import { renderVkey } from '../../../src/protocol/vkey.ts';
import { logSigner } from '../../support/exported-log.ts';

const root = Uint8Array.from(leafHash(Buffer.from('x')));
const ROOT = Buffer.from(root).toString('base64');
const TIME = '2026-11-23T22:00:00Z';
const [A, B] = ['a'.repeat(64), 'b'.repeat(64)];
const refusal = (why: string) =>
  expect.objectContaining({ code: 'TIEUP_E_VERIFY', message: expect.stringContaining(why) });

const exported: LogExport = {
  partner: 'harbour',
  seq: 2,
  previous: A,
  epoch: 1,
  lines: { T: 5, O: 7, X: 2, S: 3, G: 1 },
  T: { size: 9, root, disclosed: 'whole', from: 4, file: { digest: B, length: 900, rawLength: 4000 } },
  O: { size: 9, root, disclosed: 'none', from: 0, file: null },
  settings: 'c'.repeat(64),
  time: TIME,
};
const EXPORT = renderExport(exported);

const demand: LogDemand = {
  partner: 'harbour',
  epoch: 1,
  tree: { size: 9, root },
  from: 0,
  nonce: B,
  count: 4,
  time: TIME,
};
const DEMAND = renderDemand(demand);

const answer: LogAnswer = { partner: 'harbour', demand: A, file: { digest: B, length: 9, rawLength: 99 }, time: TIME };
const ANSWER = renderLogAnswer(answer);

const epoch: LogEpoch = {
  partner: 'harbour',
  epoch: 2,
  log: renderVkey(logSigner.name, logSigner.publicKey),
  follows: 1,
  previous: { T: { size: 9, root }, O: null },
  reason: 'the disk failed',
  time: TIME,
};
const EPOCH = renderEpoch(epoch);

describe('the statement of an export', () => {
  test('says what lies there, in this form', () => {
    expect(EXPORT).toBe(
      `${EXPORT_TYPE}\npartnership harbour\nexport 2 ${A}\nepoch 1\nlines 14 5 7 2 3 1\n` +
        `T 9 ${ROOT} whole 4 ${B} 900 4000\nO 9 ${ROOT} none 0 - 0 0\nsettings ${exported.settings}\ntime ${TIME}\n`,
    );
    expect(parseExport(EXPORT)).toEqual(exported);
  });

  test.each<[string, string, string, string]>([
    ['lines that do not add up', 'lines 14', 'lines 15', 'it counts 5 + 7 + 2 lines, but says that 15 were read'],
    ['a tree larger than its classes', 'T 9', 'T 10', 'log T has 10 records, but 9 of its classes are counted'],
    ['a tree smaller than its classes', 'O 9', 'O 8', 'log O has 8 records, but 9'],
    ['a start behind the end', 'whole 4', 'whole 10', 'log T starts at record 10 of 9'],
    ['a file that is not there', ' none 0 -', ' whole 0 -', 'log O is "whole", which does not fit its file'],
    ['a file that should not be there', 'whole 4', 'none 4', 'log T is "none", which does not fit its file'],
    ['a length without a file', '- 0 0', '- 0 1', 'canonical form'],
    ['a file larger than any', '900 4000', '900 1099511627777', 'larger than any export'],
    ['a leading zero', 'epoch 1', 'epoch 01', 'epoch "01" is not a whole number'],
    ['a huge number', 'epoch 1', 'epoch 9999999999999999', 'epoch is too large'],
    ['epoch 0', 'epoch 1', 'epoch 0', 'numbered from 1 on'],
    ['no predecessor', `export 2 ${A}`, 'export 2 -', 'all exports but the first'],
    ['a predecessor of the first', 'export 2', 'export 1', 'all exports but the first'],
    ['a root that is too short', `T 9 ${ROOT}`, 'T 9 AAAA', 'is not 32 bytes in base64'],
    ['a root in another spelling', ROOT, `${ROOT.slice(0, -2)}b=`, 'is not 32 bytes in base64'],
    ['another word', ' none ', ' nothing ', '"nothing" is none of whole, part, none'],
    ['a blank too many', 'epoch 1', 'epoch  1', 'line 4 is not "epoch"'],
    ['a line too many', 'epoch 1', 'epoch 1\nepoch 1', 'it does not consist of 9 lines'],
  ])('with %s is refused', (_, from, to, why) => {
    expect(EXPORT).toContain(from);
    expect(() => parseExport(EXPORT.replace(from, to))).toThrow(refusal(why));
  });

  test('of an empty log has the root of an empty tree', () => {
    const nothing = { size: 0, root: Uint8Array.from(emptyRoot()), disclosed: 'none', from: 0, file: null } as const;
    const first = {
      ...exported,
      seq: 1,
      previous: null,
      lines: { T: 0, O: 0, X: 0, S: 0, G: 0 },
      T: nothing,
      O: nothing,
    };
    expect(parseExport(renderExport(first))).toEqual(first);
    expect(() => parseExport(renderExport({ ...first, T: { ...nothing, root } }))).toThrow(
      refusal('is empty, but has a root'),
    );
  });
});

describe('a demand for records', () => {
  test('is read as it was written', () => {
    expect(DEMAND).toBe(
      `${DEMAND_TYPE}\npartnership harbour\ntree O 1 0 9 ${ROOT}\nnonce ${B}\ncount 4\ntime ${TIME}\n`,
    );
    expect(parseDemand(DEMAND)).toEqual(demand);
  });

  test('draws indexes that both sides compute alike', () => {
    // Computed with Python's hashlib.
    expect(demandedIndexes(demand)).toEqual([1, 3, 5]);
  });

  test('draws none of the records that were asked about before', () => {
    // Computed with Python's hashlib.
    expect(demandedIndexes({ ...demand, from: 5 })).toEqual([6, 8]);
    const large = { ...demand, from: 2 ** 40 - 7, tree: { size: 2 ** 40, root }, count: 200 };
    expect(demandedIndexes(large)).toEqual(Array.from({ length: 7 }, (_, index) => large.from + index));
  });

  test('draws within the tree, ascending, each once, and other ones with another nonce', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 40 }), fc.integer({ min: 1, max: 200 }), (size, count) => {
        const drawn = demandedIndexes({ ...demand, tree: { size, root }, count });
        expect(drawn).toEqual([...new Set(drawn)].sort((a, b) => a - b));
        expect(drawn.length).toBeLessThanOrEqual(count);
        expect(drawn.every((index) => Number.isSafeInteger(index) && index >= 0 && index < size)).toBe(true);
      }),
    );
    const large = { ...demand, tree: { size: 2 ** 40, root } };
    expect(demandedIndexes({ ...large, nonce: A })).not.toEqual(demandedIndexes(large));
    expect(demandedIndexes({ ...large, count: 3 }).every((index) => demandedIndexes(large).includes(index))).toBe(true);
  });

  test.each<[string, string, string, string]>([
    ['of no records', 'count 4', 'count 0', 'it is of 0 records'],
    ['of too many records', 'count 4', 'count 10001', 'it is of 10001 records'],
    ['of an empty tree', 'O 1 0 9', 'O 1 0 0', 'there is nothing to be seen'],
    ['of what was asked about already', 'O 1 0 9', 'O 1 9 9', 'there is nothing to be seen'],
    ['of the other log', 'tree O', 'tree T', 'canonical form'],
    ['with a short nonce', B, 'bb', 'nonce "bb"'],
  ])('%s is refused', (_, from, to, why) => {
    expect(() => parseDemand(DEMAND.replace(from, to))).toThrow(refusal(why));
  });
});

describe('the answer to a demand', () => {
  test('is read as it was written', () => {
    expect(ANSWER).toBe(`${LOG_ANSWER_TYPE}\npartnership harbour\ndemand ${A}\nfile ${B} 9 99\ntime ${TIME}\n`);
    expect(parseLogAnswer(ANSWER)).toEqual(answer);
  });

  test.each<[string, string, string]>([
    [`demand ${A}`, 'demand -', 'demand "-" is not a SHA-256 digest'],
    ['9 99', '9 099', 'file "099" is not a whole number'],
    ['partnership harbour', 'partnership Harbour', 'is not a partner id'],
  ])('with %j as %j is refused', (from, to, why) => {
    expect(() => parseLogAnswer(ANSWER.replace(from, to))).toThrow(refusal(why));
  });
});

describe('the statement of a new epoch', () => {
  test('is read as it was written', () => {
    expect(EPOCH).toBe(
      `${EPOCH_TYPE}\npartnership harbour\nepoch 2\nlog ${epoch.log}\nprevious 1 9 ${ROOT} - -\n` +
        `reason dGhlIGRpc2sgZmFpbGVk\ntime ${TIME}\n`,
    );
    expect(parseEpoch(EPOCH)).toEqual(epoch);
    const bare = { ...epoch, reason: null, previous: { T: null, O: null } };
    expect(parseEpoch(renderEpoch(bare))).toEqual(bare);
  });

  test.each<[string, string, string, string]>([
    ['of the first epoch', 'epoch 2', 'epoch 1', 'only the second epoch and later ones'],
    ['that follows itself', 'previous 1', 'previous 2', 'does not follow an epoch before it'],
    ['that follows none', 'previous 1', 'previous 0', 'does not follow an epoch before it'],
    [
      'with the key of another role',
      epoch.log,
      renderVkey('harbour/site', logSigner.publicKey),
      'its log key is called "harbour/site"',
    ],
    ['with no key', epoch.log, 'key', 'is not a verifier key'],
    ['with half a head', `9 ${ROOT}`, '9 -', 'is not 32 bytes in base64'],
    ['with a reason in another spelling', 'bGVk\n', 'bGV\n', 'is not base64'],
    ['with a root and no size', '- -', `- ${ROOT}`, 'canonical form'],
  ])('%s is refused', (_, from, to, why) => {
    expect(() => parseEpoch(EPOCH.replace(from, to))).toThrow(refusal(why));
  });

  test('with a reason without end is refused', () => {
    expect(() => parseEpoch(renderEpoch({ ...epoch, reason: 'x'.repeat(4001) }))).toThrow(
      refusal('reason is longer than 4000 characters'),
    );
  });
});

describe('all of them', () => {
  test.each([
    ['export', EXPORT, parseExport],
    ['demand', DEMAND, parseDemand],
    ['answer', ANSWER, parseLogAnswer],
    ['epoch', EPOCH, parseEpoch],
  ])('refuse an %s that is cut off, of another type or of another form', (_, text, parse) => {
    for (let end = 0; end < text.length; end += 1)
      expect(() => parse(text.slice(0, end))).toThrow(refusal('malformed'));
    for (const other of [
      text.replace('/1\n', '/2\n'),
      `${text}\n`,
      text.replaceAll('\n', '\r\n'),
      text.replace('time', 'date'),
    ]) {
      expect(() => parse(other)).toThrow(refusal('malformed'));
    }
  });

  test('fit into their bounds at their largest', () => {
    const partner = 'h'.repeat(63);
    const signer = noteSigner(`${partner}/accept`, new Uint8Array(32).fill(2));
    const many = Number.MAX_SAFE_INTEGER;
    const file = { digest: A, length: many, rawLength: many };
    const tree = { size: many, root, disclosed: 'whole', from: many, file } as const;
    const lines = { T: many, O: many, X: many, S: many, G: many };
    const log = renderVkey(`${partner}/log`, logSigner.publicKey);
    const largest: readonly (readonly [string, number])[] = [
      [renderExport({ ...exported, partner, seq: many, epoch: many, lines, T: tree, O: tree }), MAX_EXPORT_NOTE],
      [renderDemand({ ...demand, partner, epoch: many, tree, count: many }), MAX_DEMAND_NOTE],
      [renderLogAnswer({ ...answer, partner, file }), MAX_LOG_ANSWER_NOTE],
      [
        renderEpoch({
          ...epoch,
          partner,
          log,
          epoch: many,
          follows: many - 1,
          previous: { T: tree, O: tree },
          reason: '漢'.repeat(4000),
        }),
        MAX_EPOCH_NOTE,
      ],
    ];
    for (const [text, bound] of largest) expect(signNote(text, [signer]).length).toBeLessThan(bound);
  });
});
