/** Answers to the questions of a command: from a flag, from a person, or a refusal that names the flag. */
import { TieupError } from '../errors.ts';
import type { KeyName, KeyStore } from '../io/keys.ts';
import type { Context } from './context.ts';

export interface Question {
  /** `--name`. */
  readonly flag: string;
  /** What the flag said. */
  readonly given: string | undefined;
  /** What to ask: `Name of your site`. */
  readonly ask: string;
  /** What a person may accept by pressing Enter. */
  readonly suggestion?: string;
}

/** @throws TIEUP_E_USAGE when the flag is absent and there is nobody to ask. */
export async function answer(context: Context, { flag, given, ask, suggestion }: Question): Promise<string> {
  if (given !== undefined) return given;
  if (!context.canAsk) throw nobodyToAsk(flag);
  const prompt = await context.prompt();
  return prompt.text(ask, suggestion === undefined ? {} : { initial: suggestion });
}

export function nobodyToAsk(flag: string): TieupError {
  return new TieupError('TIEUP_E_USAGE', `${flag} is needed, because there is nobody to ask`, {
    hint: `give it on the command line: ${flag} …`,
  });
}

/**
 * The password for keys that are about to be made: from the environment, or a person, who types it twice.
 * @throws TIEUP_E_PASSWORD when there is neither
 */
export async function newPassword(context: Context, keys: KeyStore, name: KeyName): Promise<string> {
  const { TIEUP_PASSWORD: password, TIEUP_PASSWORD_FILE: file } = context.environment;
  if (password !== undefined || file !== undefined || !context.canAsk) return keys.password(name);
  const prompt = await context.prompt();
  const typed = await prompt.password('New password for your keys');
  if (typed === (await prompt.password('The same again'))) return typed;
  throw new TieupError('TIEUP_E_PASSWORD', 'the two passwords differ', { hint: 'run it again; nothing was made' });
}
