/** Removing what is tieup's own as a whole, and what an interrupted write left behind. */
import type { FileTree } from '../io/file-tree.ts';
import { forEachFile } from '../io/together.ts';
import { isTemporaryName } from '../io/tree-path.ts';
import { within } from './ports.ts';

/** Removes the folder `path` with everything in it, links as links; fine when it is absent. */
export async function removeTree(tree: FileTree, path: string): Promise<void> {
  const stat = await tree.stat(path);
  if (stat === undefined) return;
  if (stat.kind !== 'folder') {
    await tree.remove(path);
    return;
  }
  const inside = await tree.list(path, { temporary: true });
  const files = inside.filter(({ kind }) => kind !== 'folder');
  await forEachFile([tree], files, ({ name }) => tree.remove(within(path, name)));
  for (const { name, kind } of inside) if (kind === 'folder') await removeTree(tree, within(path, name));
  await tree.removeFolder(path);
}

/** Removes temporary files of tieup's own from one folder; only while nobody else can be writing them. */
export async function removeTemporary(tree: FileTree, folder: string): Promise<number> {
  const names = (await tree.list(folder, { temporary: true })).map(({ name }) => name).filter(isTemporaryName);
  for (const name of names) await tree.remove(within(folder, name));
  return names.length;
}
