/**
 * Merges the accepted release with this site again: after the partner's own pages or slots changed, or when the manager
 * withholds a page or takes that back.
 *
 *   accepted release → merge plan → decision, when choices or slots differ → stage → switch → receipt
 *
 * Needs nothing from the inbox. What is live is always covered by a decision: where the merge is the one decided on, no new
 * one is signed, so that cron can carry changed original pages into the live tree without a password.
 */
import { conflictError } from '../merge/conflict.ts';
import type { Choices } from '../merge/choices.ts';
import type { MergePlan } from '../merge/plan.ts';
import { TieupError } from '../errors.ts';
import type { Decision } from '../protocol/decision.ts';
import { nearest } from '../protocol/nearest.ts';
import { keepDecision, readAccepted, type AcceptedRelease } from './accepted-release.ts';
import { readChoices, withChosen, writeChoices } from './choices-file.ts';
import { isRejectedSince, isRolledBackSince, lastDecision, readDecision, signDecision } from './decide.ts';
import { goLive, type WentLive } from './go-live.ts';
import { refuseAfterLeaving } from './left.ts';
import type { PartnerSite } from './partner-site.ts';
import { planSite, type SitePlan } from './plan-site.ts';
import { isPolicyInForce } from './policy.ts';
import { recoverSite, withLock } from './recover-site.ts';
import { showMerge } from './hand-over.ts';
import { refuseWhileHeld } from './hold.ts';

export interface Merged extends SitePlan {
  readonly release: number;
  /** Undefined where the main site publishes it. */
  readonly wentLive: WentLive | undefined;
}

/** @throws TIEUP_E_CONFLICT with all conflicts; TIEUP_E_NOT_FOUND when nothing was accepted yet; as {@link withChosen}. */
export async function merge(site: PartnerSite, added: Choices['paths'] = {}): Promise<Merged> {
  return withLock(site, async () => {
    await recoverSite(site);
    await refuseAfterLeaving(site);
    const choices = await readChoices(site);
    const accepted = await requireAccepted(site);
    return mergeWith(site, accepted, { ...choices, paths: withChosen(choices.paths, added, accepted.release) });
  });
}

export interface WithholdRequest {
  /** A path from the web root, or below the mount, with or without a slash before it. */
  readonly page: string;
  /** Bring it back. */
  readonly undo: boolean;
}

export interface Withheld extends Merged {
  /** From the web root. */
  readonly path: string;
}

/** @throws TIEUP_E_USAGE when the accepted release has no such page. */
export async function withhold(site: PartnerSite, { page, undo }: WithholdRequest): Promise<Withheld> {
  return withLock(site, async () => {
    await recoverSite(site);
    await refuseAfterLeaving(site);
    const accepted = await requireAccepted(site);
    const choices = await readChoices(site);
    const path = undo
      ? findPath(page, accepted, choices.withheld)
      : findPath(
          page,
          accepted,
          accepted.release.files.map((file) => file.path),
        );
    const others = choices.withheld.filter((other) => other !== path);
    const withheld = undo ? others : [...others, path].toSorted();
    return { path, ...(await mergeWith(site, accepted, { ...choices, withheld })) };
  });
}

/** Publishes the accepted release with `choices`; the caller holds the lock. `endHold` is called once all is decided. */
export async function mergeWith(
  site: PartnerSite,
  accepted: AcceptedRelease,
  choices: Choices,
  endHold?: () => Promise<unknown>,
): Promise<Merged> {
  if (endHold === undefined) await refuseWhileHeld(site);
  const planned = await planSite(site, accepted, choices);
  const { plan } = planned;
  if (plan.conflicts.length > 0) throw conflictError(plan.conflicts);
  const decision = await decisionFor(site, accepted, plan);
  await writeChoices(site, choices);
  await keepDecision(site, accepted, decision);
  await endHold?.();
  const wentLive = await goLive(site, accepted, plan, decision);
  return { ...planned, release: accepted.release.release, wentLive };
}

export async function requireAccepted(site: PartnerSite): Promise<AcceptedRelease> {
  const accepted = await readAccepted(site);
  if (accepted !== undefined) return accepted;
  throw new TieupError('TIEUP_E_NOT_FOUND', 'no release has been accepted yet', { hint: 'run tieup accept first' });
}

/** The digest of a decision that covers this merge: the one there is, or a new one. */
async function decisionFor(site: PartnerSite, accepted: AcceptedRelease, plan: MergePlan): Promise<string> {
  // Signed a moment ago by a command that a crash kept from carrying it out.
  const last = await lastDecision(site);
  if (last !== undefined && last.decision.releaseDigest === accepted.releaseDigest && covers(last.decision, plan)) {
    return last.digest;
  }
  const known = await readDecision(site, accepted.decision);
  if (known !== undefined && (await isRejectedSince(site, known.seq, accepted.releaseDigest))) {
    throw new TieupError('TIEUP_E_CONFLICT', `release ${accepted.release.release} was rejected after it was accepted`, {
      hint: 'run tieup accept if it shall be published after all',
    });
  }
  // Where the main site publishes, a decision that it has carried out is no word for it to do so again.
  const isDone = site.publisher === 'main' && isDifferent(plan);
  if (!isDone && known !== undefined && covers(known, plan) && !(await isRolledBackSince(site, known.seq)))
    return accepted.decision;
  // Ending a hold, going back on a "no", or a page in place of an original: only the manager does that.
  const mayBePolicy =
    known?.verdict === 'accepted' && last?.decision.verdict === 'accepted' && plan.replaced.length === 0;
  await showMerge(site, plan);
  const { digest } = await signDecision(site, {
    release: accepted.release.release,
    releaseDigest: accepted.releaseDigest,
    terms: accepted.termsDigest,
    merge: plan.mergeDigest,
    verdict: 'accepted',
    by: mayBePolicy && (await isPolicyInForce(site)) ? 'policy' : 'manager',
    reason: null,
  });
  return digest;
}

/** Whether publishing it would change something. */
function isDifferent({ entries, removals }: MergePlan): boolean {
  return (
    removals.length > 0 || entries.some(({ from, digest, before }) => from.kind !== 'live' && before?.digest !== digest)
  );
}

function covers(decision: Decision, plan: MergePlan): boolean {
  return decision.verdict === 'accepted' && decision.merge === plan.mergeDigest;
}

function findPath(page: string, accepted: AcceptedRelease, candidates: readonly string[]): string {
  const { terms } = accepted;
  const bare = page.replace(/^\/+/, '');
  const below = `${terms.mount.slice(1)}${bare}`;
  const tries = [bare, below, `${bare}.html`, `${below}.html`];
  const found = tries.find((path) => candidates.includes(path));
  if (found !== undefined) return found;
  if (tries.some((path) => accepted.release.files.some((file) => file.path === path)))
    throw new TieupError('TIEUP_E_USAGE', `${JSON.stringify(page)} is not withheld`, {
      hint: 'tieup status lists the pages that you withhold',
    });
  const close = nearest(bare, candidates) ?? nearest(below, candidates);
  throw new TieupError('TIEUP_E_USAGE', `there is no such tie-up page: ${JSON.stringify(page)}`, {
    hint:
      close === undefined
        ? `name it as in its address: ${terms.mount}index.html`
        : `did you mean ${JSON.stringify(close)}?`,
  });
}
