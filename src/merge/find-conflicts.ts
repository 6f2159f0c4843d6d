/** The rules by which planMerge finds conflicts; each returns what is left for the manager to decide. */
import { choiceFor } from './choices.ts';
import type { ChoiceName, Conflict } from './conflict.ts';
import type { MergeInput, OriginalFile } from './merge-input.ts';
import type { Occupant } from './occupants.ts';
import type { WantedFile } from './wanted.ts';

/** True when the live file of the ledger's path has other bytes than the ledger says: somebody edited it by hand. */
export function drifted(input: MergeInput, path: string): boolean {
  const entry = input.ledger.entries.get(path);
  const live = input.live.get(path);
  return entry !== undefined && live?.kind === 'file' && live.digest !== entry.digest;
}

/** True when the manager said that the partner's own file stays at `path`: by `keep-mine`, or by giving ours another name. */
export function isKept(input: MergeInput, path: string): boolean {
  const choice = choiceFor(input.choices, path);
  return choice === 'keep-mine' || typeof choice === 'object';
}

/** A tie-up file against the files of the original folder. */
export function originalsConflict(wanted: WantedFile, colliding: readonly OriginalFile[]): Conflict[] {
  const [first] = colliding;
  if (first === undefined) return [];
  return [
    {
      kind: 'original',
      path: wanted.file.path,
      other: first.path,
      message: `the tie-up page ${JSON.stringify(wanted.path)} ${collision(wanted.path, first.path)} your original page${others(colliding)}`,
      possible: ['keep-mine', 'take-theirs', 'rename'],
    },
  ];
}

/** A tie-up file against what the partner has in the live tree. */
export function tieUpConflicts(input: MergeInput, wanted: WantedFile, colliding: readonly Occupant[]): Conflict[] {
  const [first] = colliding;
  if (first === undefined) return [];
  const path = wanted.file.path;
  const chosen = choiceFor(input.choices, path) === 'take-theirs';
  // The very bytes that we would write: taking them over destroys nothing, but they may be the partner's all the same.
  const identical = colliding.length === 1 && first.path === wanted.path && isIdentical(input, wanted);
  if (identical && chosen) return [];
  const notFile = colliding.find(({ kind }) => kind !== 'file');
  const possible: ChoiceName[] = identical ? ['keep-mine', 'take-theirs', 'rename'] : ['keep-mine', 'rename'];
  const base = { path, other: (notFile ?? first).path, possible };
  const refused = chosen ? { refused: takeTheirsRefusal(notFile ?? first) } : {};
  const name = JSON.stringify(wanted.path);
  if (notFile !== undefined) {
    const what = `${describe(notFile)} ${JSON.stringify(notFile.path)} of yours`;
    return [{ ...base, ...refused, kind: 'not-a-file', message: `${what} is in the way of the tie-up page ${name}` }];
  }
  if (input.originals === 'in-place') {
    const message = `the tie-up page ${name} ${collision(wanted.path, first.path)} your original page${others(colliding)}`;
    return [{ ...base, ...refused, kind: 'original', message }];
  }
  const message = `the tie-up page ${name} ${collision(wanted.path, first.path)} a live file that is not tieup's${others(colliding)}`;
  return [{ ...base, ...refused, kind: 'in-the-way', message }];
}

/** A copy of an original page against what the partner has in the live tree; undefined when it can be copied. */
export function originalConflict(original: OriginalFile, colliding: readonly Occupant[]): Conflict | undefined {
  const { path, kind } = original;
  const name = JSON.stringify(path);
  if (kind !== 'file') {
    const message = `${describe(original)} ${name} in the original folder cannot be published: only files are, and no link is followed`;
    return { kind: 'not-a-file', path, other: path, message, possible: [] };
  }
  const [first] = colliding;
  if (first === undefined) return undefined;
  const message = `your original page ${name} ${collision(path, first.path)} a live file that tieup did not put there${others(colliding)}`;
  const what = first.kind === 'file' ? 'in-the-way' : 'not-a-file';
  return { kind: what, path, other: first.path, message, possible: ['keep-mine'] };
}

/** A file of tieup's own that was edited by hand and would be overwritten, or deleted. */
export function driftConflict(input: MergeInput, path: string, tieUp: boolean): Conflict[] {
  if (choiceFor(input.choices, path) === 'take-theirs') return [];
  const entry = input.ledger.entries.get(path);
  const what = entry?.release === 0 ? 'the copy of your original page' : 'the tie-up page';
  const possible: ChoiceName[] = tieUp ? ['keep-mine', 'take-theirs', 'rename'] : ['keep-mine', 'take-theirs'];
  const message = `${what} ${JSON.stringify(path)} was edited in the live tree; the edit would be lost`;
  return [{ kind: 'drift', path, other: path, message, possible }];
}

function isIdentical(input: MergeInput, { path, file, splices }: WantedFile): boolean {
  const live = input.live.get(path);
  return splices.length === 0 && live?.kind === 'file' && live.digest === file.digest;
}

function takeTheirsRefusal({ kind }: Occupant): string {
  return kind === 'file'
    ? 'take-theirs is refused: it would destroy a file which is in no original folder'
    : `take-theirs is refused: tieup removes no ${kind} that it did not make`;
}

function collision(path: string, other: string): string {
  if (path === other) return 'has the same path as';
  if (other.startsWith(`${path}/`) || path.startsWith(`${other}/`)) {
    return `cannot stand beside ${JSON.stringify(other)} (one is a file where the other needs a folder),`;
  }
  return `differs from ${JSON.stringify(other)} only in a way that some file systems ignore; that is`;
}

function others(colliding: readonly unknown[]): string {
  return colliding.length > 1 ? ` (and ${colliding.length - 1} more)` : '';
}

function describe({ kind }: Occupant): string {
  return KINDS[kind];
}

const KINDS: Readonly<Record<Occupant['kind'], string>> = {
  file: 'the file',
  folder: 'the folder',
  link: 'the link',
  other: 'the special file',
  unnamable: 'the badly named file',
};

/** What tieup makes itself takes the place of nothing: it can have another name. */
export function sharedConflicts(path: string, colliding: readonly { readonly path: string }[]): Conflict[] {
  return colliding.map((other) => ({
    kind: 'in-the-way',
    path,
    other: other.path,
    message: `${JSON.stringify(path)} is to be made by tieup, but ${JSON.stringify(other.path)} is there: choose another name in tieup.yaml`,
    possible: [],
  }));
}
