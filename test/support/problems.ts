/** What a refusal found, one line a problem. */
import { formatProblem, isTieupError } from '../../src/errors.ts';

/** The problems with which `action` refuses, its message when it lists none; empty when it does not refuse. */
export function problemsIn(action: () => unknown): string[] {
  try {
    action();
  } catch (error) {
    if (!isTieupError(error)) throw error;
    return error.problems.length === 0 ? [error.message] : error.problems.map(formatProblem);
  }
  return [];
}
