/** Tells a connection that was cut off from everything else that can go wrong on it. */
import { isTieupError } from '../errors.ts';

/** The cause of a TIEUP_E_CONNECTION after which the same work, done once more on a new connection, may well succeed. */
export class BrokenLine extends Error {
  constructor(cause?: unknown) {
    super('the line was cut', { cause });
    this.name = 'BrokenLine';
  }
}

/** Whether an established connection was reset. A server that falls silent, refuses a login or shows a foreign key is none. */
export function isBrokenLine(error: unknown): boolean {
  return isTieupError(error, 'TIEUP_E_CONNECTION') && error.cause instanceof BrokenLine;
}
