/** Answers to the questions of a command: from a flag, from a person, or a refusal that names the flag. */
import { isTieupError, TieupError } from '../errors.ts';
import type { KeyName, KeyStore } from '../io/keys.ts';
import type { Context } from './command-context.ts';
import type { Output } from './output.ts';
import { visible } from './visible.ts';

const MIN_PASSWORD = 8;

export interface Question {
  /** `--name`. */
  readonly flag: string;
  /** What the flag said. */
  readonly given: string | undefined;
  /** What to ask: `Name of your site`. */
  readonly ask: string;
  /** What a person may accept by pressing Enter. */
  readonly suggestion?: string;
  /** The answer as it is kept; throws a TieupError for one that cannot be used, and a person is asked again. */
  readonly read?: (answer: string) => string;
}

/** @throws TIEUP_E_USAGE when the flag is absent and there is nobody to ask; what `read` throws when the flag is wrong. */
export async function answer(
  context: Context,
  { flag, given, ask, suggestion, read = (text) => text }: Question,
): Promise<string> {
  if (given !== undefined) return read(given);
  if (!context.canAsk) throw nobodyToAsk(flag);
  const prompt = await context.prompt();
  const validate = (typed: string): string | undefined => {
    try {
      read(typed);
      return undefined;
    } catch (error) {
      if (!isTieupError(error)) throw error;
      return error.hint === undefined ? error.message : `${error.message}: ${error.hint}`;
    }
  };
  return read(await prompt.text(ask, { validate, ...(suggestion === undefined ? {} : { initial: suggestion }) }));
}

export function nobodyToAsk(flag: string): TieupError {
  return new TieupError('TIEUP_E_USAGE', `${flag} is needed, because there is nobody to ask`, {
    hint: `give it on the command line: ${flag} …`,
  });
}

/**
 * The password for keys that are about to be made: from the environment, or a person, who types it twice.
 * @throws TIEUP_E_PASSWORD when there is neither, and for one that is too short
 */
export async function newPassword(context: Context, keys: KeyStore, name: KeyName): Promise<string> {
  const { TIEUP_PASSWORD: password, TIEUP_PASSWORD_FILE: file } = context.environment;
  if (password !== undefined || file !== undefined || !context.canAsk) return longEnough(await keys.password(name));
  const prompt = await context.prompt();
  const typed = longEnough(await prompt.password('New password for your keys'));
  if (typed === (await prompt.password('The same again'))) return typed;
  throw new TieupError('TIEUP_E_PASSWORD', 'the two passwords differ', { hint: 'run it again; nothing was made' });
}

/** Who has the file of a key can try passwords for as long as it takes: what is shorter is found in no time. */
function longEnough(password: string): string {
  const { length } = password;
  if (length >= MIN_PASSWORD) return password;
  throw new TieupError(
    'TIEUP_E_PASSWORD',
    `${length} characters are too few for a new password: ${MIN_PASSWORD} at least`,
    {
      hint: 'take several words, which are long and easy to remember; nothing was made',
    },
  );
}

/** Words that the other party reads out by telephone and this one compares: the one who made a file reads. */
export interface Comparison {
  /** Who reads: `the main site`. */
  readonly reader: string;
  readonly words: readonly string[];
  /** What the words stand for, in hex. */
  readonly digest: string;
  /** What `--yes` said: the words, joined by blanks or dashes, or the digest. */
  readonly yes: string | undefined;
  /** What a person is asked. */
  readonly ask: string;
  /** How a refusal ends: `nothing was recorded`. */
  readonly otherwise: string;
  /** What to do when other words were read. */
  readonly hint: string;
}

/** The main site compares, before it records anything of a partner. */
export const READ_BY_MANAGER = {
  reader: 'the manager of the partner',
  ask: 'Did the manager read these words?',
  otherwise: 'nothing was recorded',
} as const;

/** @throws TIEUP_E_VERIFY when `--yes` says other words, TIEUP_E_DECLINED when a person does, TIEUP_E_USAGE without either. */
export async function compareWords(context: Context, comparison: Comparison): Promise<void> {
  const { reader, words, digest, yes, ask, otherwise, hint } = comparison;
  context.output.message(
    [`By telephone, ${visible(reader)} reads six words to you. They must be:`, ...wordLines(words, digest)].join('\n'),
  );
  if (yes !== undefined) {
    const said = yes
      .trim()
      .toLowerCase()
      .split(/[\s-]+/)
      .join(' ');
    if (said === words.join(' ') || said === digest) return;
    throw new TieupError('TIEUP_E_VERIFY', `${JSON.stringify(yes)} are not these six words, so ${otherwise}`, { hint });
  }
  if (!context.canAsk) throw nobodyToAsk('--yes');
  const prompt = await context.prompt();
  if (await prompt.confirm(`${ask} (${words.join(' ')})`)) return;
  throw new TieupError('TIEUP_E_DECLINED', `you did not agree, so ${otherwise}`, { hint });
}

/** Words and, for whoever prefers it, the digest that they are the beginning of; `output` makes the words strong. */
export function wordLines(
  words: readonly string[],
  digest: string,
  output?: Pick<Output, 'strong'>,
): readonly string[] {
  const text = words.join(' ');
  return [`  ${output === undefined ? text : output.strong(text)}`, `  (${digest})`];
}
