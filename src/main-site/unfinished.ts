/** The partners whose last push failed or was held back, for `tieup push --retry-failed`: one small file of this machine, `.tieup/unfinished.json`. */
import { readIfThere } from '../io/read-if-there.ts';
import type { MainSite } from './main-site.ts';

const PLACE = '.tieup/unfinished.json';
const MAX_LENGTH = 16 * 1024 * 1024;

/** Empty where nothing failed, or nobody knows any more: what is forgotten is pushed by the next push of everything. */
export async function readUnfinished(site: Pick<MainSite, 'files'>): Promise<ReadonlySet<string>> {
  const bytes = await readIfThere(site.files, PLACE, MAX_LENGTH);
  if (bytes === undefined) return new Set();
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const failed: unknown = typeof value === 'object' && value !== null && 'failed' in value ? value.failed : undefined;
    // By hand: a push with nothing to do reads this, and a schema library takes longer to load than all that it does.
    return new Set(Array.isArray(failed) ? failed.filter((each) => typeof each === 'string') : []);
  } catch {
    return new Set();
  }
}

/** Takes in how a push ended; a partner that it did not reach for stays what it was. */
export async function keepUnfinished(
  site: MainSite,
  ended: readonly { readonly partner: string; readonly failed: boolean }[],
): Promise<void> {
  const before = await readUnfinished(site);
  const after = new Set(before);
  for (const { partner, failed } of ended) {
    if (failed) after.add(partner);
    else after.delete(partner);
  }
  if (after.size === before.size && [...after].every((each) => before.has(each))) return;
  await site.files.write(PLACE, Buffer.from(`${JSON.stringify({ failed: [...after].toSorted() })}\n`));
}
