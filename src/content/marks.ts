/**
 * Marks in a tree: short strings that travel through parsing, sanitising and serialising, and are cut out of the result.
 *
 * A mark is a number between two private-use characters that occur nowhere in the text, so that no text can be
 * mistaken for one. What a mark becomes is decided where it arrives, after sanitising: a text that forged one could
 * only repeat a variable it has already.
 */
import type { FragmentHole, TextPlace } from './fragment.ts';

/** What a mark stands for; `nothing` keeps two characters apart on the way. */
export type Mark =
  | { readonly kind: 'variable'; readonly name: string; readonly at: TextPlace }
  /** What has arrived where it stands. */
  | { readonly kind: 'hole'; readonly hole: FragmentHole }
  | { readonly kind: 'nothing' };

const FIRST = 0xe000;
const LAST = 0xf8ff;

/** After `](` or `]:`, up to a blank which is not that of a variable. */
const ADDRESS_WITH_VARIABLE = /\](?:\(|:)[ \t]*(?:\{\{ *[A-Za-z][A-Za-z0-9_.-]* *\}\}|[^\s()])+/g;
const PADDED = /\{\{ *[A-Za-z][A-Za-z0-9_.-]* *\}\}/g;

/** True for the codes of the characters that marks are made of. */
export function isMarkCode(code: number): boolean {
  return code >= FIRST && code <= LAST;
}

export class Marks {
  readonly #delimiter: string;
  readonly #encodedDelimiter: string;
  readonly #marks: Mark[] = [];

  constructor(text: string) {
    this.#delimiter = String.fromCodePoint(unusedCodePoint(text));
    this.#encodedDelimiter = encodeURIComponent(this.#delimiter);
  }

  /**
   * Lets variables in addresses, `[shop]({{ partner.url }})`, pass for addresses, which hold no blanks in Markdown:
   * the character that nothing else has takes the place of their blanks.
   */
  joinAddresses(text: string): string {
    return text.replace(ADDRESS_WITH_VARIABLE, (address) =>
      address.replace(PADDED, (padded) => padded.replaceAll(' ', this.#delimiter)),
    );
  }

  /** Undoes {@link joinAddresses}, in whatever the text has turned out to be; before any mark is added to it. */
  restore(text: string): string {
    return text.includes(this.#delimiter) ? text.replaceAll(this.#delimiter, ' ') : text;
  }

  /** The string to put into the tree. */
  add(mark: Mark): string {
    return `${this.#delimiter}${this.#marks.push(mark) - 1}${this.#delimiter}`;
  }

  has(text: string): boolean {
    return text.includes(this.#delimiter);
  }

  /** Addresses are percent-encoded on their way; this brings their marks back. */
  decodeIn(address: string): string {
    return address.replaceAll(this.#encodedDelimiter, this.#delimiter);
  }

  /** Text and marks in turn; marks that a comment holds are recognised as well. */
  split(text: string): (string | Mark)[] {
    const pieces: (string | Mark)[] = [];
    const mark = new RegExp(
      `<!--${this.#delimiter}(\\d+)${this.#delimiter}-->|${this.#delimiter}(\\d+)${this.#delimiter}`,
      'g',
    );
    let end = 0;
    for (const match of text.matchAll(mark)) {
      const found = this.#marks[Number(match[1] ?? match[2])];
      if (found === undefined) continue;
      if (match.index > end) pieces.push(text.slice(end, match.index));
      pieces.push(found);
      end = match.index + match[0].length;
    }
    if (end < text.length) pieces.push(text.slice(end));
    return pieces;
  }
}

/** A private-use character that `text` has neither as it is nor as a character reference or percent-encoded. */
function unusedCodePoint(text: string): number {
  const referred = new Set<number>();
  for (const [, hex, decimal] of text.matchAll(/&#(?:x([0-9a-f]{1,6})|([0-9]{1,7}))/gi)) {
    referred.add(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
  }
  const upper = text.includes('%') ? text.toUpperCase() : '';
  for (let candidate = FIRST; candidate <= LAST; candidate++) {
    const character = String.fromCodePoint(candidate);
    if (!referred.has(candidate) && !text.includes(character) && !upper.includes(encodeURIComponent(character))) {
      return candidate;
    }
  }
  return FIRST;
}
