/**
 * What may be accepted without asking: only what the manager has signed with the accept key. The settings in `tieup.yaml` allow
 * nothing until `tieup accept --sign-policy` has put them under a signature; what they forbid is forbidden at once.
 */
import { TieupError } from '../errors.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { OUTBOX_POLICY } from '../protocol/exchange.ts';
import { instant } from '../protocol/instant.ts';
import { addSignatureWith, openNote, signNoteWith, type NoteKey } from '../protocol/note.ts';
import {
  faultsUnderPolicy,
  MAX_POLICY_NOTE,
  parsePolicy,
  POLICY_TYPE,
  renderPolicy,
  standsAgainst,
  type AcceptPolicy,
} from '../protocol/policy.ts';
import { countDifferences } from '../protocol/release.ts';
import type { AcceptedRelease } from './accepted-release.ts';
import type { Review } from './review.ts';
import { isRejectedSince, lastDecision, readDecision } from './decide.ts';
import { ownKey, ownSigner } from './own-keys.ts';
import type { PartnerSite } from './partner-site.ts';

const FILE = 'policy.note';
const DAY_MS = 24 * 60 * 60 * 1000;
/** A policy is renewed once a year, by somebody who still is the manager. */
const VALID_DAYS = 365;

/** Why `review` is for the manager to decide; empty when the policy covers it. */
export async function judgeByPolicy(site: PartnerSite, review: Review): Promise<readonly string[]> {
  const policy = await readPolicy(site);
  if (policy === undefined) return ['the manager has signed no policy: tieup accept --sign-policy'];
  const { opened, accepted, termsBefore, rejected, plan } = review;
  const { auto } = site.config;
  if (auto.allow === 'nothing') return ['tieup.yaml allows nothing to be accepted without asking'];
  const last = (await lastDecision(site))?.decision;
  const changed = plan.entries.filter(
    ({ from, before, digest }) => from.kind === 'object' && before?.digest !== digest,
  ).length;
  // The main site judges by the two releases alone: what it would not believe is not decided here either.
  const released =
    accepted === undefined ? { changed, removed: 0 } : countDifferences(accepted.release, opened.release);
  const faults = faultsUnderPolicy(narrowed(policy, auto), {
    at: instant(site.clock.now()),
    isFirst: accepted === undefined || (await isTakenBack(site, accepted)),
    against: standsAgainst(last, opened.release, rejected !== undefined),
    termsChange: termsBefore !== undefined,
    isActive: opened.activeContent.some(({ kind }) => kind !== 'remote'),
    changed: Math.max(changed, released.changed),
    removed: Math.max(plan.removals.length, released.removed),
  });
  return plan.replaced.length === 0 ? faults : [...faults, 'tie-up pages take the place of original pages'];
}

/** The lower of the limits that were signed and those that stand in `tieup.yaml` now. */
function narrowed(
  policy: AcceptPolicy,
  { maxChangedPages, maxRemovedPages }: PartnerSite['config']['auto'],
): AcceptPolicy {
  const lower = (signed: number | null, now: number | undefined): number | null =>
    signed === null ? (now ?? null) : Math.min(signed, now ?? signed);
  return {
    ...policy,
    maxChanged: lower(policy.maxChanged, maxChangedPages),
    maxRemoved: lower(policy.maxRemoved, maxRemovedPages),
  };
}

/** Whether the manager rejected the accepted release later. */
async function isTakenBack(site: PartnerSite, { decision, releaseDigest }: AcceptedRelease): Promise<boolean> {
  const consent = await readDecision(site, decision);
  return consent !== undefined && isRejectedSince(site, consent.seq, releaseDigest);
}

/** Signs what `tieup.yaml` says under `auto`, for a year. @throws TIEUP_E_CONFIG when it allows nothing. */
export async function signPolicy(site: PartnerSite): Promise<AcceptPolicy> {
  const { partner, auto } = site.config;
  if (auto.allow === 'nothing') {
    throw new TieupError('TIEUP_E_CONFIG', 'tieup.yaml allows nothing to be accepted without asking', {
      hint: 'set auto.allow to content first, with limits if you like',
    });
  }
  const now = site.clock.now();
  const policy: AcceptPolicy = {
    partner,
    maxChanged: auto.maxChangedPages ?? null,
    maxRemoved: auto.maxRemovedPages ?? null,
    from: instant(now),
    until: instant(new Date(now.getTime() + VALID_DAYS * DAY_MS)),
  };
  const note = await signNoteWith(renderPolicy(policy), [await ownSigner(site, 'accept')]);
  await site.state.write(FILE, note);
  await site.exchange.write(OUTBOX_POLICY, note);
  return policy;
}

/** Puts the signature of a new accept key under the policy in force, if there is one. */
export async function countersignPolicy(site: PartnerSite, signer: NoteKey): Promise<void> {
  if ((await readPolicy(site)) === undefined) return;
  const note = await addSignatureWith(await site.state.read(FILE, MAX_POLICY_NOTE), signer);
  await site.state.write(FILE, note);
  await site.exchange.write(OUTBOX_POLICY, note);
}

/** True when the site key may sign in the manager's place now. */
export async function isPolicyInForce(site: PartnerSite): Promise<boolean> {
  if (site.config.auto.allow === 'nothing') return false;
  const policy = await readPolicy(site);
  const now = instant(site.clock.now());
  return policy !== undefined && now >= policy.from && now <= policy.until;
}

async function readPolicy(site: PartnerSite): Promise<AcceptPolicy | undefined> {
  const bytes = await readIfThere(site.state, FILE, MAX_POLICY_NOTE);
  if (bytes === undefined) return undefined;
  const policy = parsePolicy(openNote(bytes, [await ownKey(site, 'accept')], { type: POLICY_TYPE }).text);
  if (policy.partner !== site.config.partner)
    throw new TieupError('TIEUP_E_VERIFY', `the policy is of another partner, ${JSON.stringify(policy.partner)}`);
  return policy;
}
