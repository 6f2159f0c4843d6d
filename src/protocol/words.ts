/**
 * 2,048 words of five letters for reading a fingerprint aloud, one for each number of eleven bits.
 *
 * Made by rule instead of taken from a list, so that nobody needs the list to check them: consonant, vowel, consonant,
 * vowel, ending. The eight consonants and four vowels are told apart on a telephone and exist in most languages.
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
