import { MAX_DECISION_NOTE } from '../../../src/protocol/exchange.ts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TieupError } from '../../../src/errors.ts';
import {
  decisionDigest,
  MAX_REASON,
  parseDecision,
  renderDecision,
  type Decision,
} from '../../../src/protocol/decision.ts';
import { noteSigner, signNote } from '../../../src/protocol/note.ts';

const DIGEST = 'ab'.repeat(32);
const decision: Decision = {
  partner: 'harbour',
  terms: DIGEST,
  seq: 2,
  previous: 'cd'.repeat(32),
  release: 7,
  releaseDigest: 'ef'.repeat(32),
  merge: '12'.repeat(32),
  verdict: 'accepted',
  by: 'manager',
  time: '2026-11-23T22:00:00Z',
  expires: '2026-12-23T22:00:00Z',
  reason: null,
};

describe('a decision', () => {
  it('has the fixed lines that the protocol says', () => {
    expect(renderDecision(decision)).toBe(
      [
        'tieup-decision/1',
        `partnership harbour ${DIGEST}`,
        `seq 2 ${'cd'.repeat(32)}`,
        `release 7 ${'ef'.repeat(32)}`,
        `merge ${'12'.repeat(32)}`,
        'verdict accepted',
        'by manager',
        'time 2026-11-23T22:00:00Z 2026-12-23T22:00:00Z',
        'reason -',
        '',
      ].join('\n'),
    );
  });

  it('has room for the longest reason in any script, signed by an old key and a new one', () => {
    const text = renderDecision({ ...decision, verdict: 'rejected', reason: '\u4e00'.repeat(MAX_REASON) });
    const signers = [1, 2].map((key) => noteSigner('harbour/accept', new Uint8Array(32).fill(key)));
    expect(signNote(text, signers).length).toBeLessThan(MAX_DECISION_NOTE);
  });

  it('is read back as it was written, whatever the reason says', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }), fc.nat(1_000_000), (reason, seq) => {
        const rejected: Decision = { ...decision, verdict: 'rejected', merge: null, previous: null, seq, reason };
        expect(parseDecision(renderDecision(rejected))).toEqual(rejected);
      }),
    );
  });

  it('has a digest that any change alters', () => {
    expect(decisionDigest({ ...decision, release: 8 })).not.toBe(decisionDigest(decision));
  });

  it.each([
    ['another type', (text: string) => text.replace('tieup-decision/1', 'tieup-decision/2')],
    ['a missing line', (text: string) => text.replace(/by manager\n/, '')],
    ['an extra line', (text: string) => `${text}extra\n`],
    ['trailing bytes', (text: string) => `${text} `],
    ['CRLF', (text: string) => text.replaceAll('\n', '\r\n')],
    ['lines in another order', (text: string) => text.replace(/(verdict .*\n)(by .*\n)/, '$2$1')],
    ['an upper-case digest', (text: string) => text.replace(/release 7 .*/, `release 7 ${'EF'.repeat(32)}`)],
    ['a number with a zero in front', (text: string) => text.replace('seq 2', 'seq 02')],
    ['a negative number', (text: string) => text.replace('release 7', 'release -7')],
    ['a number beyond exactness', (text: string) => text.replace('release 7', 'release 9999999999999999')],
    ['an unknown verdict', (text: string) => text.replace('accepted', 'agreed')],
    ['a date that does not exist', (text: string) => text.replace('2026-11-23', '2026-11-31')],
    ['a time with fractions', (text: string) => text.replace('T22:00:00Z', 'T22:00:00.5Z')],
    ['two blanks', (text: string) => text.replace('by manager', 'by  manager')],
    ['a bad partner id', (text: string) => text.replace('harbour', 'Harbour')],
    ['a reason in a second spelling', (text: string) => text.replace('reason -', 'reason QQ')],
  ])('is refused with %s', (_, alter) => {
    expect(() => parseDecision(alter(renderDecision(decision)))).toThrow(TieupError);
  });
});
