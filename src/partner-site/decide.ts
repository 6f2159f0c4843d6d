/**
 * The partner's decisions: numbered without a gap, each naming the one before, kept in the state before anything follows
 * from them, and shown to the main site in the outbox.
 */
import { TieupError } from '../errors.ts';
import { readIfThere } from '../io/read-if-there.ts';
import {
  DECISION_TYPE,
  DECISION_VALID_DAYS,
  decisionDigest,
  parseDecision,
  renderDecision,
  type Decision,
} from '../protocol/decision.ts';
import { OUTBOX_DECISION, OUTBOX_DECISIONS, MAX_DECISION_NOTE } from '../protocol/exchange.ts';
import { instant } from '../protocol/instant.ts';
import { addSignatureWith, claimedText, openNote, signNoteWith, type NoteKey } from '../protocol/note.ts';
import { assertCanAnswer } from './can-answer.ts';
import { ownKeysEver, ownSigner } from './own-keys.ts';
import type { PartnerSite } from './partner-site.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

export type DecisionRequest = Pick<
  Decision,
  'release' | 'releaseDigest' | 'terms' | 'merge' | 'verdict' | 'by' | 'reason'
>;

export interface SignedDecision {
  readonly decision: Decision;
  readonly digest: string;
}

/** Signs with the accept key, or the site key when `by` is policy; durable here before it is shown there. */
export async function signDecision(site: PartnerSite, request: DecisionRequest): Promise<SignedDecision> {
  await assertCanAnswer(site);
  const last = await lastDecision(site);
  const now = site.clock.now();
  const decision: Decision = {
    partner: site.config.partner,
    ...request,
    seq: (last?.decision.seq ?? 0) + 1,
    previous: last?.digest ?? null,
    time: instant(now),
    expires: instant(new Date(now.getTime() + DECISION_VALID_DAYS * DAY_MS)),
  };
  const role = request.by === 'manager' ? 'accept' : 'site';
  const note = await signNoteWith(renderDecision(decision), [await ownSigner(site, role)]);
  await site.state.create(decisionPath(decision.seq), note);
  await showDecision(site, decision.seq, note);
  const digest = decisionDigest(decision);
  const { release, verdict, by, reason } = decision;
  const because = reason === null ? '' : `: ${reason}`;
  await site.history.add({ action: 'decision', release, digest, detail: `${verdict} by ${by}${because}` });
  return { decision, digest };
}

/** The decision with the highest number; undefined before the first. @throws TIEUP_E_VERIFY when the state was tampered with. */
export async function lastDecision(site: PartnerSite): Promise<SignedDecision | undefined> {
  const [last] = await decisionNumbers(site);
  return last === undefined ? undefined : openDecision(site, last);
}

/** The last decision on this very release, whatever was decided on others since; undefined when there is none. */
export async function lastDecisionOn(site: PartnerSite, releaseDigest: string): Promise<Decision | undefined> {
  for (const seq of await decisionNumbers(site)) {
    // There may be hundreds, and a signature takes a hundred times as long as a look.
    const claimed = parseDecision(claimedText(await site.state.read(decisionPath(seq), MAX_DECISION_NOTE)));
    if (claimed.releaseDigest === releaseDigest) return (await openDecision(site, seq)).decision;
  }
  return undefined;
}

/** The decision with this digest; undefined when it is not kept. */
export async function readDecision(site: PartnerSite, digest: string): Promise<Decision | undefined> {
  for (const seq of await decisionNumbers(site)) {
    const signed = await openDecision(site, seq);
    if (signed.digest === digest) return signed.decision;
  }
  return undefined;
}

/** Whether a rollback was decided after decision `seq`: that one covers nothing any more. */
export async function isRolledBackSince(site: PartnerSite, seq: number): Promise<boolean> {
  return isFollowedBy(site, seq, ({ verdict }) => verdict === 'rollback');
}

/** Whether the manager rejected this very release after decision `seq`: the "no" came last and counts. */
export async function isRejectedSince(site: PartnerSite, seq: number, releaseDigest: string): Promise<boolean> {
  return isFollowedBy(site, seq, (later) => later.verdict === 'rejected' && later.releaseDigest === releaseDigest);
}

async function isFollowedBy(site: PartnerSite, seq: number, fits: (later: Decision) => boolean): Promise<boolean> {
  for (const later of await decisionNumbers(site)) {
    if (later <= seq) return false;
    if (fits((await openDecision(site, later)).decision)) return true;
  }
  return false;
}

/** What the manager decided when going back last; undefined when that never happened. */
export async function lastRollback(site: PartnerSite): Promise<SignedDecision | undefined> {
  for (const seq of await decisionNumbers(site)) {
    const signed = await openDecision(site, seq);
    if (signed.decision.verdict === 'rollback') return signed;
  }
  return undefined;
}

/** The newest first. */
async function decisionNumbers(site: PartnerSite): Promise<readonly number[]> {
  const names = await site.state.list('decisions');
  return names
    .flatMap(({ name }) => /^([1-9]\d*)\.note$/.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => b - a);
}

async function openDecision(site: PartnerSite, seq: number): Promise<SignedDecision> {
  const note = await site.state.read(decisionPath(seq), MAX_DECISION_NOTE);
  const keys = [...(await ownKeysEver(site, 'accept')), ...(await ownKeysEver(site, 'site'))];
  const decision = parseDecision(openNote(note, keys, { type: DECISION_TYPE }).text);
  if (decision.seq !== seq)
    throw new TieupError('TIEUP_E_VERIFY', `decision ${seq} in the state folder has the number ${decision.seq}`);
  return { decision, digest: decisionDigest(decision) };
}

/**
 * Puts the last decision into the outbox again, for the case that a crash came between signing and showing, and those before
 * it that went: the main site walks from one to the next.
 */
export async function showLastDecision(site: PartnerSite, { decision }: SignedDecision): Promise<void> {
  const there = new Set((await site.exchange.list(OUTBOX_DECISIONS)).map(({ name }) => name));
  for (const seq of await decisionNumbers(site)) {
    if (there.has(`${seq}.note`)) continue;
    await site.exchange.write(shownPath(seq), await site.state.read(decisionPath(seq), MAX_DECISION_NOTE));
  }
  const note = await site.state.read(decisionPath(decision.seq), MAX_DECISION_NOTE);
  const shown = await readIfThere(site.exchange, OUTBOX_DECISION, MAX_DECISION_NOTE);
  if (shown === undefined || !Buffer.from(shown).equals(note)) await showDecision(site, decision.seq, note);
}

/**
 * Puts the signature of a new key under what stands: the manager's last decision, and those by policy since then. Whoever knows
 * the new keys alone can follow the chain from there, because the manager's decision vouches for all before it.
 */
export async function countersignStanding(site: PartnerSite, role: 'accept' | 'site', signer: NoteKey): Promise<void> {
  const numbers = await decisionNumbers(site);
  const [newest] = numbers;
  for (const seq of numbers) {
    const { by } = (await openDecision(site, seq)).decision;
    if ((by === 'manager') === (role === 'accept')) {
      const note = await addSignatureWith(await site.state.read(decisionPath(seq), MAX_DECISION_NOTE), signer);
      await site.state.write(decisionPath(seq), note);
      await (seq === newest ? showDecision(site, seq, note) : site.exchange.write(shownPath(seq), note));
    }
    if (by === 'manager') return;
  }
}

async function showDecision(site: PartnerSite, seq: number, note: Uint8Array): Promise<void> {
  await site.exchange.write(shownPath(seq), note);
  await site.exchange.write(OUTBOX_DECISION, note);
}

/** In the outbox. */
function shownPath(seq: number): string {
  return `${OUTBOX_DECISIONS}/${seq}.note`;
}

function decisionPath(seq: number): string {
  return `decisions/${seq}.note`;
}
