/** What of a partner's repository has to be signed anew: past half of its life is the time to do it without haste. */
import { expiryAfter, isHalfOver } from '../protocol/tuf-repository.ts';
import { instant } from '../protocol/instant.ts';
import type { FileTree } from '../io/file-tree.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { INBOX_METADATA } from '../protocol/exchange.ts';
import { readMetadataVersion } from '../protocol/tuf-metadata.ts';
import { recallBriefly } from './learn-remote.ts';
import type { MainSite } from './main-site.ts';
import { findRoot } from './root-store.ts';

const MAX_METADATA = 1024 * 1024;

/** One line for each, in words; from what this machine has, without asking the partner. */
export async function lifetimeWarnings(site: MainSite, partner: string): Promise<readonly string[]> {
  const now = site.clock.now();
  const warnings: string[] = [];
  const root = await findRoot(site, partner);
  if (root !== undefined && isHalfOver('root', root.expires, now)) {
    warnings.push(`its root ${until(root.expires, now)}: tieup keys renew ${partner}, then tieup push ${partner}`);
  }
  const release = (await recallBriefly(site, partner))?.release;
  const expires = release === undefined ? undefined : instant(expiryAfter(new Date(release.created), 'targets'));
  if (release !== undefined && expires !== undefined && isHalfOver('targets', expires, now)) {
    warnings.push(`release ${release.release} ${until(expires, now)}: tieup push --full ${partner}`);
  }
  return warnings;
}

export interface Freshness {
  readonly warnings: readonly string[];
  /** Why the partner takes nothing any more that lies there; undefined while it does. */
  readonly expired: string | undefined;
}

/** Whether somebody refreshes what lies in the partner's inbox, which has been verified. */
export async function freshnessOf({ clock }: MainSite, partner: string, exchange: FileTree): Promise<Freshness> {
  const bytes = await readIfThere(exchange, `${INBOX_METADATA}/timestamp.json`, MAX_METADATA);
  const expires = bytes === undefined ? undefined : readMetadataVersion(bytes).expires;
  const now = clock.now();
  if (expires === undefined || !isHalfOver('timestamp', expires, now)) return { warnings: [], expired: undefined };
  const warnings = [`its timestamp ${until(expires, now)}: tieup refresh ${partner}, which belongs into cron, daily`];
  return { warnings, expired: isOver(expires, now) ? `its timestamp ${until(expires, now)}` : undefined };
}

function until(expires: string, now: Date): string {
  const word = isOver(expires, now) ? 'expired on' : 'is past half of its life, it expires on';
  return `${word} ${expires.slice(0, 10)}`;
}

function isOver(expires: string, now: Date): boolean {
  return Date.parse(expires) <= now.getTime();
}
