/** `--choose with-main/a.html=keep-mine`. */
import type { Choices, PathChoice } from '../merge/choices.ts';
import { TieupError } from '../errors.ts';

/** @throws TIEUP_E_USAGE for anything else. */
export function parseChoices(texts: readonly string[]): Choices['paths'] {
  return Object.fromEntries(texts.map(parseChoice));
}

function parseChoice(text: string): readonly [string, PathChoice] {
  const [, path, word, name] = /^\/?(.+)=(keep-mine|take-theirs|rename:\/?(.+))$/.exec(text) ?? [];
  if (path !== undefined && name !== undefined) return [path, { rename: name }];
  if (path !== undefined && (word === 'keep-mine' || word === 'take-theirs')) return [path, word];
  throw new TieupError('TIEUP_E_USAGE', `${JSON.stringify(text)} is not a choice`, {
    hint: 'write a path and what shall happen: with-main/a.html=keep-mine, =take-theirs or =rename:with-main/b.html',
  });
}
