/** What in a Markdown text would keep the parser busy out of all proportion, found without parsing it. */
import type { TextProblem } from './fragment.ts';

/** Delimiters between two blank lines: finding out what they mean takes time that grows with their square. */
const MAX_DELIMITERS = 20_000;
/** Quotations, lists and footnotes in each other. */
const MAX_NESTING = 100;
/** Lines that go on with what a quotation or a list began, without its sign: each is compared with all before it. */
const MAX_CONTINUED = 4_000;
/** What opens a quotation, an item of a list or a footnote, after blanks. */
const OPENING = /^(?:>|[*+-]\s|\d{1,9}[.)]\s|\[\^)/;
/** The sign of one of them where a line begins, or right after another. Labels are bounded as in CommonMark. */
const SIGN = />|[*+-](?=\s|$)|\d{1,9}[.)](?=\s|$)|\[\^[^\]\s]{1,999}\]:/y;

/** The first line that has too much, if any does. */
export function excessOf(text: string): TextProblem | undefined {
  let delimiters = 0;
  let continued: number | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const at = { line: index + 1, column: 1 };
    if (line.trim() === '') {
      delimiters = 0;
      continued = undefined;
      continue;
    }
    if (OPENING.test(line.trimStart())) continued = 0;
    else if (isFence(line)) continued = undefined;
    else if (continued !== undefined) continued++;
    for (const character of line) if ('*_[]~`<&!'.includes(character)) delimiters++;
    if (delimiters > MAX_DELIMITERS)
      return { ...at, message: 'too many *, _, [ and the like without a blank line between' };
    if (continued !== undefined && continued > MAX_CONTINUED)
      return { ...at, message: `a quotation or list goes on for more than ${MAX_CONTINUED} lines without its sign` };
    if (nesting(line) > MAX_NESTING)
      return { ...at, message: `quotations, lists or footnotes are nested more than ${MAX_NESTING} deep` };
  }
  return undefined;
}

/** Code that begins or ends too far to the left to be in an item of a list: no quotation or list goes on with such a line. */
function isFence(line: string): boolean {
  const fence = /^ ?(~{3}|`{3,})/.exec(line);
  return fence !== null && (fence[1] === '~~~' || !line.includes('`', fence[0].length));
}

/**
 * How many quotations, lists and footnotes a line opens or continues, counted until there are too many: its markers, and at
 * least two columns for each list above it. A line may be long, so nothing goes over it that would have to go back.
 */
function nesting(line: string): number {
  let at = afterBlanks(line, 0);
  let depth = Math.floor(at / 2);
  while (depth <= MAX_NESTING) {
    SIGN.lastIndex = at;
    if (!SIGN.test(line)) break;
    at = afterBlanks(line, SIGN.lastIndex);
    depth += 1;
  }
  return depth;
}

function afterBlanks(line: string, start: number): number {
  let at = start;
  while (line[at] === ' ' || line[at] === '\t') at += 1;
  return at;
}
