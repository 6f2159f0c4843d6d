/** Making room: trees that are no longer kept, and objects that nothing needs. */
import { isTieupError } from '../errors.ts';
import { DEFAULT_KEEP, type Layout, type Ports, treePathOf } from './ports.ts';
import { liveNumber, publicationNumbers, readHeld, readLedger, treeNumbers } from './records.ts';
import { removeTree } from './remove-tree.ts';

const REMOVING = /^[1-9]\d*\.removing$/;

/**
 * Removes trees beyond the last {@link Layout.keep}; never the live one, nor one that is held. A tree loses its number first, so
 * that nobody can go back to one that is half removed. Returns what could not be removed; it is tried again the next time.
 */
export async function pruneTrees(ports: Ports, layout: Layout): Promise<readonly string[]> {
  if (layout.how !== 'link') return [];
  const { web } = ports;
  const numbers = await treeNumbers(web, layout);
  const kept = new Set([
    ...numbers.slice(-(layout.keep ?? DEFAULT_KEEP)),
    await liveNumber(ports, layout),
    (await readHeld(ports.state))?.publication ?? 0,
  ]);
  const stuck: string[] = [];
  const attempt = async (path: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      // The publication is live; a tree too many is no reason to call it failed.
      if (!isTieupError(error, 'TIEUP_E_STORAGE', 'TIEUP_E_UNSAFE_PATH', 'TIEUP_E_EXISTS')) throw error;
      stuck.push(path);
    }
  };
  for (const number of numbers.filter((each) => !kept.has(each))) {
    const tree = treePathOf(layout, number);
    await attempt(tree, () => web.rename(tree, `${tree}.removing`));
  }
  for (const { name } of await web.list(layout.treesName)) {
    const path = `${layout.treesName}/${name}`;
    if (REMOVING.test(name)) await attempt(path, () => removeTree(web, path));
  }
  return stuck;
}

/**
 * The digests which the live publication and the last {@link Layout.keep} ones are made of, for a rollback. What the accepted
 * release and the slots need for the next merge comes on top before `ObjectStore.prune` is called.
 */
export async function objectsInUse(ports: Ports, layout: Layout): Promise<ReadonlySet<string>> {
  const numbers = new Set((await publicationNumbers(ports.state)).slice(-(layout.keep ?? DEFAULT_KEEP)));
  numbers.add(await liveNumber(ports, layout));
  const digests = new Set<string>();
  for (const number of numbers) {
    if (number === 0) continue;
    for (const { digest, release } of (await readLedger(ports.state, number)).entries.values()) {
      if (release > 0) digests.add(digest);
    }
  }
  return digests;
}
