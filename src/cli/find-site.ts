/** Reads the `tieup.yaml` that a command works for. */
import { CONFIG_FILE } from '../config/config-file.ts';
import { z } from 'zod';
import { parseMainSite } from '../config/main-site.ts';
import type { MainSiteConfig } from '../config/main-site.ts';
import { parsePartnerSite } from '../config/partner-site.ts';
import type { PartnerSiteConfig } from '../config/partner-site.ts';
import { decodeYaml } from '../config/document.ts';
import { TieupError } from '../errors.ts';
import type { FoundConfig } from './find-config.ts';

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
