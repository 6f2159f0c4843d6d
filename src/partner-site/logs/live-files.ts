/** Which tie-up files were live after a switch: what decides whether a request is class T. */
import type { LiveFiles } from '../../logs/scanner.ts';
import type { PublishedKind } from '../../logs/published-files.ts';
import { readLedger, readRecord } from '../../publish/records.ts';
import type { PartnerSite } from '../partner-site.ts';
import type { Switch } from './switches.ts';

const PAGE = /\.html?$/i;

/** Pages are the HTML files of the release but its redirects, by the rule of the receipt. */
export async function liveFiles(site: PartnerSite, { publication, release, time, own }: Switch): Promise<LiveFiles> {
  const redirects = new Set((await readRecord(site.ports.state, publication))?.redirects);
  const files = new Map<string, PublishedKind>();
  for (const { path, release: since } of (await readLedger(site.ports.state, publication)).entries.values()) {
    if (since === 0) continue;
    files.set(path, PAGE.test(path) && !redirects.has(path) ? 'page' : 'asset');
  }
  return {
    live: { time, publication, release: release?.number ?? 0, releaseDigest: release?.digest ?? null },
    files,
    own,
  };
}
