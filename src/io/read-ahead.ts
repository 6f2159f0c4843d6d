/** Reads files of a distant tree before they are asked for, at the same time as whatever else is under way there. */
import type { FileTree } from './file-tree.ts';

/**
 * The tree, of which the files in `wanted` are being read already: who reads one of them first is given that, who reads it again
 * what is there by then.
 * @param wanted longest length that is read, by path
 */
export function readAhead(tree: FileTree, wanted: ReadonlyMap<string, number>): FileTree {
  const started = new Map<string, Promise<Uint8Array>>();
  for (const [path, maxLength] of wanted) {
    const reading = tree.read(path, maxLength);
    // Nobody may ask for it.
    reading.catch(() => {});
    started.set(path, reading);
  }
  return {
    ...tree,
    read: (path, maxLength, room) => {
      const reading = maxLength === wanted.get(path) ? started.get(path) : undefined;
      started.delete(path);
      return reading ?? tree.read(path, maxLength, room);
    },
  };
}
