/** Remembers what a command makes, so that one which fails leaves nothing of it. */
import { isTieupError } from '../errors.ts';
import type { FileTree } from './file-tree.ts';

export interface Making {
  /** Writes a file. Taken back: the file and the folders above it, as far as they were not there before. */
  file(tree: FileTree, path: string, content: Uint8Array): Promise<void>;
  /** Creates a file that must not exist. @throws TIEUP_E_EXISTS, and what is there stays. */
  newFile(tree: FileTree, path: string, content: Uint8Array): Promise<void>;
  /** Makes a folder. Taken back: what is empty of it and was not there before. */
  folder(tree: FileTree, path: string): Promise<void>;
  /** Something else was made, and this takes it back. */
  remember(step: () => Promise<unknown>): void;
}

/**
 * Runs `work`; when it fails, everything that it made through {@link Making} is taken back, last first, and its error is
 * thrown. What cannot be taken back, because the disk or the connection failed for good, stays.
 */
export async function allOrNothing<T>(work: (making: Making) => Promise<T>): Promise<T> {
  const steps: (() => Promise<unknown>)[] = [];
  const remember = (step: () => Promise<unknown>): void => void steps.push(step);
  const rememberFolders = async (tree: FileTree, paths: readonly string[]): Promise<void> => {
    for (const path of paths) {
      if ((await tree.stat(path)) === undefined) remember(() => tree.removeFolder(path));
    }
  };
  try {
    return await work({
      remember,
      async file(tree, path, content) {
        const paths = pathsTo(path);
        await rememberFolders(tree, paths.slice(0, -1));
        if ((await tree.stat(path)) === undefined) remember(() => tree.remove(path));
        await tree.write(path, content);
      },
      async newFile(tree, path, content) {
        await rememberFolders(tree, pathsTo(path).slice(0, -1));
        try {
          await tree.create(path, content);
        } catch (error) {
          // It may be there although making it durable failed.
          if (!isTieupError(error, 'TIEUP_E_EXISTS')) remember(() => tree.remove(path));
          throw error;
        }
      },
      async folder(tree, path) {
        await rememberFolders(tree, pathsTo(path));
        await tree.makeFolder(path);
      },
    });
  } catch (error) {
    for (const step of steps.toReversed()) await step().catch(() => undefined);
    throw error;
  }
}

/** `a`, `a/b`, `a/b/c`. */
function pathsTo(path: string): readonly string[] {
  const components = path.split('/');
  return components.map((_, index) => components.slice(0, index + 1).join('/'));
}
