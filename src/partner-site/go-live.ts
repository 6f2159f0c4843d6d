/** Publishes a merge plan under a decision, and says so in a receipt. */
import { isTieupError } from '../errors.ts';
import type { MergePlan } from '../merge/plan.ts';
import type { Receipt } from '../protocol/receipt.ts';
import type { Publication } from '../publish/publication.ts';
import { objectsInUse } from '../publish/prune.ts';
import { publish } from '../publish/publish.ts';
import { liveNumber, readRecord } from '../publish/records.ts';
import { readAccepted, type AcceptedRelease } from './accepted-release.ts';
import { assertCanAnswer } from './can-answer.ts';
import { forgetEarlierMerges } from './hand-over.ts';
import type { PartnerSite } from './partner-site.ts';
import { writeReceipt } from './receipt-note.ts';

export interface WentLive {
  readonly publication: Publication;
  readonly receipt: Receipt | undefined;
}

/** Undefined where the main site publishes: it is its turn. @throws what publishing throws; the live tree is then what it was. */
export async function goLive(
  site: PartnerSite,
  { release, releaseDigest, terms }: Pick<AcceptedRelease, 'release' | 'releaseDigest' | 'terms'>,
  plan: MergePlan,
  decision: string,
): Promise<WentLive | undefined> {
  await assertCanAnswer(site);
  if (site.publisher === 'main') {
    const contents = await forgetEarlierMerges(site, plan);
    await site.objects.prune(new Set([...release.files.map(({ digest }) => digest), ...contents]));
    return undefined;
  }
  const publication = await publish(site.ports, { ...site.layout, mount: terms.mount }, plan, {
    release: { number: release.release },
    releaseDigest,
    decisionDigest: decision,
    now: site.clock.now(),
  });
  if (publication.changed) await pruneObjects(site, release);
  return { publication, receipt: await writeReceipt(site) };
}

/** What the next push takes for present is the accepted release as a whole, withheld pages too; the rest serves a rollback. */
async function pruneObjects(site: PartnerSite, release: AcceptedRelease['release']): Promise<void> {
  try {
    const keep = new Set(await objectsInUse(site.ports, site.layout));
    for (const { digest } of release.files) keep.add(digest);
    await site.objects.prune(keep);
  } catch (error) {
    // It is live. Where a damaged ledger cannot say what it needs, nothing goes.
    if (!isTieupError(error, 'TIEUP_E_VERIFY', 'TIEUP_E_STORAGE')) throw error;
  }
}

export interface LiveRelease {
  readonly number: number;
  /** The release digest. */
  readonly digest: string;
}

/** The release that the live tree was published from; undefined when there is none. */
export async function liveRelease(site: PartnerSite): Promise<LiveRelease | undefined> {
  const record = await readRecord(site.ports.state, await liveNumber(site.ports, site.layout));
  const release = record?.release ?? undefined;
  if (site.publisher === 'partner') return release;
  // The main site wrote the record: it makes nothing accepted.
  const accepted = await readAccepted(site);
  return accepted !== undefined && accepted.releaseDigest === release?.digest ? release : undefined;
}

/** True when the live tree was published from the release with this digest. */
export async function isLive(site: PartnerSite, releaseDigest: string): Promise<boolean> {
  return (await liveRelease(site))?.digest === releaseDigest;
}
