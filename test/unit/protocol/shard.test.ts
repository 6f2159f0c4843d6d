/** Shares of the partners: everybody is in exactly one, and always in the same. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isInShard, parseShard } from '../../../src/protocol/shard.ts';

const id = fc.stringMatching(/^[a-z0-9]{1,20}$/);

test('every partner is in exactly one of n shares', () => {
  fc.assert(
    fc.property(id, fc.integer({ min: 1, max: 60 }), (partner, count) => {
      const holding = Array.from({ length: count }, (_, at) => at + 1).filter((index) =>
        isInShard(partner, { index, count }),
      );
      expect(holding).toHaveLength(1);
    }),
  );
});

test('the share of a partner is what it always was', () => {
  const names = ['harbour', 'lighthouse', 'moor', 'camp', 'hostel'];
  expect(names.map((name) => [1, 2, 3, 4].find((index) => isInShard(name, { index, count: 4 }))))
    .toMatchInlineSnapshot(`
    [
      3,
      1,
      2,
      4,
      4,
    ]
  `);
});

test('ten thousand partners spread evenly', () => {
  const sizes = [1, 2, 3, 4, 5, 6, 7, 8].map(
    (index) =>
      Array.from({ length: 10_000 }, (_, n) => `partner-${n}`).filter((name) => isInShard(name, { index, count: 8 }))
        .length,
  );
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(200);
});

test.each(['1/20', '20/20', '1/1', '10000/10000'])('%s is a share', (text) => {
  expect(parseShard(text)).toEqual({ index: Number(text.split('/')[0]), count: Number(text.split('/')[1]) });
});

test.each(['', '0/3', '4/3', '1', '1/', '/3', '1/3/5', '-1/3', '1.5/3', ' 1/3', '01/3', '1/0', '1/10001', '1e1/99'])(
  '%j is none',
  (text) => {
    expect(() => parseShard(text)).toThrow(expect.objectContaining({ code: 'TIEUP_E_USAGE' }));
  },
);
