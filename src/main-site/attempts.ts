/** Does again, on a new connection, what a connection that was cut has stopped. */
import { isBrokenLine } from '../io/broken-line.ts';
import type { Clock } from '../io/clock.ts';
import { withRetries } from '../io/retry.ts';

export interface AttemptOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told before each further attempt. */
  onCut?(): void;
}

/**
 * What the first attempt gives that is not cut off. A server that falls silent, refuses the login or shows a foreign key is not
 * asked again.
 * @param work told whether an attempt before it may have done part of it
 */
export function inAttempts<T>(
  clock: Clock,
  work: (isAgain: boolean) => Promise<T>,
  options: AttemptOptions = {},
): Promise<T> {
  const { signal } = options;
  let number = 0;
  return withRetries(() => work((number += 1) > 1), {
    isPassing: isBrokenLine,
    ...(signal === undefined ? {} : { signal }),
    pause: (milliseconds) => {
      options.onCut?.();
      return clock.sleep(milliseconds, signal);
    },
  });
}
