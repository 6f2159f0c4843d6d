/**
 * Where this site stands: what is live, what waits in the inbox, what was decided last.
 *
 *   recover → live → inbox opened and verified → merge planned → nothing changed
 */
import { isTieupError, type TieupError } from '../errors.ts';
import type { Decision } from '../protocol/decision.ts';
import { readHeld, readLive, type PublicationRecord } from '../publish/records.ts';
import type { Recovery } from '../publish/recover.ts';
import { readAccepted, type AcceptedRelease } from './accepted-release.ts';
import { choicesAtMount, readChoices } from './choices-file.ts';
import { lastDecision, showLastDecision } from './decide.ts';
import { isLive } from './go-live.ts';
import { readLeft, type Left } from './left.ts';
import { showKeys } from './keys-rotate.ts';
import { type DiskUse, diskUse } from './logs/disk-use.ts';
import { readLogState } from './logs/log-state.ts';
import { lifetimeWarnings } from './lifetimes.ts';
import { openRelease } from './open-release.ts';
import type { PartnerSite } from './partner-site.ts';
import { planSite } from './plan-site.ts';
import { writeReceipt } from './receipt-note.ts';
import { reviewOf, type Review } from './review.ts';
import { recoverSite, withLock } from './recover-site.ts';

export type InboxStatus =
  | { readonly kind: 'empty' }
  /** What is in the inbox is live. */
  | { readonly kind: 'live' }
  | { readonly kind: 'waiting'; readonly review: Review }
  | { readonly kind: 'rejected'; readonly review: Review; readonly reason: string | null }
  | { readonly kind: 'refused'; readonly error: TieupError };

export interface SiteStatus {
  readonly recovery: Recovery;
  readonly live: PublicationRecord | undefined;
  readonly held: boolean;
  /** The manager has left the partnership; while tie-up pages are live still, that was interrupted. */
  readonly left: Left | undefined;
  readonly accepted: AcceptedRelease | undefined;
  readonly withheld: readonly string[];
  readonly decision: Decision | undefined;
  readonly inbox: InboxStatus;
  /** Undefined where no access logs are read. */
  readonly logs: LogsStatus | undefined;
  /** What will go wrong unless somebody does something. */
  readonly warnings: readonly string[];
}

export interface LogsStatus {
  /** When they were read last; null before the first time. */
  readonly readAt: string | null;
  /** Lines that were read in this epoch. */
  readonly lines: number;
  /** What is kept of them here, of all epochs. */
  readonly disk: DiskUse;
}

export async function status(site: PartnerSite): Promise<SiteStatus> {
  return withLock(site, async () => {
    const recovery = await recoverSite(site);
    const last = await lastDecision(site);
    if (last !== undefined) await showLastDecision(site, last);
    await writeReceipt(site);
    await showKeys(site);
    const accepted = await readAccepted(site);
    return {
      recovery,
      live: (await readLive(site.ports, site.layout)).record,
      held: (await readHeld(site.ports.state)) !== undefined,
      left: await readLeft(site),
      accepted,
      withheld: (await readChoices(site)).withheld,
      decision: last?.decision,
      logs: await logsStatus(site),
      inbox: await lookIntoInbox(site, accepted),
      warnings: await lifetimeWarnings(site),
    };
  });
}

async function lookIntoInbox(site: PartnerSite, accepted: AcceptedRelease | undefined): Promise<InboxStatus> {
  try {
    const opened = await openRelease(site, accepted);
    if (await isLive(site, opened.releaseDigest)) return { kind: 'live' };
    const choices = choicesAtMount(await readChoices(site), site.layout.mount, opened.terms.mount, opened.release);
    const planned = await planSite(site, opened, choices);
    const review = await reviewOf(site, opened, accepted, planned);
    return review.rejected === undefined
      ? { kind: 'waiting', review }
      : { kind: 'rejected', review, reason: review.rejected.reason };
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_NOT_FOUND')) return { kind: 'empty' };
    // Says nothing about the release.
    if (isTieupError(error, 'TIEUP_E_CONNECTION', 'TIEUP_E_INTERRUPTED')) throw error;
    if (isTieupError(error)) return { kind: 'refused', error };
    throw error;
  }
}

async function logsStatus(site: PartnerSite): Promise<LogsStatus | undefined> {
  if (site.config.logs === undefined) return undefined;
  const state = await readLogState(site);
  if (state === undefined) return { readAt: null, lines: 0, disk: { files: 0, bytes: 0 } };
  return { readAt: state.time, lines: state.counts.lines, disk: await diskUse(site, state.epoch) };
}
