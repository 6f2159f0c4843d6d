/** Finds the `tieup.yaml` that a command works for: in the working folder or the nearest one above. */
import { CONFIG_FILE, MAX_CONFIG } from '../config/config-file.ts';
import { dirname } from 'node:path';
import { TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { readIfThere } from '../io/read-if-there.ts';

export interface FoundConfig {
  /** Absolute path of the folder that tieup.yaml is in. */
  readonly folder: string;
  readonly text: string;
}

/**
 * @param open a tree over an absolute folder
 * @throws TIEUP_E_CONFIG when there is none up to the root
 */
export async function findConfig(start: string, open: (folder: string) => FileTree): Promise<FoundConfig> {
  for (let folder = start; ; folder = dirname(folder)) {
    const bytes = await readIfThere(open(folder), CONFIG_FILE, MAX_CONFIG);
    if (bytes !== undefined) return { folder, text: new TextDecoder().decode(bytes) };
    if (dirname(folder) === folder) break;
  }
  throw new TieupError('TIEUP_E_CONFIG', `there is no ${CONFIG_FILE} in ${JSON.stringify(start)} or above it`, {
    hint: 'change to the folder of your site, name it with -C, or start one with tieup init',
  });
}
