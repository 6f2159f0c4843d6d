/** Packs `kit/` for a new partner: templates, design tokens, guidance, sample pages, the logo. */
import { TieupError } from '../errors.ts';
import { MAX_KIT, renderKit, type KitFile } from '../protocol/kit.ts';
import type { MainSite } from './main-site.ts';
import { ownFiles } from './own-files.ts';

/** Beside `tieup.yaml`; names that start with a dot are left out. */
export const KIT_FOLDER = 'kit';

export interface Kit {
  readonly bytes: Uint8Array;
  readonly files: number;
}

/**
 * The kit as it is now; undefined when there is no such folder, or nothing in it.
 * @throws TIEUP_E_CONTENT with every file that cannot be sent, or at a link.
 */
export async function makeKit({ files: tree }: MainSite): Promise<Kit | undefined> {
  const files: KitFile[] = [];
  let length = 0;
  for await (const found of ownFiles(tree, KIT_FOLDER)) {
    length += found.length;
    if (length > MAX_KIT) {
      throw new TieupError('TIEUP_E_CONTENT', `the files in ${KIT_FOLDER}/ have more than ${MAX_KIT} bytes`, {
        hint: 'put large pictures on your site and link to them',
      });
    }
    files.push({ path: found.path, bytes: await tree.read(`${KIT_FOLDER}/${found.path}`, MAX_KIT) });
  }
  return files.length === 0 ? undefined : { bytes: renderKit(files), files: files.length };
}
