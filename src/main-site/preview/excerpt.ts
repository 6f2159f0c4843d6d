/** Problems with the lines around them, read from the folders that they are in. */
import { isTieupError, type Problem } from '../../errors.ts';

export interface ExcerptLine {
  readonly number: number;
  readonly text: string;
  readonly isWrong: boolean;
}

export interface ShownProblem extends Problem {
  /** Empty where the problem has no line, or its file cannot be read. */
  readonly excerpt: readonly ExcerptLine[];
}

/** Reads a file that a problem names. @throws TieupError when it cannot. */
export type ReadSource = (file: string) => Promise<Uint8Array>;

const MAX_PROBLEMS = 50;
const LINES_AROUND = 2;
/** A line may be a whole minified file. */
const MAX_LINE = 400;

/** The first of them, each with its lines as the first of `sources` has them. */
export async function withExcerpts(
  problems: readonly Problem[],
  sources: readonly ReadSource[],
): Promise<readonly ShownProblem[]> {
  const texts = new Map<string, readonly string[]>();
  const shown: ShownProblem[] = [];
  for (const problem of problems.slice(0, MAX_PROBLEMS)) {
    const { file, line } = problem;
    if (file === undefined || line === undefined) {
      shown.push({ ...problem, excerpt: [] });
      continue;
    }
    const lines = texts.get(file) ?? (await readLines(file, sources));
    texts.set(file, lines);
    shown.push({ ...problem, excerpt: excerptOf(lines, line) });
  }
  return shown;
}

function excerptOf(lines: readonly string[], line: number): readonly ExcerptLine[] {
  if (line > lines.length) return [];
  const first = Math.max(1, line - LINES_AROUND);
  return lines
    .slice(first - 1, line + LINES_AROUND)
    .map((text, index) => ({ number: first + index, text: text.slice(0, MAX_LINE), isWrong: first + index === line }));
}

async function readLines(file: string, sources: readonly ReadSource[]): Promise<readonly string[]> {
  for (const read of sources) {
    try {
      return new TextDecoder().decode(await read(file)).split(/\r\n?|\n/);
    } catch (error) {
      // The message stands without its lines.
      if (!isTieupError(error)) throw error;
    }
  }
  return [];
}
