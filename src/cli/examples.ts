/** The examples below a command's help. */
import { displayWidth } from './table.ts';

const MAX_ALIGNED = 60;

/** `$ command  what it does`, aligned; commands are the keys. */
export function examples(lines: Readonly<Record<string, string>>): string {
  const entries = Object.entries(lines);
  // A long line does not push what the others do out of sight.
  const width = Math.max(...entries.map(([line]) => displayWidth(line)).filter((each) => each <= MAX_ALIGNED), 0);
  return `\nExamples:\n${entries.map(([line, what]) => `  $ ${line.padEnd(width)}  ${what}`.trimEnd()).join('\n')}`;
}
