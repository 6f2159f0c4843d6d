/** Writes the `tieup.yaml` of a new partner site, with the comments that help its owner change it later. */
import type { PartnerSiteConfig } from '../config/partner-site.ts';
import type { Invitation } from '../protocol/invitation.ts';

export const PARTNER_SCHEMA = 'schemas/partner-site.json';

export function renderPartnerConfig(
  { terms, documentKey }: Invitation,
  { url, site, publish, folders }: Pick<PartnerSiteConfig, 'url' | 'site' | 'publish' | 'folders'>,
): string {
  const text = (value: string) => JSON.stringify(value);
  return `# yaml-language-server: $schema=${PARTNER_SCHEMA}
# This site is a partner of ${terms.main.name.replaceAll(/[\r\n]/g, ' ')}.
role: partner
partner: ${text(terms.partner)}
url: ${text(url)}
main:
  name: ${text(terms.main.name)}
  url: ${text(terms.main.url)}
  keys:
    document: ${text(documentKey)}
${site === undefined ? '' : serverLines(site)}
# How a release goes live. link: a new tree beside the old one and one switch of the link "public".
# overwrite: file by file in the web root.
publish: ${publish}

# Where things are: ${site === undefined ? 'beside this file' : 'state and keys beside this file, all others on the server below its path'}, or absolute. "original: in-place" when your pages live in the web root already.
folders:
  original: ${text(folders.original)}
  slots: ${text(folders.slots)}
  exchange: ${text(folders.exchange)}
  public: ${text(folders.public)}
  state: ${text(folders.state)}
  keys: ${text(folders.keys)}

# What "tieup accept --auto" may accept without asking. Takes effect once you sign it: tieup accept --sign-policy
auto:
  allow: nothing
`;
}

function serverLines({ url, hostKeys }: NonNullable<PartnerSiteConfig['site']>): string {
  const lines = hostKeys.map((line) => `    - ${JSON.stringify(line)}\n`);
  return `
# The server that the site lies on. Nothing is sent to one that shows another host key.
site:
  url: ${JSON.stringify(url)}
  hostKeys:
${lines.join('')}`;
}
