/** What `tieup doctor` found: one line a check, each with what mends it. */
import { isTieupError } from '../errors.ts';

export interface Finding {
  /** A stable name for scripts: `inbox-writable`. */
  readonly check: string;
  /** `problem`: something does not work, or is not as safe as it claims to be. */
  readonly state: 'ok' | 'warning' | 'problem';
  /** Lower case, no full stop. */
  readonly message: string;
  /** A sentence or a command; null when there is nothing to mend. */
  readonly fix: string | null;
}

export function ok(check: string, message: string): Finding {
  return { check, state: 'ok', message, fix: null };
}

export function warning(check: string, message: string, fix: string | null): Finding {
  return { check, state: 'warning', message, fix };
}

export function problem(check: string, message: string, fix: string | null): Finding {
  return { check, state: 'problem', message, fix };
}

/** What `look` finds; a refusal that it throws is a problem, with the words and the hint of the refusal. */
export async function finding(
  check: string,
  look: () => Promise<Finding | readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    const found = await look();
    return 'check' in found ? [found] : found;
  } catch (error) {
    if (!isTieupError(error)) throw error;
    return [problem(check, error.message, error.hint ?? null)];
  }
}
