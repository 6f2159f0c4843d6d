import { stripVTControlCharacters } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { visible, visibleLines } from '../../../src/cli/visible.ts';

describe('text from elsewhere', () => {
  test.each([
    ['an escape sequence', '\u001b[2Jcleared', '\\x1b[2Jcleared'],
    ['an eight-bit escape', '\u009b31m', '\\x9b31m'],
    ['a carriage return', 'safe\revil', 'safe\\revil'],
    ['a reversal of direction', 'user\u202egnp.exe', 'user\\u{202e}gnp.exe'],
    ['an isolate', '\u2066a\u2069', '\\u{2066}a\\u{2069}'],
    ['a zero-width space', 'a\u200bb', 'a\\u{200b}b'],
    ['a tag character', 'a\u{e0041}', 'a\\u{e0041}'],
    ['a line separator', 'a\u2028b', 'a\\u{2028}b'],
    ['half a pair', 'a\ud800', 'a\\u{d800}'],
    ['a blank that is a letter', 'a\u3164', 'a\\u{3164}'],
  ])('shows %s instead of obeying it', (_what, text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  test('is left alone when it is plain in any script', () => {
    const text = 'Größe: 3 × 5 – „gut“, 東京, مرحبا, नमस्ते, 🎉';
    expect(visible(text)).toBe(text);
  });

  test('may have several lines where that is wanted, and nothing else', () => {
    expect(visibleLines('one\r\ntwo\nthree\r\u001b')).toBe('one\ntwo\nthree\\r\\x1b');
    expect(visible('one\ntwo')).toBe('one\\ntwo');
  });

  test('never carries a sequence that a terminal obeys, whatever it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const shown = visible(text);
        expect(shown).toBe(stripVTControlCharacters(shown));
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
      }),
    );
  });
});
