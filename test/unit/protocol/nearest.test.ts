import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nearest } from '../../../src/protocol/nearest.ts';

const KEYS = ['name', 'url', 'language', 'values', 'mount', 'services'];

describe('did you mean', () => {
  test.each([
    ['langauge', 'language'],
    ['langage', 'language'],
    ['Mount', 'mount'],
    ['nmae', 'name'],
    ['servces', 'services'],
    ['urls', 'url'],
  ])('%s was meant to be %s', (word, meant) => {
    expect(nearest(word, KEYS)).toBe(meant);
  });

  test.each(['', 'x', 'colour', 'completely-different', 'a'.repeat(1000)])('%j is like nothing', (word) => {
    expect(nearest(word, KEYS)).toBeUndefined();
  });

  test('the first of two equally near candidates wins', () => {
    expect(nearest('slat', ['slot', 'salt'])).toBe('slot');
  });

  test('a candidate is always found for itself, and every one-letter slip in a word of five letters', () => {
    const word = fc.stringMatching(/^[a-z]{5,12}$/);
    fc.assert(
      fc.property(word, fc.nat(), fc.stringMatching(/^[a-z]$/), (text, where, letter) => {
        const position = where % text.length;
        const slip = text.slice(0, position) + letter + text.slice(position + 1);
        expect(nearest(text, [text])).toBe(text);
        expect(nearest(slip, [text])).toBe(text);
        expect(nearest(text.slice(0, position) + text.slice(position + 1), [text])).toBe(text);
      }),
    );
  });
});
