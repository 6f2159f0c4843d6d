/** Conflicts: what must be decided by the manager before anything may change. */
import { type Problem, TieupError } from '../errors.ts';

export type ChoiceName = 'keep-mine' | 'take-theirs' | 'rename';

/**
 * - `original`: an original page has the path, or one that some file system cannot tell from it.
 * - `in-the-way`: a live file that tieup does not own stands at the path.
 * - `drift`: a live file of tieup's own was edited by hand and would be overwritten or deleted.
 * - `not-a-file`: a link, a folder or something else stands where a file or a folder is needed.
 * - `rename`: the name that was chosen cannot be.
 */
export interface Conflict {
  readonly kind: 'original' | 'in-the-way' | 'drift' | 'not-a-file' | 'rename';
  /** The path for which a choice is wanted. */
  readonly path: string;
  /** What it collides with; equal to `path` when it stands right there. */
  readonly other: string;
  /** Lower case, no full stop. */
  readonly message: string;
  /** What the manager can choose; empty when only a change of the files helps. */
  readonly possible: readonly ChoiceName[];
  /** Why a choice that was made, or that one would expect, is not possible. */
  readonly refused?: string;
}

/** All conflicts as one refusal. */
export function conflictError(conflicts: readonly Conflict[]): TieupError {
  const count = conflicts.length === 1 ? 'one conflict' : `${conflicts.length} conflicts`;
  const choosable = conflicts.some(({ possible }) => possible.length > 0);
  return new TieupError('TIEUP_E_CONFLICT', `${count} between the tie-up pages and this site, nothing was changed`, {
    problems: conflicts.map(conflictProblem),
    hint: choosable
      ? 'choose for each path what shall happen, --choose <path>=keep-mine, or move your file away'
      : 'move the files that are in the way, then try again',
  });
}

export function conflictProblem(conflict: Conflict): Problem {
  const choices = conflict.possible.length === 0 ? '' : ` (possible: ${conflict.possible.join(', ')})`;
  const refused = conflict.refused === undefined ? '' : `; ${conflict.refused}`;
  return { message: `${conflict.message}${refused}${choices}`, file: conflict.path };
}
