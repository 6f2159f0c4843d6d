/** Copies and clears folders for the demo, as a thief or a backup would. */
import type { FileTree } from '../io/file-tree.ts';

const MAX_FILE = 100_000_000;

export async function copyTree(tree: FileTree, from: string, to: string): Promise<void> {
  for (const { name, kind } of await tree.list(from)) {
    if (kind === 'folder') await copyTree(tree, `${from}/${name}`, `${to}/${name}`);
    else await tree.write(`${to}/${name}`, await tree.read(`${from}/${name}`, MAX_FILE), { durable: false });
  }
}

/** Removes what is in a folder, not the folder. */
export async function emptyTree(tree: FileTree, folder: string): Promise<void> {
  for (const { name, kind } of await tree.list(folder)) {
    const path = `${folder}/${name}`;
    if (kind !== 'folder') await tree.remove(path);
    else {
      await emptyTree(tree, path);
      await tree.removeFolder(path);
    }
  }
}
