/**
 * 2,048 words of five letters for reading a fingerprint aloud, one for each number of eleven bits.
 *
 * Made by rule instead of taken from a list, so that nobody needs the list to check them: consonant, vowel, consonant,
 * vowel, ending. The consonants and vowels exist in most languages, and a word is said as it is written, as in proquints
 * (https://arxiv.org/html/0901.4016). Two words may differ in one letter alone: whoever compares sees the words that must
 * come, and has a doubtful one spelt. Someone who never noticed b for d, f for s, k for t or e for i would still compare
 * about 51 of the 66 bits.
 */
const CONSONANTS = 'bdfkmrst';
const VOWELS = 'aeio';
const ENDINGS = 'lt';

export const WORD_BITS = 11;

/** The word of `index`: its bits, highest first, choose consonant (3), vowel (2), consonant (3), vowel (2), ending (1). */
export function wordOf(index: number): string {
  if (!Number.isInteger(index) || index < 0 || index >= 2 ** WORD_BITS) throw new RangeError(`no word ${index}`);
  return (
    CONSONANTS.charAt(index >> 8) +
    VOWELS.charAt((index >> 6) & 3) +
    CONSONANTS.charAt((index >> 3) & 7) +
    VOWELS.charAt((index >> 1) & 3) +
    ENDINGS.charAt(index & 1)
  );
}
