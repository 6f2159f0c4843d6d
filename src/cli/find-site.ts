/** Finds the `tieup.yaml` that a command works for: in the working folder or the nearest one above. */
import { dirname } from 'node:path';
import { z } from 'zod';
import { parseMainSite } from '../config/main-site.ts';
import type { MainSiteConfig } from '../config/main-site.ts';
import { parsePartnerSite } from '../config/partner-site.ts';
import type { PartnerSiteConfig } from '../config/partner-site.ts';
import { decodeYaml } from '../config/document.ts';
import { TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { readIfThere } from '../io/read-if-there.ts';

export const CONFIG_FILE = 'tieup.yaml';
const MAX_CONFIG = 1024 * 1024;

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

const ROLE = z.looseObject({ role: z.enum(['main', 'partner']) });

/** @throws TIEUP_E_USAGE when this is a partner site; TIEUP_E_CONFIG with every problem. */
export function mainSiteOf({ folder, text }: FoundConfig): MainSiteConfig {
  if (roleOf(text) === 'partner') {
    throw new TieupError(
      'TIEUP_E_USAGE',
      `this command is for a main site, but ${JSON.stringify(folder)} is a partner site`,
      {
        hint: 'see the commands for partner sites with tieup --help',
      },
    );
  }
  return parseMainSite(text, CONFIG_FILE);
}

/** @throws TIEUP_E_USAGE when this is a main site; TIEUP_E_CONFIG with every problem. */
export function partnerSiteOf({ folder, text }: FoundConfig): PartnerSiteConfig {
  if (roleOf(text) === 'main') {
    throw new TieupError(
      'TIEUP_E_USAGE',
      `this command is for a partner site, but ${JSON.stringify(folder)} is a main site`,
      {
        hint: 'see the commands for main sites with tieup --help',
      },
    );
  }
  return parsePartnerSite(text, CONFIG_FILE, folder);
}

export function roleOf(text: string): 'main' | 'partner' {
  return decodeYaml(text, CONFIG_FILE, ROLE).role;
}
