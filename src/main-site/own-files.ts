/** The files of a folder of the main site's own. */
import { isTieupError, TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { walkFiles, type WalkedFile } from '../io/walk.ts';

/** As {@link walkFiles}. @throws TIEUP_E_CONTENT at a link or a device: that is for whoever writes the pages to mend. */
export async function* ownFiles(files: FileTree, folder: string): AsyncIterable<WalkedFile> {
  try {
    yield* walkFiles(files, folder);
  } catch (cause) {
    if (!isTieupError(cause, 'TIEUP_E_UNSAFE_PATH')) throw cause;
    throw new TieupError('TIEUP_E_CONTENT', cause.message, {
      hint: 'replace links by copies of the files',
      cause,
    });
  }
}
