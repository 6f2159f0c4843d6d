/**
 * The partner takes all tie-up pages off its site and leaves the partnership.
 *
 *   live → merge plan without a release → show → decision "rejected" on what is live → publish → receipt "left"
 *
 * Needs nothing from the inbox and no word of the main site, so that it works when the contract is over or the main site
 * is gone. A rejection takes back the consent under which the release was live (protocol, "Leaving"); the receipt says
 * that it was carried out. Original pages stay, those too in whose place tie-up pages stood.
 */
import type { Choices } from '../merge/choices.ts';
import { conflictError, type Conflict } from '../merge/conflict.ts';
import { planMerge, type MergePlan } from '../merge/plan.ts';
import { TieupError } from '../errors.ts';
import { MAX_REASON } from '../protocol/decision.ts';
import { instant } from '../protocol/instant.ts';
import type { Receipt } from '../protocol/receipt.ts';
import type { Publication } from '../publish/publication.ts';
import { publish } from '../publish/publish.ts';
import { readLive, resume as endHold, type PublicationRecord } from '../publish/records.ts';
import { survey } from '../publish/survey.ts';
import { forgetAccepted, readKept } from './accepted-release.ts';
import { readChoices, writeChoices } from './choices-file.ts';
import { lastDecision, showLastDecision, signDecision } from './decide.ts';
import { decisionToLeave, forgetLeft, keepLeft, readLeft, type Left } from './left.ts';
import type { PartnerSite } from './partner-site.ts';
import { writeReceipt } from './receipt-note.ts';
import { recoverSite, withLock } from './recover-site.ts';

export interface LeaveRequest {
  /** What the main site is told; null for no words. */
  readonly reason: string | null;
  /** Choices for conflicts, beside those that are remembered. */
  readonly choices: Choices['paths'];
  /** Shows what goes and asks; nothing has changed before. */
  confirm(plan: LeavePlan): Promise<boolean>;
  /** Choices for all of these conflicts, or undefined to stop. */
  choose(conflicts: readonly Conflict[]): Promise<Choices['paths'] | undefined>;
}

export interface LeavePlan {
  readonly plan: MergePlan;
  /** The publication that is live. */
  readonly live: PublicationRecord;
}

export type LeaveResult =
  | { readonly kind: 'declined' }
  /** Done before, and nothing of it is live. */
  | { readonly kind: 'left-already'; readonly left: Left }
  | {
      readonly kind: 'left';
      readonly plan: MergePlan;
      readonly publication: Publication;
      readonly receipt: Receipt | undefined;
    };

/** @throws TIEUP_E_NOT_FOUND when no tie-up page is live; TIEUP_E_CONFLICT with all conflicts. */
export async function leave(site: PartnerSite, request: LeaveRequest): Promise<LeaveResult> {
  if (request.reason !== null && request.reason.length > MAX_REASON)
    throw new TieupError('TIEUP_E_USAGE', `the reason is longer than ${MAX_REASON} characters`);
  return withLock(site, async () => {
    await recoverSite(site, 'any');
    const last = await lastDecision(site);
    if (last !== undefined) await showLastDecision(site, last);
    const left = await readLeft(site);
    const { record: live } = await readLive(site.ports, site.layout);
    if (live === undefined || live.release === null) {
      if (left === undefined) throw nothingToLeave();
      await writeReceipt(site);
      await forgetAccepted(site);
      return { kind: 'left-already', left };
    }
    const { plan, choices } = await planWithChoices(site, live, request);
    // A crash came in between: whoever tries again was asked then.
    if (left === undefined && !(await request.confirm({ plan, live }))) return { kind: 'declined' };
    const decision = await decideToLeave(site, left, live.release, request.reason);
    await writeChoices(site, choices);
    await endHold(site.ports);
    const publication = await publish(site.ports, { ...site.layout, mount: live.mount }, plan, {
      release: null,
      releaseDigest: null,
      decisionDigest: decision,
      now: site.clock.now(),
    });
    const receipt = await writeReceipt(site);
    await forgetAccepted(site);
    return { kind: 'left', plan, publication, receipt };
  });
}

/**
 * Takes the leaving back: releases are opened and shown again, and the next one that the manager accepts goes live as if it
 * were the first. Publishes nothing. @throws TIEUP_E_USAGE when this site has not left.
 */
export async function comeBack(site: PartnerSite): Promise<Left> {
  return withLock(site, async () => {
    await recoverSite(site, 'any');
    const left = await readLeft(site);
    if (left === undefined) {
      throw new TieupError('TIEUP_E_USAGE', 'this site has not left the partnership', {
        hint: 'tieup status shows what is live',
      });
    }
    const { record } = await readLive(site.ports, site.layout);
    const isLive = record !== undefined && record.release !== null;
    if (isLive && (await decisionToLeave(site, left)) !== undefined) throw halfLeft();
    // A crash before the decision: nothing has happened, and what is live stays accepted.
    if (!isLive) await forgetAccepted(site);
    await forgetLeft(site);
    await site.history.add({ action: 'come-back', detail: `it had left on ${left.since.slice(0, 10)}` });
    return left;
  });
}

/** The digest of the manager's decision: the one that a crash kept from being carried out, or a new one. */
async function decideToLeave(
  site: PartnerSite,
  begun: Left | undefined,
  release: { readonly number: number; readonly digest: string },
  reason: string | null,
): Promise<string> {
  const decided = begun === undefined ? undefined : await decisionToLeave(site, begun);
  if (decided !== undefined) return decided.digest;
  const { termsDigest } = await readKept(site, release.digest);
  const after = (await lastDecision(site))?.digest ?? null;
  const left: Left = { since: instant(site.clock.now()), releaseDigest: release.digest, after };
  await keepLeft(site, left);
  try {
    const { digest } = await signDecision(site, {
      release: release.number,
      releaseDigest: release.digest,
      terms: termsDigest,
      merge: null,
      verdict: 'rejected',
      by: 'manager',
      reason,
    });
    return digest;
  } catch (error) {
    if ((await decisionToLeave(site, left)) === undefined) await forgetLeft(site);
    throw error;
  }
}

async function planWithChoices(
  site: PartnerSite,
  live: PublicationRecord,
  request: LeaveRequest,
): Promise<{ readonly plan: MergePlan; readonly choices: Choices }> {
  const remembered = await readChoices(site);
  const found = await survey(site.ports, { ...site.layout, mount: live.mount }, null);
  let paths = { ...remembered.paths, ...request.choices };
  for (;;) {
    const plan = planMerge({ ...found, release: null, slots: [], choices: { ...remembered, paths } });
    if (plan.conflicts.length === 0) return { plan, choices: { ...remembered, paths } };
    const chosen = await request.choose(plan.conflicts);
    if (chosen === undefined) throw conflictError(plan.conflicts);
    paths = { ...paths, ...chosen };
  }
}

function nothingToLeave(): TieupError {
  return new TieupError('TIEUP_E_NOT_FOUND', 'no tie-up page is live here, so there is nothing to take away', {
    hint: 'to say no to what is in the inbox: tieup reject',
  });
}

function halfLeft(): TieupError {
  return new TieupError('TIEUP_E_CONTRACT', 'leaving was interrupted, and tie-up pages are still live', {
    hint: 'finish it with tieup leave, then take it back with tieup leave --undo',
  });
}
