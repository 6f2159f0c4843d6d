import { describe, expect, it } from 'vitest';
import { TieupError } from '../../../src/errors.ts';
import { parsePolicy, renderPolicy, type AcceptPolicy } from '../../../src/protocol/policy.ts';
import { parseReceipt, renderReceipt, type Receipt } from '../../../src/protocol/receipt.ts';

const receipt: Receipt = {
  partner: 'harbour',
  release: 7,
  releaseDigest: 'ef'.repeat(32),
  decision: 'ab'.repeat(32),
  publication: 9,
  published: '12'.repeat(32),
  state: 'live',
  pages: { tieUp: 3, original: 40 },
  time: '2026-11-23T22:00:00Z',
};

const policy: AcceptPolicy = {
  partner: 'harbour',
  maxChanged: 20,
  maxRemoved: null,
  from: '2026-11-23T22:00:00Z',
  until: '2027-11-23T22:00:00Z',
};

describe('a receipt', () => {
  it.each(['live', 'held', 'left'] as const)('is read back as it was written when the state is %s', (state) => {
    expect(parseReceipt(renderReceipt({ ...receipt, state }))).toEqual({ ...receipt, state });
  });

  it.each([
    ['another state', (text: string) => text.replace('state live', 'state gone')],
    ['a count that is none', (text: string) => text.replace('pages 3 40', 'pages three 40')],
    ['a missing count', (text: string) => text.replace('pages 3 40', 'pages 3')],
    ['the type of a decision', (text: string) => text.replace('tieup-receipt', 'tieup-decision')],
  ])('is refused with %s', (_, alter) => {
    expect(() => parseReceipt(alter(renderReceipt(receipt)))).toThrow(TieupError);
  });
});

describe('a policy', () => {
  it('is read back as it was written, with and without limits', () => {
    for (const each of [policy, { ...policy, maxChanged: null, maxRemoved: 0 }]) {
      expect(parsePolicy(renderPolicy(each))).toEqual(each);
    }
  });

  it.each([
    ['a limit that is none', (text: string) => text.replace('max-changed 20', 'max-changed many')],
    ['a limit below zero', (text: string) => text.replace('max-changed 20', 'max-changed -1')],
    ['a missing end', (text: string) => text.replace(/ 2027.*/, '')],
  ])('is refused with %s', (_, alter) => {
    expect(() => parsePolicy(alter(renderPolicy(policy)))).toThrow(TieupError);
  });
});
