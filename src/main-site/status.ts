/**
 * Where each partner stands: what it was sent, what it answered, what is live there.
 *
 *   record → outbox → one word a partner
 */
import pLimit from 'p-limit';
import type { Partnership } from '../config/partnership.ts';
import { TieupError } from '../errors.ts';
import type { Decision } from '../protocol/decision.ts';
import { decisionDigest } from '../protocol/decision.ts';
import { instant } from '../protocol/instant.ts';
import type { Receipt } from '../protocol/receipt.ts';
import { learnRemote } from './learn-remote.ts';
import type { MainSite } from './main-site.ts';
import { loadPartnerships } from './partnerships.ts';
import { readOutbox, receiptFollows, type Outbox } from './read-outbox.ts';
import { readRecord, recordFound, updateRecord, type PartnerRecord } from './record.ts';

/** Worst first; `status` lists partners in this order. */
export const STATES = [
  'failed',
  'rejected',
  'suspended',
  'never',
  'pending',
  'accepted',
  'held',
  'left',
  'live',
] as const;
export type PartnerState = (typeof STATES)[number];

export interface PartnerStatus {
  readonly partner: string;
  readonly state: PartnerState;
  /** The release that was pushed last; null before the first push. */
  readonly pushed: number | null;
  /** The release that is live by the partner's receipt. */
  readonly live: number | null;
  /** The reason of a rejection, the cause of a failure, the end of a contract. */
  readonly detail: string | null;
  readonly decision: Decision | null;
  readonly receipt: Receipt | null;
  readonly lastContact: string | null;
}

/** Asks every partner, a few at a time. */
export async function status(
  site: MainSite,
  partners: readonly string[],
  concurrency: number,
): Promise<readonly PartnerStatus[]> {
  const partnerships = await loadPartnerships(site, partners);
  const limit = pLimit(concurrency);
  const rows = await Promise.all(partnerships.map((partnership) => limit(() => askPartner(site, partnership))));
  return rows.toSorted((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) || (a.partner < b.partner ? -1 : 1));
}

async function askPartner(site: MainSite, partnership: Partnership): Promise<PartnerStatus> {
  const partner = partnership.id;
  const before = await readRecord(site, partner);
  if (partnership.status === 'invited')
    return row(partnership, before, NO_ANSWER, 'never', 'invited, has not joined yet');
  try {
    const exchange = await site.connect(partnership);
    try {
      const outbox = await readOutbox(exchange, partnership);
      await noteDecision(site, partner, outbox);
      // Another machine may have pushed since, or this one never did.
      const { base } = await learnRemote(site, partnership, exchange);
      if (base !== undefined) await recordFound(site, partner, base);
      const record = await readRecord(site, partner);
      if (partnership.status !== 'active')
        return row(partnership, record, outbox, 'suspended', `the partnership is ${partnership.status}`);
      return row(partnership, record, outbox, ...judge(record, outbox));
    } finally {
      await exchange.close();
    }
  } catch (error) {
    if (!(error instanceof TieupError)) throw error;
    return row(partnership, before, NO_ANSWER, 'failed', error.message);
  }
}

const NO_ANSWER: Outbox = { decision: undefined, receipt: undefined };

/** The state of a partner from what was pushed and what it answered. */
export function judge(record: PartnerRecord, outbox: Outbox): readonly [PartnerState, string | null] {
  const { pushed, failure } = record;
  const { decision, receipt } = outbox;
  if (failure !== null) return ['failed', failure.message];
  if (pushed === null) return ['never', null];
  if (receipt?.state === 'left') return ['left', 'the partner has taken all tie-up pages away'];
  if (receipt?.state === 'held') return ['held', `the partner holds release ${receipt.release} until it resumes`];
  if (decision === undefined || decision.releaseDigest !== pushed.releaseDigest) return ['pending', null];
  if (decision.verdict === 'rejected') return ['rejected', decision.reason];
  return receiptFollows(outbox) ? ['live', null] : ['accepted', 'confirmed, not yet published'];
}

/**
 * Keeps the highest decision that was seen.
 * @throws TIEUP_E_VERIFY when the outbox holds an older one, or another one under the same number: somebody took an answer back.
 */
export async function noteDecision(site: MainSite, partner: string, { decision }: Outbox): Promise<void> {
  const { decision: seen } = await readRecord(site, partner);
  const lastContact = instant(site.clock.now());
  if (decision === undefined) {
    if (seen !== null) throw takenBack(partner, `decision ${seen.seq} was there and is gone`);
    return updateRecord(site, partner, { lastContact });
  }
  const digest = decisionDigest(decision);
  if (seen !== null && decision.seq < seen.seq)
    throw takenBack(partner, `it holds decision ${decision.seq}, but ${seen.seq} was seen before`);
  if (seen !== null && decision.seq === seen.seq && digest !== seen.digest)
    throw takenBack(partner, `decision ${seen.seq} was another one before`);
  return updateRecord(site, partner, { decision: { seq: decision.seq, digest }, lastContact });
}

function takenBack(partner: string, why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the outbox of ${partner} went back in time: ${why}`, {
    hint: 'ask the partner; a restored backup does this, and so does a thief',
  });
}

function row(
  partnership: Partnership,
  record: PartnerRecord,
  { decision, receipt }: Outbox,
  state: PartnerState,
  detail: string | null,
): PartnerStatus {
  return {
    partner: partnership.id,
    state,
    pushed: record.pushed?.release ?? null,
    live: receipt === undefined || receipt.state === 'left' ? null : receipt.release,
    detail,
    decision: decision ?? null,
    receipt: receipt ?? null,
    lastContact: record.lastContact,
  };
}
