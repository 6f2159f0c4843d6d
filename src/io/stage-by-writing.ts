/** Staging where a write takes no longer than the rename at its end would: nothing is done before the commit. */
import type { FileTree } from './file-tree.ts';

export function stageByWriting({ write, create }: Pick<FileTree, 'write' | 'create'>): FileTree['stage'] {
  return async (path, content, options) => ({
    commit: () =>
      options?.isNew === true && content instanceof Uint8Array
        ? create(path, content, options)
        : write(path, content, options),
    discard: async () => {},
  });
}
