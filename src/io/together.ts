/** Work on one connection that is under way at the same time. */
import type { FileTree } from './file-tree.ts';

/**
 * What all of them give. Unlike Promise.all it waits for every one also when one fails: nothing goes on behind the back of who
 * then takes back what was done.
 * @throws the error of the first in the list that failed
 */
export async function together<Works extends readonly Promise<unknown>[] | readonly []>(
  works: Works,
): Promise<{ -readonly [Index in keyof Works]: Awaited<Works[Index]> }> {
  await Promise.allSettled(works);
  return Promise.all(works);
}

/** Over a line the files of a tree wait for round trips, each for its own; on a disk there is nothing to wait for. */
const OVER_A_LINE = 16;

/**
 * Does the same to each file of a tree: one after the other on this machine, several at a time over a line. Like
 * {@link together} it leaves nothing under way, and begins nothing more once one has failed.
 * @param trees all that the work touches
 * @throws the error of the first that failed
 */
export async function forEachFile<T>(
  trees: readonly Pick<FileTree, 'roundTripMs'>[],
  files: Iterable<T>,
  work: (file: T) => Promise<unknown>,
): Promise<void> {
  const lanes = trees.some((tree) => tree.roundTripMs() > 0) ? OVER_A_LINE : 1;
  const failed: unknown[] = [];
  const rest = files[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    for (let next = rest.next(); next.done !== true && failed.length === 0; next = rest.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failed.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  if (failed.length > 0) throw failed[0];
}
