/**
 * The partner's manager confirms a release, and it goes live.
 *
 *   metadata → open → file set → objects → merge plan → show → decide → stage → switch → receipt
 *
 * The other half of main-site/push.ts. Everything up to the decision only reads; a refusal or a "no" leaves the site and its
 * trust as they were. The decision is signed and kept before the first byte of the live tree changes, so that a crash in
 * between is finished by the next command, and the main site never sees a page live that nobody confirmed.
 */
import { conflictError, type Conflict } from '../merge/conflict.ts';
import type { MergePlan } from '../merge/plan.ts';
import { TieupError } from '../errors.ts';
import type { Decision } from '../protocol/decision.ts';
import { instant } from '../protocol/instant.ts';
import { keepAccepted, readAccepted } from './accepted-release.ts';
import { lastDecision, showLastDecision, signDecision, type SignedDecision } from './decide.ts';
import { refuseAfterLeaving } from './left.ts';
import type { OpenedRelease } from './open-release.ts';
import type { PartnerSite } from './partner-site.ts';
import { judgeByPolicy } from './policy.ts';
import { planSite, type SitePlan } from './plan-site.ts';
import { goLive, liveRelease, type LiveRelease, type WentLive } from './go-live.ts';
import { writeReceipt } from './receipt-note.ts';
import { recoverSite, withLock } from './recover-site.ts';
import type { Choices } from '../merge/choices.ts';
import { choicesAtMount, readChoices, withChosen, writeChoices } from './choices-file.ts';
import { showMerge } from './hand-over.ts';
import { refuseWhileHeld } from './hold.ts';
import { unchangedRelease, withTimestampReadOnce } from './unchanged-inbox.ts';
import { reviewOf, type Review } from './review.ts';

/** How the answer comes about: `ask` shows and asks, `digest` stands on the command line, `policy` asks nobody. */
export type Answering =
  | {
      readonly kind: 'ask';
      ask(review: Review): Promise<boolean>;
      /** Choices for all of these conflicts, or undefined to stop. */
      choose(conflicts: readonly Conflict[]): Promise<Choices['paths'] | undefined>;
    }
  | { readonly kind: 'digest'; readonly releaseDigest: string; show(review: Review): Promise<void> }
  | { readonly kind: 'policy'; show(review: Review): Promise<void> };

export interface AcceptRequest {
  readonly answering: Answering;
  /** Choices for conflicts, beside those that are remembered. */
  readonly choices: Choices['paths'];
}

export type AcceptResult =
  | { readonly kind: 'nothing-new'; readonly release: number; readonly releaseDigest: string }
  | { readonly kind: 'declined'; readonly release: number; readonly releaseDigest: string }
  | {
      readonly kind: 'left-to-the-manager';
      readonly release: number;
      readonly releaseDigest: string;
      readonly reasons: readonly string[];
    }
  | { readonly kind: 'live'; readonly decision: Decision; readonly wentLive: WentLive }
  /** Decided; the main site publishes it. */
  | { readonly kind: 'handed-over'; readonly decision: Decision };

/** @throws whatever opening the release throws; TIEUP_E_CONFLICT with all conflicts, TIEUP_E_DRIFT. */
export async function accept(site: PartnerSite, request: AcceptRequest): Promise<AcceptResult> {
  return withLock(site, async () => {
    await recoverSite(site);
    await refuseAfterLeaving(site);
    const last = await lastDecision(site);
    if (last !== undefined) await showLastDecision(site, last);
    const live = await liveRelease(site);
    const once: PartnerSite = { ...site, exchange: withTimestampReadOnce(site.exchange) };
    if (live !== undefined && live.digest === (await unchangedRelease(once))) return nothingNew(site, live);

    // tuf-js and what else it takes to verify a release are loaded when there is one to verify.
    const { openRelease } = await import('./open-release.ts');
    const accepted = await readAccepted(site);
    const opened = await openRelease(once, accepted);
    if (live !== undefined && live.digest === opened.releaseDigest) return nothingNew(site, live);
    await refuseWhileHeld(site);
    refuseOtherPublisher(site, opened);

    const { choices, ...planned } = await planWithChoices(site, opened, request);
    const { plan } = planned;
    const review = await reviewOf(site, opened, accepted, planned);

    const planAgain = async () => (await planSite(site, opened, choices)).plan;
    const decided =
      decidedBefore(site, last, opened, plan) ?? (await decide(site, request.answering, review, planAgain));
    if ('kind' in decided) return decided;
    await writeChoices(site, choices);
    await keepAccepted(site, opened, decided.digest);
    const wentLive = await goLive(site, opened, plan, decided.digest);
    const { decision } = decided;
    return wentLive === undefined ? { kind: 'handed-over', decision } : { kind: 'live', decision, wentLive };
  });
}

/** The receipt is written again if a crash kept it from the outbox. */
async function nothingNew(site: PartnerSite, { number, digest }: LiveRelease): Promise<AcceptResult> {
  await writeReceipt(site);
  return { kind: 'nothing-new', release: number, releaseDigest: digest };
}

/** A decision that a crash kept from being carried out need not be asked for again. */
function decidedBefore(
  site: PartnerSite,
  last: SignedDecision | undefined,
  opened: OpenedRelease,
  plan: MergePlan,
): SignedDecision | undefined {
  if (last?.decision.verdict !== 'accepted' || last.decision.releaseDigest !== opened.releaseDigest) return undefined;
  if (instant(site.clock.now()) > last.decision.expires) return undefined;
  return last.decision.merge === plan.mergeDigest ? last : undefined;
}

async function decide(
  site: PartnerSite,
  answering: Answering,
  review: Review,
  planAgain: () => Promise<MergePlan>,
): Promise<SignedDecision | (AcceptResult & { kind: 'declined' | 'left-to-the-manager' })> {
  const { opened, plan } = review;
  const { release, releaseDigest, termsDigest } = opened;
  const numbers = { release: release.release, releaseDigest };
  const sign = async (by: Decision['by']) => {
    await showMerge(site, plan);
    return signDecision(site, {
      ...numbers,
      terms: termsDigest,
      merge: plan.mergeDigest,
      verdict: 'accepted',
      by,
      reason: null,
    });
  };
  switch (answering.kind) {
    case 'ask':
      if (!(await answering.ask(review))) return { kind: 'declined', ...numbers };
      assertSamePlan(plan, await planAgain());
      return sign('manager');
    case 'digest': {
      await answering.show(review);
      if (answering.releaseDigest !== releaseDigest) throw otherRelease(answering.releaseDigest, review);
      return sign('manager');
    }
    case 'policy': {
      await answering.show(review);
      const reasons = await judgeByPolicy(site, review);
      return reasons.length === 0 ? sign('policy') : { kind: 'left-to-the-manager', ...numbers, reasons };
    }
  }
}

/** Who publishes decides where the records lie, and what a yes means: it is agreed on once, with the invitation. */
function refuseOtherPublisher({ publisher }: PartnerSite, { terms }: OpenedRelease): void {
  if (terms.publisher === publisher) return;
  throw new TieupError('TIEUP_E_CONTRACT', 'the release says that somebody else shall publish than was agreed on', {
    hint: 'tieup reject --reason "…"; to change who publishes, leave and join again',
  });
}

/** While a person reads, the site may change under the plan; what is signed and published is what was shown. */
function assertSamePlan(shown: MergePlan, now: MergePlan): void {
  if (JSON.stringify(shown) === JSON.stringify(now)) return;
  throw new TieupError('TIEUP_E_DRIFT', 'your site changed while you were reading, so nothing was accepted', {
    hint: 'run tieup accept again; it shows what is different now',
  });
}

function otherRelease(given: string, { opened }: Review): TieupError {
  return new TieupError('TIEUP_E_DRIFT', `the release in the inbox is not ${JSON.stringify(given)}`, {
    hint: `look at it with tieup status, then: tieup accept --yes ${opened.releaseDigest}`,
  });
}

/** Plans until no conflict is left; a manager who can be asked is asked, everybody else is told all of them. */
async function planWithChoices(
  site: PartnerSite,
  opened: OpenedRelease,
  { answering, choices }: AcceptRequest,
): Promise<SitePlan & { readonly choices: Choices }> {
  const remembered = choicesAtMount(await readChoices(site), site.layout.mount, opened.terms.mount, opened.release);
  let paths = withChosen(remembered.paths, choices, opened.release);
  for (;;) {
    const planned = await planSite(site, opened, { ...remembered, paths });
    const { conflicts } = planned.plan;
    if (conflicts.length === 0) return { ...planned, choices: { ...remembered, paths } };
    const chosen = answering.kind === 'ask' ? await answering.choose(conflicts) : undefined;
    if (chosen === undefined) throw conflictError(conflicts);
    paths = { ...paths, ...chosen };
  }
}
