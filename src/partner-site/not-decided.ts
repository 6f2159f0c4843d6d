/** What `verify` finds where the main site publishes (`publisher: main`) and writes the records: what nobody here has decided on. */
import type { MergePlan } from '../merge/plan.ts';
import { type PublicationRecord, readLedger } from '../publish/records.ts';
import type { Difference } from '../publish/verify.ts';
import { readAccepted, readKept } from './accepted-release.ts';
import { readChoices } from './choices-file.ts';
import { readDecision } from './decide.ts';
import { otherThan } from './hand-over.ts';
import { readLeft } from './left.ts';
import type { PartnerSite } from './partner-site.ts';
import { planSite } from './plan-site.ts';
import { readReceipt } from './receipt-note.ts';

export interface Undecided {
  /** The release that the records of the main site say is live; null where they say that there is none. */
  readonly release: PublicationRecord['release'];
}

/**
 * What the main site says is live although nobody here has decided on it, or although something later was live already; undefined
 * where there is no such thing. A decision that it has not carried out yet is none.
 */
export async function undecidedRelease(
  site: PartnerSite,
  record: PublicationRecord | undefined,
): Promise<Undecided | undefined> {
  if (site.publisher !== 'main') return undefined;
  const release = record?.release ?? null;
  const accepted = await readAccepted(site);
  const left = await readLeft(site);
  const shown = await readReceipt(site);
  const wasLive = shown?.state === 'live' && shown.decision === accepted?.decision;
  if (release === null) return left === undefined && wasLive ? { release } : undefined;
  const carriedOut = record?.decision ?? null;
  const decision = carriedOut === null ? undefined : await readDecision(site, carriedOut);
  const isDecided =
    decision?.verdict === 'accepted' &&
    decision.releaseDigest === release.digest &&
    decision.release === release.number &&
    accepted !== undefined &&
    left === undefined;
  return isDecided && (carriedOut === accepted.decision || !wasLive) ? undefined : { release };
}

/** Where the main site publishes, its records are no proof: what is live is compared with what was decided here. */
export async function notAsDecided(
  site: PartnerSite,
  record: PublicationRecord | undefined,
): Promise<readonly Difference[]> {
  const release = record?.release ?? null;
  if (site.publisher !== 'main' || record === undefined || release === null) return [];
  const accepted = await readAccepted(site);
  if (accepted === undefined || (await undecidedRelease(site, record)) !== undefined) return [];
  if (record.decision !== accepted.decision) return notAsSigned(site, record, release.digest);
  const { plan } = await planSite(site, accepted, await readChoices(site));
  return [...otherThan(site, plan).map((path) => ({ kind: 'changed', path }) as const), ...unlikeOriginals(plan)];
}

/** While a later decision waits for the main site: of the one before, what no choice and no text of this side changes. */
async function notAsSigned(
  site: PartnerSite,
  { number }: PublicationRecord,
  digest: string,
): Promise<readonly Difference[]> {
  const { release } = await readKept(site, digest);
  const signed = new Map(
    release.files.flatMap((file) => ((file.page?.slots ?? []).length === 0 ? [[file.path, file]] : [])),
  );
  const { entries } = await readLedger(site.ports.state, number);
  return [...entries.values()].flatMap(({ path, digest: found, release: since }) => {
    const file = since === 0 ? undefined : signed.get(path);
    return file === undefined || file.digest === found ? [] : [{ kind: 'changed', path } as const];
  });
}

/** Copies of this side's own pages that are not what the pages are now: edited since, or altered by who can write the web root. */
function unlikeOriginals({ entries }: MergePlan): readonly Difference[] {
  return entries.flatMap(({ from, path, digest, before }) =>
    from.kind === 'original' && before?.digest !== digest ? [{ kind: 'unlike-original', path } as const] : [],
  );
}
