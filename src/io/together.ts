/** Work on one connection that is under way at the same time. */

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
