/**
 * Carries out the steps of a journal in the web root, forwards or backwards. Every file is replaced as a whole; a step whose
 * outcome is there already is passed over, so that it can be done any number of times and from any point on.
 */
import { isTieupError, TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { ancestors } from '../merge/occupants.ts';
import type { Bytes } from '../merge/plan.ts';
import type { Step } from './journal.ts';
import { sameBytes, whatIsAt } from './look.ts';
import { within } from './ports.ts';

export interface Applying {
  readonly web: FileTree;
  /** The web root in `web`. */
  readonly base: string;
  /** Folders which may be removed once they are empty, from the web root. */
  readonly folders: ReadonlySet<string>;
  content(bytes: Bytes): Promise<AsyncIterable<Uint8Array>>;
}

/**
 * Returns the paths at which something else stands than either side of the step; they are left alone when `onDrift` is `leave`.
 * @throws TIEUP_E_DRIFT at the first of them otherwise.
 */
export async function applySteps(
  applying: Applying,
  steps: readonly Step[],
  direction: 'forwards' | 'backwards',
  onDrift: 'refuse' | 'leave',
): Promise<readonly string[]> {
  const leftAlone: string[] = [];
  for (const step of direction === 'forwards' ? steps : steps.toReversed()) {
    const [expected, target, mode] =
      direction === 'forwards' ? [step.old, step.new, step.newMode] : [step.new, step.old, step.oldMode];
    const now = await whatIsAt(applying.web, within(applying.base, step.path));
    if (sameBytes(now, target)) {
      // A crash can come between the making of a folder and the file in it.
      if (target === null) await removeEmptied(applying, step.path);
      continue;
    }
    if (!sameBytes(now, expected)) {
      if (onDrift === 'refuse') throw driftError([step.path]);
      leftAlone.push(step.path);
      continue;
    }
    await change(applying, step.path, target, mode);
  }
  return leftAlone;
}

async function change(applying: Applying, path: string, target: Bytes | null, mode: number): Promise<void> {
  const { web, base } = applying;
  const place = within(base, path);
  if (target !== null) {
    await web.write(place, await applying.content(target), { mode });
    return;
  }
  await web.remove(place);
  await web.sync([place]);
  await removeEmptied(applying, path);
}

async function removeEmptied({ web, base, folders }: Applying, path: string): Promise<void> {
  for (const folder of ancestors(path)) {
    if (!folders.has(folder)) return;
    try {
      if (!(await web.removeFolder(within(base, folder)))) return;
    } catch (error) {
      // Somebody put a link in its place: not ours any more.
      if (isTieupError(error, 'TIEUP_E_UNSAFE_PATH')) return;
      throw error;
    }
  }
}

export function driftError(paths: readonly string[]): TieupError {
  const count = paths.length === 1 ? 'one file' : `${paths.length} files`;
  return new TieupError('TIEUP_E_DRIFT', `${count} in the live tree changed since the plan was made`, {
    problems: paths.map((file) => ({ message: 'is not what it was when the plan was made', file })),
    hint: 'look at the plan again; nothing was published',
  });
}
