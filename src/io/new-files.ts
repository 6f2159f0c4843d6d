/** Writes a set of files of which none may exist: all of them, or none. */
import { TieupError } from '../errors.ts';
import type { FileTree } from './file-tree.ts';

export interface NewFile {
  /** From the root of the tree. */
  readonly path: string;
  readonly content: Uint8Array;
  /** Permission bits; 0o644 unless given. */
  readonly mode?: number;
}

/**
 * Creates `files` in order, and takes back what was made when one of them fails.
 * @throws TIEUP_E_EXISTS with every path that is taken, before anything is written
 */
export async function createFiles(tree: FileTree, files: readonly NewFile[]): Promise<void> {
  await assertAbsent(
    tree,
    files.map((file) => file.path),
  );
  const made: string[] = [];
  try {
    for (const { path, content, mode } of files) {
      await tree.create(path, content, mode === undefined ? {} : { mode });
      made.push(path);
    }
  } catch (error) {
    for (const path of made.toReversed()) await removeWithFolders(tree, path);
    throw error;
  }
}

/** @throws TIEUP_E_EXISTS with every one of `paths` at which something is. */
export async function assertAbsent(tree: FileTree, paths: readonly string[]): Promise<void> {
  const taken: string[] = [];
  for (const path of paths) {
    if ((await tree.stat(path)) !== undefined) taken.push(path);
  }
  if (taken.length === 0) return;
  throw new TieupError('TIEUP_E_EXISTS', `${taken.length === 1 ? 'a file is' : 'files are'} in the way`, {
    problems: taken.map((file) => ({ file, message: 'exists already' })),
    hint: 'choose an empty folder, or move these away; nothing was written',
  });
}

/** The file, and the folders above it that are empty without it. */
export async function removeWithFolders(tree: FileTree, path: string): Promise<void> {
  await tree.remove(path);
  for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
    if (!(await tree.removeFolder(path.slice(0, slash)))) return;
  }
}
