/**
 * The addresses which a style sheet makes a browser fetch: `url()`, `src()`, `@import` and the strings of image sets.
 * Tokenised as CSS Syntax Level 3 does it, because comments and escapes hide addresses from a search for text.
 *
 * The main site rewrites what the partner judges, so both read style sheets in one way.
 */

export interface CssReference {
  readonly url: string;
  /** UTF-16 code units from the start. */
  readonly offset: number;
  /** Where the address is written, with its quotes when it has any; a string in quotes may take its place. */
  readonly start: number;
  readonly end: number;
}

/** Functions whose string arguments are addresses. */
const FETCHING = new Set(['url', 'src', 'image', 'image-set', '-webkit-image-set', '-webkit-cross-fade', 'cross-fade']);

const COMMENT = /\/\*[\s\S]*?(?:\*\/|$)/y;
const STRING =
  /"((?:[^"\\\n\r\f]|\\(?:\r\n|[\s\S]|$))*)(?:"|$|(?=[\n\r\f]))|'((?:[^'\\\n\r\f]|\\(?:\r\n|[\s\S]|$))*)(?:'|$|(?=[\n\r\f]))/y;
const NAME = /@?(?:[-\w\u0080-\uFFFF]|\\(?:[0-9a-fA-F]{1,6}(?:\r\n|\s)?|[^\n\r\f0-9a-fA-F]))+/y;
/** An escape reads as many digits as it can: with a choice here, a hostile sheet could make the search exponential. */
const BARE_URL =
  /\(\s*((?:[^\s"'()\\]|\\(?:(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{1,5}(?![0-9a-fA-F]))(?:\r\n|\s)?|[^\n\r\f0-9a-fA-F]|$))*)\s*(?:\)|$)/y;

export function cssReferences(css: string): readonly CssReference[] {
  const found: CssReference[] = [];
  /** The function of every bracket that is open. */
  const open: string[] = [];
  let importing = false;
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(css) ?? undefined;
  };
  while (at < css.length) {
    const offset = at;
    const comment = take(COMMENT);
    const string = comment ?? take(STRING);
    if (comment !== undefined) {
      at += comment[0].length;
      continue;
    }
    if (string !== undefined) {
      at += string[0].length;
      if (importing || FETCHING.has(open.at(-1) ?? ''))
        found.push({ url: unescapeCss(string[1] ?? string[2] ?? ''), offset, start: offset, end: at });
      importing = false;
      continue;
    }
    const name = take(NAME);
    if (name !== undefined) {
      at += name[0].length;
      const word = unescapeCss(name[0]).toLowerCase();
      if (word === '@import') importing = true;
      if (css[at] !== '(') continue;
      const bare = word === 'url' ? take(BARE_URL) : undefined;
      if (bare !== undefined) {
        const written = bare[1] ?? '';
        const start = at + bare[0].indexOf(written, 1);
        found.push({ url: unescapeCss(written, '\uFFFD'), offset, start, end: start + written.length });
        at += bare[0].length;
        importing = false;
        continue;
      }
      open.push(word);
      at += 1;
      continue;
    }
    if (css[at] === '(') open.push('');
    if (css[at] === ')') open.pop();
    if (css[at] === ';') importing = false;
    at += 1;
  }
  return found;
}

/** @param last what a backslash at the end of the sheet stands for: nothing in a string, a replacement character elsewhere */
function unescapeCss(text: string, last = ''): string {
  return text.replaceAll(
    /\\(?:([0-9a-fA-F]{1,6})(?:\r\n|\s)?|\r\n|([\s\S])|$)/g,
    (escape, hex?: string, character?: string) => {
      if (escape === '\\') return last;
      if (hex !== undefined) return codePoint(Number.parseInt(hex, 16));
      return character === undefined || /[\n\r\f]/.test(character) ? '' : character;
    },
  );
}

function codePoint(value: number): string {
  const valid = value > 0 && value <= 0x10ffff && !(value >= 0xd800 && value <= 0xdfff);
  return valid ? String.fromCodePoint(value) : '\uFFFD';
}
