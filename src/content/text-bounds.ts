/** What in a Markdown text would keep the parser busy out of all proportion, found without parsing it. */
import type { TextProblem } from './fragment.ts';

/** Delimiters between two blank lines: finding out what they mean takes time that grows with their square. */
const MAX_DELIMITERS = 20_000;
/** Quotations and lists in each other. */
const MAX_NESTING = 100;

/** The first line that has too much, if any does. */
export function excessOf(text: string): TextProblem | undefined {
  let delimiters = 0;
  for (const [index, line] of text.split('\n').entries()) {
    const at = { line: index + 1, column: 1 };
    if (line.trim() === '') delimiters = 0;
    for (const character of line) if ('*_[]~`<&!'.includes(character)) delimiters++;
    if (delimiters > MAX_DELIMITERS)
      return { ...at, message: 'too many *, _, [ and the like without a blank line between' };
    if (nesting(line) > MAX_NESTING)
      return { ...at, message: `quotations or lists are nested more than ${MAX_NESTING} deep` };
  }
  return undefined;
}

/** How many quotations and lists a line opens or continues: its markers, and at least two columns for each list above it. */
function nesting(line: string): number {
  const start = /^[\s>*+\-\d.)]*/.exec(line)?.[0] ?? '';
  const markers = start.match(/>|[*+-](?=\s)|\d[.)]/g)?.length ?? 0;
  return markers + Math.floor((/^[ \t]*/.exec(start)?.[0].length ?? 0) / 2);
}
