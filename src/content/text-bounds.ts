/** What in a Markdown text would keep the parser busy out of all proportion, found without parsing it. */
import type { TextProblem } from './fragment.ts';

/** Delimiters between two blank lines: finding out what they mean takes time that grows with their square. */
const MAX_DELIMITERS = 20_000;
/** Quotations, lists and footnotes in each other. */
const MAX_NESTING = 100;
/** Lines that go on with what a quotation or a list began, without its sign: each is compared with all before it. */
const MAX_CONTINUED = 4_000;
/** What opens a quotation, an item of a list or a footnote. */
const CONTAINERS = /^(?:[\s>*+\-\d.)]|\[\^[^\]\s]+\]:)*/;

/** The first line that has too much, if any does. */
export function excessOf(text: string): TextProblem | undefined {
  let delimiters = 0;
  let continued: number | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const at = { line: index + 1, column: 1 };
    if (line.trim() === '') {
      delimiters = 0;
      continued = undefined;
    }
    if (/^\s*(?:>|[*+-]\s|\d+[.)]\s|\[\^)/.test(line)) continued = 0;
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

/** How many quotations, lists and footnotes a line opens or continues: its markers, and at least two columns for each list above it. */
function nesting(line: string): number {
  const start = CONTAINERS.exec(line)?.[0] ?? '';
  const markers = start.match(/>|[*+-](?=\s)|\d[.)]|\[/g)?.length ?? 0;
  return markers + Math.floor((/^[ \t]*/.exec(start)?.[0].length ?? 0) / 2);
}
