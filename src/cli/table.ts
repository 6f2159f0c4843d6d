/** Plain tables: columns aligned by the cells that text takes on a terminal. */
import { stripVTControlCharacters } from 'node:util';

const WIDE =
  /\p{Emoji_Presentation}|\p{Script=Han}|\p{Script=Hiragana}|(?![\u{ff61}-\u{ff9f}])\p{Script=Katakana}|(?![\u{ffa0}-\u{ffdc}])\p{Script=Hangul}|[\u{3000}-\u{303e}\u{ff01}-\u{ff60}\u{ffe0}-\u{ffe6}]/u;
const EMOJI_STYLE = '\u{fe0f}';
const NOTHING = /^[\p{M}\p{Cf}\p{Cc}]*$/u;

/** Made when it is needed: it loads the tables of Unicode, which takes longer than most commands. */
let graphemes: Intl.Segmenter | undefined;

/** Cells that `text` takes; colours take none. */
export function displayWidth(text: string): number {
  const plain = stripVTControlCharacters(text);
  // Almost all text is this, and the segmenter is slow.
  if (/^[\x20-\x7e]*$/.test(plain)) return plain.length;
  graphemes ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  let width = 0;
  for (const { segment } of graphemes.segment(plain)) {
    if (NOTHING.test(segment)) continue;
    width += WIDE.test(segment) || segment.includes(EMOJI_STYLE) ? 2 : 1;
  }
  return width;
}

/** Lines of a table, each ending with a line feed; two blanks between columns, none at the end of a line. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => displayWidth(row[column] ?? ''))));
  return all
    .map(
      (row) =>
        `${widths
          .map((width, column) => pad(row[column] ?? '', width))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}
