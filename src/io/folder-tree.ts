/** A {@link FileTree} over a local folder. */
import type { FileTree } from './file-tree.ts';
import type { BeforeStep } from './folder-access.ts';
import { folderReading } from './folder-reading.ts';
import { folderRoot } from './folder-root.ts';
import { folderWriting } from './folder-writing.ts';
import { stageByWriting } from './stage-by-writing.ts';

export interface FolderTreeOptions {
  /**
   * Called before each system call that changes something, with its name and the path: `open`, `write`, `fsync`, `rename`,
   * `fsync-folder`, `mkdir`, `link`, `symlink`, `unlink`, `rmdir`. Tests crash there.
   */
  readonly beforeStep?: BeforeStep;
}

/**
 * The tree below the local folder `root`, whose real path is taken at the first use.
 *
 * Its calls are synchronous inside: for the many small files of a site the thread pool of node:fs/promises costs more than
 * a cached read. Timers and signals have their turn every few milliseconds.
 */
export function folderTree(root: string, options: FolderTreeOptions = {}): FileTree {
  const folder = folderRoot(root, options.beforeStep ?? (() => {}));
  const writing = folderWriting(folder);
  const stage = stageByWriting(writing);
  return {
    label: folder.label,
    ...folderReading(folder),
    ...writing,
    stage,
    roundTripMs: () => 0,
    close: async () => {},
  };
}
