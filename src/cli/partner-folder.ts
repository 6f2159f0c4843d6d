/** The folder of a partner that the command line names: with a `tieup.yaml`, with `original/` and `slots/`, or a web root. */
import { resolve } from 'node:path';
import { IN_PLACE } from '../config/partner-site.ts';
import { TieupError } from '../errors.ts';
import { readIfThere } from '../io/read-if-there.ts';
import type { PartnerFolder } from '../main-site/preview/partner-folder.ts';
import type { Context } from './command-context.ts';
import { CONFIG_FILE, MAX_CONFIG } from '../config/config-file.ts';
import { partnerSiteOf } from './find-site.ts';

export interface NamedPartnerFolder extends PartnerFolder {
  /** Whose it is, where it says so. */
  readonly partner: string | undefined;
  /** Absolute. */
  readonly folders: readonly string[];
}

/** @throws TIEUP_E_NOT_FOUND when there is no such folder, TIEUP_E_CONFIG, TIEUP_E_USAGE when it is a main site. */
export async function partnerFolder(context: Context, path: string): Promise<NamedPartnerFolder> {
  const folder = resolve(context.folder, path);
  const tree = await context.tree(folder);
  const [first] = await tree.list('');
  if (first === undefined)
    throw new TieupError('TIEUP_E_NOT_FOUND', `there is nothing in ${JSON.stringify(path)}`, {
      hint: 'name the folder of a partner site, or its web root',
    });
  const config = await readIfThere(tree, CONFIG_FILE, MAX_CONFIG);
  if (config !== undefined) {
    const { partner, folders } = partnerSiteOf({ folder, text: new TextDecoder().decode(config) });
    const original = folders.original === IN_PLACE ? folders.public : folders.original;
    return open(context, folder, original, folders.slots, partner);
  }
  const has = async (name: string): Promise<boolean> => (await tree.stat(name))?.kind === 'folder';
  const [hasOriginal, hasSlots] = [await has('original'), await has('slots')];
  if (hasOriginal) return open(context, folder, 'original', 'slots');
  return open(context, folder, '', hasSlots ? 'slots' : undefined);
}

async function open(
  context: Context,
  folder: string,
  original: string,
  slots: string | undefined,
  partner?: string,
): Promise<NamedPartnerFolder> {
  const at = { original: resolve(folder, original), slots: slots === undefined ? undefined : resolve(folder, slots) };
  return {
    partner,
    original: await context.tree(at.original),
    slots: at.slots === undefined ? undefined : await context.tree(at.slots),
    slotsName: slots ?? 'slots',
    folders: [at.original, ...(at.slots === undefined ? [] : [at.slots])],
  };
}
