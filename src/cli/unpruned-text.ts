/** What is left of old trees, for a manager: named, so that nobody wonders later where a file came from. */
import type { Unpruned } from '../publish/publication.ts';
import { visible } from './visible.ts';

const SHOWN = 10;

export function unprunedNotes(unpruned: readonly Unpruned[]): readonly string[] {
  const notOurs = unpruned.filter(({ why }) => why === 'not-ours');
  const stuck = unpruned.filter(({ why }) => why === 'stuck');
  return [
    ...note('Left of old trees, because tieup did not put it there; keep what you need, then delete it:', notOurs),
    ...note('These could not be removed, and are tried again the next time:', stuck),
  ];
}

/** Indented, and cut after the first ten. */
export function shortList(lines: readonly string[]): readonly string[] {
  const more = lines.length - SHOWN;
  return [...lines.slice(0, SHOWN), ...(more > 0 ? [`… and ${more} more`] : [])].map((line) => `  ${line}`);
}

function note(head: string, unpruned: readonly Unpruned[]): readonly string[] {
  return unpruned.length === 0 ? [] : [head, ...shortList(unpruned.map(({ path }) => visible(path)))];
}
