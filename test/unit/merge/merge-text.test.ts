import { describe, expect, it } from 'vitest';
import { mergeDigest, parseMerge, renderMerge, type Choices, type PathChoice } from '../../../src/merge/choices.ts';
import { sha256 } from '../../../src/protocol/digest.ts';

const DIGEST = sha256('a text');
const CHOICES: Choices = {
  withheld: ['with-main/ü.html', 'with-main/a b.html'],
  paths: Object.fromEntries<PathChoice>([
    ['with-main/x.html', 'keep-mine'],
    ['with-main/y.html', { rename: 'with-main/z.html' }],
    ['constructor', 'take-theirs'],
  ]),
};
const SLOTS = [{ page: 'with-main/visit.html', slot: 'hours', digest: DIGEST }];
const SHARED = [{ path: 'sitemap-index.xml', digest: DIGEST }];

describe('the text that a decision was made on', () => {
  it('is read as it was written', () => {
    const text = renderMerge(CHOICES, SLOTS, SHARED);
    expect(sha256(text)).toBe(
      mergeDigest(
        CHOICES,
        SLOTS.map((slot) => ({ ...slot, length: 6 })),
        SHARED.map((file) => ({ ...file, length: 6 })),
      ),
    );
    const found = parseMerge(text);
    expect(found).toEqual({ choices: CHOICES, slots: SLOTS, shared: SHARED });
    expect(renderMerge(found.choices, found.slots, found.shared)).toBe(text);
  });

  it('may say nothing', () => {
    expect(parseMerge('tieup-merge/1\n')).toEqual({ choices: { withheld: [], paths: {} }, slots: [], shared: [] });
  });

  it.each([
    ['', 'no head'],
    ['tieup-merge/2\n', 'another version'],
    ['tieup-merge/1', 'no line end'],
    ['tieup-merge/1\nwithheld\n', 'no path'],
    ['tieup-merge/1\nwithheld b\nwithheld a\n', 'no order'],
    ['tieup-merge/1\nwithheld a\nwithheld a\n', 'a line twice'],
    ['tieup-merge/1\nkeep-mine a\ntake-theirs a\n', 'two choices for a path'],
    [`tieup-merge/1\nslot a b ${DIGEST.toUpperCase()}\n`, 'a digest in capitals'],
    ['tieup-merge/1\nwithheld a b\n', 'a word too many'],
    ['tieup-merge/1\ndelete a\n', 'an unknown word'],
  ])('is refused: %j has %s', (text) => {
    expect(() => parseMerge(text)).toThrow('is malformed');
  });
});
