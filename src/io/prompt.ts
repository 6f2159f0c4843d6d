/** Questions to a person. The one owner of @clack/prompts, which is loaded with the first question. */
import { Readable, Writable } from 'node:stream';
import { TieupError } from '../errors.ts';

export interface Prompt {
  /** False when there is nobody to ask: each question is then TIEUP_E_USAGE and names what answers it instead. */
  readonly interactive: boolean;
  /** Yes or no; no unless `fallback` says yes when Enter is pressed. */
  confirm(question: string, options?: QuestionOptions & { readonly fallback?: boolean }): Promise<boolean>;
  text(question: string, options?: QuestionOptions & TextOptions): Promise<string>;
  /** The value of one of `choices`. */
  choose(question: string, choices: readonly Choice[], options?: QuestionOptions): Promise<string>;
  /** Not shown while it is typed. */
  password(question: string, options?: QuestionOptions): Promise<string>;
}

export interface QuestionOptions {
  /** What answers the question without a terminal: `--role`, `TIEUP_PASSWORD`. */
  readonly flag?: string;
}

export interface TextOptions {
  /** What is taken when nothing is typed. */
  readonly initial?: string;
  /** What is wrong with an answer, or undefined; asked again until nothing is. */
  readonly validate?: (answer: string) => string | undefined;
}

export interface Choice {
  readonly value: string;
  readonly label: string;
  readonly hint?: string;
}

export interface PromptTerminal {
  readonly stdin: NodeJS.ReadableStream;
  readonly stderr: NodeJS.WritableStream;
}

/**
 * Asks on a terminal, drawing on `stderr`, so that what a command prints on stdout stays clean.
 * Its questions throw TIEUP_E_INTERRUPTED at Ctrl-C.
 */
export function terminalPrompt(terminal: PromptTerminal): Prompt {
  const streams = { input: readable(terminal.stdin), output: writable(terminal.stderr) };
  return {
    interactive: true,
    confirm: async (message, options) => {
      const { confirm } = await import('@clack/prompts');
      const answer = await confirm({ ...streams, message, initialValue: options?.fallback ?? false });
      return typeof answer === 'boolean' ? answer : interrupted();
    },
    text: async (message, { initial, validate } = {}) => {
      const { text } = await import('@clack/prompts');
      const answer = await text({
        ...streams,
        message,
        ...(initial === undefined ? {} : { placeholder: initial, defaultValue: initial }),
        validate: (typed) => validate?.(typed === undefined || typed === '' ? (initial ?? '') : typed),
      });
      return typeof answer === 'string' ? answer : interrupted();
    },
    choose: async (message, choices) => {
      const { select } = await import('@clack/prompts');
      const answer = await select({ ...streams, message, options: [...choices] });
      return typeof answer === 'string' ? answer : interrupted();
    },
    password: async (message) => {
      const { password } = await import('@clack/prompts');
      const answer = await password({ ...streams, message });
      return typeof answer === 'string' ? answer : interrupted();
    },
  };
}

/** Nobody to ask: scripts, cron, CI. */
export const noPrompt: Prompt = {
  interactive: false,
  confirm: (question, options) => nobody(question, options),
  text: (question, options) => nobody(question, options),
  choose: (question, _choices, options) => nobody(question, options),
  password: (question, options) => nobody(question, options),
};

async function nobody(question: string, options: QuestionOptions = {}): Promise<never> {
  throw new TieupError('TIEUP_E_USAGE', `there is nobody to ask ${JSON.stringify(question)}`, {
    hint: options.flag === undefined ? 'run it in a terminal' : `answer it with ${options.flag}`,
  });
}

/** @clack/prompts gives a symbol for Ctrl-C. */
function interrupted(): never {
  throw new TieupError('TIEUP_E_INTERRUPTED', 'interrupted');
}

function readable(stream: NodeJS.ReadableStream): Readable {
  return stream instanceof Readable ? stream : new Readable().wrap(stream);
}

function writable(stream: NodeJS.WritableStream): Writable {
  if (stream instanceof Writable) return stream;
  return new Writable({
    decodeStrings: false,
    write: (chunk: string, _encoding, done) => void stream.write(chunk, done),
  });
}
