/** The sentences of a {@link FileTree}'s refusals and faults, the same for every adapter. */
import { TieupError } from '../errors.ts';

/** Says which tree and path an error is about. */
export interface TreePlace {
  /** What was being done: `read`, `write`, `remove` … */
  readonly verb: string;
  readonly path: string;
  /** The tree. */
  readonly label: string;
}

export function notFound(place: TreePlace, cause?: unknown): TieupError {
  return new TieupError('TIEUP_E_NOT_FOUND', `cannot ${place.verb} ${named(place)}: it does not exist`, { cause });
}

export function inTheWay(place: TreePlace, what: string, cause?: unknown): TieupError {
  return new TieupError('TIEUP_E_EXISTS', `cannot ${place.verb} ${named(place)}: ${what}`, { cause });
}

/** @param what - the end of the sentence, e.g. `it is a symbolic link` */
export function unsafe(place: TreePlace, what: string, cause?: unknown): TieupError {
  return new TieupError('TIEUP_E_UNSAFE_PATH', `cannot ${place.verb} ${named(place)}: ${what}`, { cause });
}

export function tooLarge(place: TreePlace, maxLength: number, length?: number): TieupError {
  const has = length === undefined ? 'it has' : `it has ${length} bytes,`;
  return new TieupError(
    'TIEUP_E_TOO_LARGE',
    `cannot ${place.verb} ${named(place)}: ${has} more than ${maxLength} bytes`,
  );
}

export function storage(place: TreePlace, what: string, details: { hint?: string; cause?: unknown } = {}): TieupError {
  return new TieupError('TIEUP_E_STORAGE', `cannot ${place.verb} ${named(place)}: ${what}`, details);
}

function named({ path, label }: TreePlace): string {
  return path === '' ? JSON.stringify(label) : `${JSON.stringify(path)} in ${JSON.stringify(label)}`;
}
