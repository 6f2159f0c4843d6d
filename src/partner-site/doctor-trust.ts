/** What this site trusts, how long that is good for, and what the dates of the main site say about the clock here. */
import { readIfThere } from '../io/read-if-there.ts';
import { readMetadataVersion, type MetadataRole } from '../protocol/tuf-metadata.ts';
import { LIFETIME_DAYS } from '../protocol/tuf-repository.ts';
import { ok, problem, type Finding } from '../report/finding.ts';
import { expiryFinding } from '../report/lifetimes.ts';
import { readAccepted } from './accepted-release.ts';
import { JOINED_ROOT, type PartnerSite } from './partner-site.ts';

const MAX_METADATA = 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;
/** Two clocks that are set by NTP never differ so much. */
const TOLERANCE_MS = 60 * 60 * 1000;

const RENEW: Readonly<Record<Exclude<MetadataRole, 'snapshot'>, string>> = {
  root: 'ask the main site for new root metadata; then tieup status',
  targets: 'ask the main site to push again; then tieup status',
  timestamp: 'run tieup status; if it stays so, the main site does not refresh any more: ask it',
};

export async function trustFindings(site: PartnerSite): Promise<readonly Finding[]> {
  const now = site.clock.now();
  const root = await expiryOf(site, 'tuf/root.json', JOINED_ROOT);
  if (root === undefined) {
    return [problem('root-expiry', 'there is no trusted root metadata', 'restore the state folder from a backup')];
  }
  const found = [expiryFinding('root', root, now, RENEW.root)];
  const targets = await expiryOf(site, 'tuf/targets.json');
  const timestamp = await expiryOf(site, 'tuf/timestamp.json');
  if (targets !== undefined) found.push(expiryFinding('targets', targets, now, RENEW.targets));
  if (timestamp === undefined) return [...found, ok('timestamp-expiry', 'no release has been looked at yet')];
  return [...found, expiryFinding('timestamp', timestamp, now, RENEW.timestamp), await clockFinding(site, timestamp)];
}

/** Signed before now and good for two weeks: whatever says otherwise says that the clock here is behind. */
async function clockFinding(site: PartnerSite, timestampExpires: string): Promise<Finding> {
  const now = site.clock.now().getTime();
  const signed = Date.parse(timestampExpires) - LIFETIME_DAYS.timestamp * DAY_MS;
  const created = Date.parse((await readAccepted(site))?.release.created ?? '') || 0;
  const ahead = Math.max(signed, created) - now;
  if (ahead <= TOLERANCE_MS) return ok('clock', 'the clock here is not behind what the main site signed');
  const hours = Math.round(ahead / TOLERANCE_MS);
  return problem(
    'clock',
    `the clock here is at least ${hours === 1 ? 'an hour' : `${hours} hours`} behind: what the main site signed is dated later`,
    'timedatectl set-ntp true, or set the clock otherwise; with a wrong one a release that is held back looks fresh',
  );
}

/** Of the first of `paths` that is there; undefined when none is. */
async function expiryOf(site: PartnerSite, ...paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const bytes = await readIfThere(site.state, path, MAX_METADATA);
    if (bytes !== undefined) return readMetadataVersion(bytes).expires;
  }
  return undefined;
}
