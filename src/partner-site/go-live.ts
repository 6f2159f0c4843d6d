/** Publishes a merge plan under a decision, and says so in a receipt. */
import type { MergePlan } from '../merge/plan.ts';
import type { Receipt } from '../protocol/receipt.ts';
import type { Publication } from '../publish/publication.ts';
import { publish } from '../publish/publish.ts';
import { readLive } from '../publish/records.ts';
import type { AcceptedRelease } from './accepted-release.ts';
import type { PartnerSite } from './partner-site.ts';
import { writeReceipt } from './receipt-note.ts';

export interface WentLive {
  readonly publication: Publication;
  readonly receipt: Receipt | undefined;
}

/** @throws what publishing throws; the live tree is then what it was. */
export async function goLive(
  site: PartnerSite,
  { release, releaseDigest, terms }: Pick<AcceptedRelease, 'release' | 'releaseDigest' | 'terms'>,
  plan: MergePlan,
  decision: string,
): Promise<WentLive> {
  const publication = await publish(site.ports, { ...site.layout, mount: terms.mount }, plan, {
    release: { number: release.release },
    releaseDigest,
    decisionDigest: decision,
    now: site.clock.now(),
  });
  return { publication, receipt: await writeReceipt(site) };
}

/** True when the live tree was published from the release with this digest. */
export async function isLive(site: PartnerSite, releaseDigest: string): Promise<boolean> {
  const { record } = await readLive(site.ports, site.layout);
  return record?.release?.digest === releaseDigest;
}
