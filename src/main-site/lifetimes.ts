/** What of a partner's repository has to be signed anew: past half of its life is the time to do it without haste. */
import { expiryAfter, isHalfOver } from '../protocol/tuf-repository.ts';
import { instant } from '../protocol/instant.ts';
import { recall } from './learn-remote.ts';
import type { MainSite } from './main-site.ts';
import { findRoot } from './root-store.ts';

/** One line for each, in words; from what this machine has, without asking the partner. */
export async function lifetimeWarnings(site: MainSite, partner: string): Promise<readonly string[]> {
  const now = site.clock.now();
  const warnings: string[] = [];
  const root = await findRoot(site, partner);
  if (root !== undefined && isHalfOver('root', root.expires, now)) {
    warnings.push(`its root ${until(root.expires, now)}: tieup keys renew ${partner}, then tieup push ${partner}`);
  }
  const release = (await recall(site, partner))?.base.release;
  const expires = release === undefined ? undefined : instant(expiryAfter(new Date(release.created), 'targets'));
  if (release !== undefined && expires !== undefined && isHalfOver('targets', expires, now)) {
    warnings.push(`release ${release.release} ${until(expires, now)}: tieup push --full ${partner}`);
  }
  return warnings;
}

function until(expires: string, now: Date): string {
  const word = Date.parse(expires) <= now.getTime() ? 'expired on' : 'is past half of its life, it expires on';
  return `${word} ${expires.slice(0, 10)}`;
}
