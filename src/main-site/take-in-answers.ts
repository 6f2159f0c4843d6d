/**
 * Takes in what a partner has answered, as far as it can be believed.
 *
 *   keys → notes opened → chain of decisions → judged by what was sent → receipt → notes kept → record (last)
 *
 * What was taken in before is not judged again, and never forgotten: an answer that is taken back, or that contradicts one
 * which was seen, is refused and kept as evidence.
 */
import { MAX_DECISION_NOTE } from '../protocol/exchange.ts';
import type { Partnership } from '../config/partnership.ts';
import { TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { parseDecision, type Decision } from '../protocol/decision.ts';
import { sha256 } from '../protocol/digest.ts';
import { instant } from '../protocol/instant.ts';
import { claimedText } from '../protocol/note.ts';
import type { AcceptPolicy } from '../protocol/policy.ts';
import type { Receipt } from '../protocol/receipt.ts';
import { followChain, type Link } from './decision-chain.ts';
import { keepNote, keepRefused, RefusedAnswer } from './evidence.ts';
import { after, decisionFault, receiptFault, receiptWentBack, type Before } from './judge-answers.ts';
import { cachePath, type MainSite } from './main-site.ts';
import { takeInKeys, type PendingKeys } from './partner-key-change.ts';
import { cannotBeTrusted, openOutbox, readPolicy, type Opened, type Outbox } from './read-outbox.ts';
import { outboxAhead } from './outbox-ahead.ts';
import { readRecord, updateRecord, type PartnerRecord } from './record.ts';
import { readSent } from './sent-releases.ts';

export interface Answers extends Outbox {
  /** With the keys that count from now on. */
  readonly partnership: Partnership;
  /** A new accept key that nobody has confirmed yet. */
  readonly pending: PendingKeys | undefined;
  /** The releases to which the partner's last word is "no". */
  readonly rejections: PartnerRecord['rejections'];
}

/**
 * @param highest the highest number of a release that was ever pushed to this partner
 * @throws TIEUP_E_VERIFY when something in the outbox cannot be believed; what was known stays known.
 */
export async function takeInAnswers(
  site: MainSite,
  partnership: Partnership,
  given: FileTree,
  highest: number,
): Promise<Answers> {
  const exchange = outboxAhead(given).tree;
  const { partnership: known, pending } = await takeInKeys(site, partnership, exchange);
  const { decision, receipt } = await openOutbox(exchange, known);
  try {
    const record = await readRecord(site, known.id);
    const decided = await takeInDecision(site, known, exchange, decision, record, highest);
    const received = await takeInReceipt(site, known.id, receipt, { ...record, ...decided });
    await updateRecord(site, known.id, { ...decided, receipt: received, lastContact: instant(site.clock.now()) });
    await noteDown(site, known.id, record, { ...decided, receipt: received });
    const { rejections } = decided;
    return { decision: decision?.statement, receipt: receipt?.statement, partnership: known, pending, rejections };
  } catch (error) {
    throw error instanceof RefusedAnswer ? await keepRefused(site, known.id, error) : error;
  }
}

/** What this machine heard for the first time. */
async function noteDown(
  { history }: MainSite,
  partner: string,
  before: PartnerRecord,
  { decisions, last, receipt }: Decided & Pick<PartnerRecord, 'receipt'>,
): Promise<void> {
  const digest = decisions.at(-1);
  if (digest !== before.decisions.at(-1) && last !== null)
    await history.add({ action: 'answer', partner, release: last.release, digest, detail: last.verdict });
  if (receipt !== null && receipt.published !== before.receipt?.published)
    await history.add({
      action: 'receipt',
      partner,
      release: receipt.release,
      digest: receipt.published,
      detail: receipt.state,
    });
}

type Decided = Pick<PartnerRecord, 'decisions' | 'last' | 'consent' | 'rejections'>;

async function takeInDecision(
  site: MainSite,
  partnership: Partnership,
  exchange: FileTree,
  newest: Opened<Decision> | undefined,
  { decisions, last, consent, rejections }: PartnerRecord,
  highest: number,
): Promise<Decided> {
  const { id } = partnership;
  const seen = decisions.at(-1);
  if (newest === undefined) {
    if (seen === undefined) return { decisions, last, consent, rejections };
    throw new TieupError(
      'TIEUP_E_VERIFY',
      `the outbox of ${id} went back in time: decision ${decisions.length} was there and is gone`,
      { hint: 'ask the partner; a restored backup does this, and so does a thief' },
    );
  }
  const seenNote = seen === undefined ? undefined : await readKept(site, id, decisions.length, seen);
  const links = await followChain(exchange, partnership, newest, decisions, seenNote);
  const policy = links.some(({ decision, isVouchedFor }) => !isVouchedFor && decision.by === 'policy')
    ? await readPolicy(exchange, partnership)
    : undefined;
  let before: Before = { last, consent, rejections };
  for (const link of links) {
    if (!link.isVouchedFor) await assertCounts(site, id, link, before, highest, policy?.statement);
    before = after(before, link.decision);
  }
  if (policy !== undefined) await keepNote(site, id, `policies/${sha256(policy.note).slice(0, 16)}.note`, policy.note);
  for (const { decision, digest, note } of links) await keepNote(site, id, keptName(decision.seq, digest), note);
  return { decisions: [...decisions, ...links.map(({ digest }) => digest)], ...before };
}

async function assertCounts(
  site: MainSite,
  partner: string,
  { decision, note }: Link,
  before: Before,
  highest: number,
  policy: AcceptPolicy | undefined,
): Promise<void> {
  const named = await readSent(site, partner, decision.release);
  const { consent } = before;
  const isPolicy = decision.by === 'policy' && consent !== null;
  const base = isPolicy ? await readSent(site, partner, consent.release) : undefined;
  const accepted = base?.releaseDigest === consent?.releaseDigest ? base : undefined;
  const fault = decisionFault(decision, before, { highest, named, accepted }, policy, site.clock.now());
  if (fault === undefined) return;
  const proof = new Map([[`received-${decision.seq}.note`, note]]);
  throw new RefusedAnswer(cannotBeTrusted(partner, `its decision ${decision.seq} ${fault}`), proof);
}

async function takeInReceipt(
  site: MainSite,
  partner: string,
  opened: Opened<Receipt> | undefined,
  { decisions, receipt: seen }: PartnerRecord,
): Promise<PartnerRecord['receipt']> {
  if (opened === undefined) return seen;
  const { statement: receipt, note } = opened;
  const seq = decisions.indexOf(receipt.decision) + 1;
  const { publication, published, release, releaseDigest, state } = receipt;
  const proof = new Map([['receipt.note', note]]);
  const kept = seq === 0 ? undefined : await readKept(site, partner, seq, receipt.decision);
  const decision = kept && parseDecision(claimedText(kept));
  const fault = receiptFault(receipt, seq, decision, site.clock.now());
  if (fault !== undefined) throw new RefusedAnswer(cannotBeTrusted(partner, `its receipt ${fault}`), proof);
  const back = receiptWentBack(receipt, seq, seen);
  if (back !== undefined) {
    const before = seen && (await readIfThere(site.files, receiptPath(partner, seen), MAX_DECISION_NOTE));
    if (before !== null && before !== undefined) proof.set('seen-receipt.note', before);
    throw new RefusedAnswer(`the outbox of ${partner} went back in time: ${back}`, proof);
  }
  const next = { seq, publication, published, release, releaseDigest, state };
  await keepNote(site, partner, receiptName(next), note);
  return next;
}

async function readKept(site: MainSite, partner: string, seq: number, digest: string): Promise<Uint8Array | undefined> {
  return readIfThere(site.files, cachePath(partner, `answers/${keptName(seq, digest)}`), MAX_DECISION_NOTE);
}

function keptName(seq: number, digest: string): string {
  return `decisions/${seq}-${digest.slice(0, 16)}.note`;
}

function receiptName({ seq, publication, published }: NonNullable<PartnerRecord['receipt']>): string {
  return `receipts/${seq}-${publication}-${published.slice(0, 16)}.note`;
}

function receiptPath(partner: string, receipt: NonNullable<PartnerRecord['receipt']>): string {
  return cachePath(partner, `answers/${receiptName(receipt)}`);
}
