/** Reads the `tieup.yaml` that a command works for. */
import { CONFIG_FILE } from '../config/config-file.ts';
import { z } from 'zod';
import { parseMainSite } from '../config/main-site.ts';
import type { MainSiteConfig } from '../config/main-site.ts';
import { parsePartnerSite } from '../config/partner-site.ts';
import type { PartnerSiteConfig } from '../config/partner-site.ts';
import { decodeYaml } from '../config/document.ts';
import { TieupError } from '../errors.ts';
import { parseSftpAddress } from '../io/sftp-address.ts';
import type { FoundConfig } from './find-config.ts';

const ROLE = z.looseObject({ role: z.enum(['main', 'partner']) });

/**
 * @param server what --site says, which means nothing at a main site
 * @throws TIEUP_E_USAGE when this is a partner site; TIEUP_E_CONFIG with every problem.
 */
export function mainSiteOf({ folder, text }: FoundConfig, server?: string): MainSiteConfig {
  if (server !== undefined)
    throw new TieupError('TIEUP_E_USAGE', '--site is for partner sites', {
      hint: 'a main site knows the servers of its partners from their files in partners/',
    });
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

/**
 * @param server `sftp://…` that takes the place of `site` in tieup.yaml; the host keys there stay, if it is the same server
 * @throws TIEUP_E_USAGE when this is a main site; TIEUP_E_CONFIG with every problem.
 */
export function partnerSiteOf({ folder, text }: FoundConfig, server?: string): PartnerSiteConfig {
  if (roleOf(text) === 'main') {
    throw new TieupError(
      'TIEUP_E_USAGE',
      `this command is for a partner site, but ${JSON.stringify(folder)} is a main site`,
      {
        hint: 'see the commands for main sites with tieup --help',
      },
    );
  }
  const config = parsePartnerSite(text, CONFIG_FILE, folder);
  return server === undefined ? config : { ...config, site: { url: server, hostKeys: hostKeysFor(server, config) } };
}

function hostKeysFor(server: string, { site }: PartnerSiteConfig): readonly string[] {
  const { host, port } = parseSftpAddress(server);
  if (site === undefined) return [];
  const known = parseSftpAddress(site.url);
  return known.host === host && known.port === port ? site.hostKeys : [];
}

export function roleOf(text: string): 'main' | 'partner' {
  return decodeYaml(text, CONFIG_FILE, ROLE).role;
}
