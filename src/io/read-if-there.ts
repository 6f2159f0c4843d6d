/** Reads a file that need not exist. */
import { isTieupError } from '../errors.ts';
import type { FileTree } from './file-tree.ts';

/** The whole file, or undefined when it is absent. @throws what `tree.read` throws for anything else. */
export async function readIfThere(
  tree: Pick<FileTree, 'read'>,
  path: string,
  maxLength: number,
): Promise<Uint8Array | undefined> {
  try {
    return await tree.read(path, maxLength);
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_NOT_FOUND')) return undefined;
    throw error;
  }
}
