/** Tries again what failed for a moment's reason: a server that starts anew, or that has too many callers at once. */
import { randomInt } from 'node:crypto';

/** Before the second and the third attempt; each is shortened by up to a half, so that many callers do not come back together. */
const PAUSES_MS = [400, 1600];

export interface RetryOptions {
  /** Whether another attempt can end otherwise. */
  readonly isPassing: (error: unknown) => boolean;
  readonly signal?: AbortSignal;
  /** Waits. Rejects when the signal says so. */
  readonly pause: (milliseconds: number) => Promise<unknown>;
}

/** What the first attempt that succeeds gives. @throws the error of the last attempt, or the first that is not passing */
export async function withRetries<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { isPassing, signal, pause } = options;
  for (const longest of PAUSES_MS) {
    try {
      return await attempt();
    } catch (error) {
      if (!isPassing(error) || signal?.aborted === true) throw error;
      // Interrupted while waiting: the next attempt says so in its own words.
      await pause(longest - randomInt(longest / 2)).catch(() => {});
    }
  }
  return attempt();
}
