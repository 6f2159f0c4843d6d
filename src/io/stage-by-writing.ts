/** Staging where a write takes no longer than the rename at its end would: nothing is done before the commit. */
import type { FileTree } from './file-tree.ts';

export function stageByWriting(write: FileTree['write']): FileTree['stage'] {
  return async (path, content, options) => ({
    commit: () => write(path, content, options),
    discard: async () => {},
  });
}
