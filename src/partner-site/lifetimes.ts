/** What this site trusts that will run out, said at half of its life: the main site has to act, its partner reminds it. */
import { readIfThere } from '../io/read-if-there.ts';
import { readMetadataVersion } from '../protocol/tuf-metadata.ts';
import { isHalfOver } from '../protocol/tuf-repository.ts';
import type { PartnerSite } from './partner-site.ts';

const AGAIN = 'ask the main site to sign it anew; live pages stay';
const ROLES = [
  ['root', "the main site's root of trust", AGAIN],
  ['targets', 'the release', AGAIN],
  [
    'timestamp',
    "the main site's word that nothing is newer",
    'ask it whether tieup refresh runs daily; live pages stay',
  ],
] as const;
const MAX_METADATA = 1024 * 1024;

export async function lifetimeWarnings(site: PartnerSite): Promise<readonly string[]> {
  const now = site.clock.now();
  const warnings: string[] = [];
  for (const [role, what, mend] of ROLES) {
    const bytes = await readIfThere(site.state, `tuf/${role}.json`, MAX_METADATA);
    if (bytes === undefined) continue;
    const { expires } = readMetadataVersion(bytes);
    if (!isHalfOver(role, expires, now)) continue;
    const word = Date.parse(expires) <= now.getTime() ? 'expired on' : 'is past half of its life, it expires on';
    warnings.push(`${what} ${word} ${expires.slice(0, 10)}: ${mend}`);
  }
  return warnings;
}
