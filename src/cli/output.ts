/** Everything that tieup says: results on stdout, all else on stderr; words for people or one JSON document. */
import { stripVTControlCharacters } from 'node:util';
import { Chalk } from 'chalk';
import type { ChalkInstance } from 'chalk';
import { asTieupError, EXIT, formatProblem, type TieupError } from '../errors.ts';
import type { DocumentData, DocumentName } from './documents/catalog.ts';
import { colourLevel } from './terminal.ts';
import type { Terminal } from './terminal.ts';
import { visible, visibleLines } from './visible.ts';

/** A symbol, never without a word beside it, and a colour which adds nothing to them. */
export type Mark = 'good' | 'bad' | 'warning' | 'added' | 'removed' | 'changed' | 'waiting';

export interface Output {
  readonly json: boolean;
  readonly quiet: boolean;
  /**
   * The result of the command, once.
   * @param name of the JSON document: `plan` becomes `"schema": "tieup.plan/v1"`; additive changes only
   * @param text for people; ends with a line feed; text from elsewhere passed through `visible`
   */
  result<Name extends DocumentName>(name: Name, data: DocumentData<Name>, text: () => string): void;
  /** What goes on, for people; nothing when --quiet or --json. */
  message(text: string): void;
  /** The same for text that was put together from marks and made visible piece by piece. */
  styled(text: string): void;
  /** What a person must see even with --quiet. */
  warning(text: string): void;
  /** @returns the exit code */
  failure(error: unknown): number;
  /** `✓ accepted`. */
  mark(mark: Mark, word: string): string;
  /** For headings of a result. */
  strong(text: string): string;
  /** For what matters less. */
  faint(text: string): string;
}

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly colour: boolean;
}

export function createOutput(terminal: Terminal, { json, quiet, colour }: OutputOptions): Output {
  const { stdout, stderr, environment } = terminal;
  const results = new Chalk({ level: colourLevel(stdout, environment, colour && !json) });
  let documentPrinted = false;
  const messages = new Chalk({ level: colourLevel(stderr, environment, colour) });
  return {
    json,
    quiet,
    result(name, data, text) {
      documentPrinted = json;
      stdout.write(json ? renderJson(`tieup.${name}/v1`, data) : text());
    },
    message(text) {
      if (!quiet && !json) stderr.write(`${visibleLines(text)}\n`);
    },
    styled(text) {
      if (quiet || json) return;
      stderr.write(`${messages.level === 0 ? stripVTControlCharacters(text) : text}\n`);
    },
    warning(text) {
      stderr.write(`${messages.yellow('warning:')} ${visibleLines(text)}\n`);
    },
    failure(error) {
      const known = asTieupError(error);
      // One document a run: whoever parses stdout has the result already, and the exit code tells the rest.
      if (json && !documentPrinted) stdout.write(renderJson('tieup.error/v1', describeError(known)));
      stderr.write(renderError(known, messages, environment['TIEUP_DEBUG'] === '1'));
      return known.exitCode;
    },
    mark: (mark, word) => markOf(results, mark, word),
    strong: (text) => results.bold(text),
    faint: (text) => results.dim(text),
  };
}

function renderJson(schema: string, data: object): string {
  return `${JSON.stringify({ schema, ...data }, undefined, 2)}\n`;
}

function describeError({ code, message, hint, problems, exitCode }: TieupError): object {
  return { code, message, hint: hint ?? null, problems, exitCode };
}

function renderError(error: TieupError, chalk: ChalkInstance, debug: boolean): string {
  // A prompt that was broken off needs no more than a line of its own.
  if (error.exitCode === EXIT.interrupted) return 'interrupted\n';
  if (error.exitCode === EXIT.terminated) return 'terminated\n';
  const lines = [`${chalk.red('error:')} ${visible(error.message)}`];
  for (const problem of error.problems) lines.push(`  ${visible(formatProblem(problem))}`);
  if (error.hint !== undefined) lines.push(`${chalk.cyan('hint:')} ${visibleLines(error.hint)}`);
  if (debug) lines.push(...stackOf(error));
  return `${lines.join('\n')}\n`;
}

function stackOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [typeof error === 'string' ? error : JSON.stringify(error)];
  const own = error.stack ?? error.message;
  return error.cause === undefined ? [own] : [own, 'caused by', ...stackOf(error.cause)];
}

const MARKS: Readonly<Record<Mark, readonly [symbol: string, colour: 'green' | 'red' | 'yellow' | 'cyan']>> = {
  good: ['✓', 'green'],
  bad: ['✗', 'red'],
  warning: ['!', 'yellow'],
  added: ['+', 'green'],
  removed: ['-', 'red'],
  changed: ['~', 'yellow'],
  waiting: ['…', 'cyan'],
};

function markOf(chalk: ChalkInstance, mark: Mark, word: string): string {
  const [symbol, colour] = MARKS[mark];
  return chalk[colour](`${symbol} ${word}`);
}
