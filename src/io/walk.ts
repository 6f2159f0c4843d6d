/** Walks a tree of files in the order of their paths. */
import { TieupError } from '../errors.ts';
import type { FileTree } from './file-tree.ts';

export interface WalkedFile {
  /** From the folder that was asked for. */
  readonly path: string;
  readonly length: number;
}

/**
 * Every regular file below `folder`, by path in byte order; names that start with a dot are passed over.
 * @throws TIEUP_E_UNSAFE_PATH at a link or a device: what a folder shows must be what is in it.
 */
export async function* walkFiles(tree: FileTree, folder: string, below = ''): AsyncIterable<WalkedFile> {
  const entries = await tree.list(join(folder, below));
  // A folder sorts as `name/`, so that paths come in byte order: `a.html` before `a/b.html`.
  const ordered = entries
    .filter(({ name }) => !name.startsWith('.'))
    .map((entry) => ({ entry, key: Buffer.from(entry.kind === 'folder' ? `${entry.name}/` : entry.name) }))
    .toSorted((a, b) => Buffer.compare(a.key, b.key));
  for (const { entry } of ordered) {
    const path = join(below, entry.name);
    if (entry.kind === 'folder') yield* walkFiles(tree, folder, path);
    else if (entry.kind === 'file') yield { path, length: entry.length };
    else
      throw new TieupError('TIEUP_E_UNSAFE_PATH', `${JSON.stringify(join(folder, path))} is not a regular file`, {
        hint: 'replace links by copies of the files',
      });
  }
}

function join(folder: string, name: string): string {
  if (folder === '') return name;
  return name === '' ? folder : `${folder}/${name}`;
}
