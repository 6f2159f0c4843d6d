/** One word for where a partner stands, from what was pushed, what it answered and what its inbox holds; and what to do next. */
import type { Partnership } from '../config/partnership.ts';
import { instant } from '../protocol/instant.ts';
import type { ReceiptState } from '../protocol/receipt.ts';
import { whyNotInForce } from './in-force.ts';
import { receiptFollows, type Outbox } from './read-outbox.ts';
import type { PartnerRecord } from './record.ts';

/** Worst first; `status` lists partners in this order. */
export const STATES = [
  'failed',
  'rejected',
  'drifted',
  'expired',
  'suspended',
  'ended',
  'never',
  'pending',
  'accepted',
  'held',
  'left',
  'live',
] as const;
export type PartnerState = (typeof STATES)[number];

/** A state, and in words what it does not say. */
export type Judgement = readonly [state: PartnerState, detail: string | null];

/** What a partner answered last. */
interface Answered {
  readonly decision: { readonly releaseDigest: string; readonly expires: string | undefined } | undefined;
  readonly receipt: { readonly state: ReceiptState; readonly release: number } | undefined;
  /** The receipt belongs to the decision. */
  readonly isCarriedOut: boolean;
}

/** The state of a partner from what was pushed and what it answered. */
export function judge(record: PartnerRecord, outbox: Outbox, now: Date): Judgement {
  const { decision, receipt } = outbox;
  return judgeAnswered(record, { decision, receipt, isCarriedOut: receiptFollows(outbox) }, now);
}

/** The same from what is known on this machine, without asking anybody. */
export function judgeRecord(record: PartnerRecord, now: Date): Judgement {
  const { last, receipt, decisions } = record;
  return judgeAnswered(
    record,
    {
      decision: last === null ? undefined : { releaseDigest: last.releaseDigest, expires: undefined },
      receipt: receipt ?? undefined,
      isCarriedOut: receipt !== null && receipt.seq === decisions.length,
    },
    now,
  );
}

function judgeAnswered(record: PartnerRecord, { decision, receipt, isCarriedOut }: Answered, now: Date): Judgement {
  const { pushed, failure } = record;
  if (failure !== null) return ['failed', failure.message];
  if (pushed === null) return ['never', null];
  if (receipt?.state === 'left') return ['left', 'the partner has taken all tie-up pages away'];
  if (receipt?.state === 'held') return ['held', `the partner holds release ${receipt.release} until it resumes`];
  const rejection = record.rejections.find(({ releaseDigest }) => releaseDigest === pushed.releaseDigest);
  if (rejection !== undefined) return ['rejected', rejection.reason];
  if (decision === undefined || decision.releaseDigest !== pushed.releaseDigest) return ['pending', null];
  if (isCarriedOut) return ['live', null];
  if (decision.expires === undefined || instant(now) <= decision.expires)
    return ['accepted', 'confirmed, not yet published'];
  return ['pending', `it was confirmed, but not published by ${decision.expires}; it has to be confirmed again`];
}

/** The state that a contract gives which is not in force; undefined when what was pushed and answered counts. */
export function judgeContract(partnership: Partnership, now: Date): readonly [PartnerState, string] | undefined {
  const why = whyNotInForce(partnership, now);
  switch (why?.kind) {
    case undefined:
    case 'early':
      return undefined;
    case 'invited':
      return ['never', 'invited, has not joined yet'];
    case 'suspended':
      return ['suspended', why.message];
    case 'ended':
    case 'over':
      return ['ended', why.message];
  }
}

/** The command that brings a partner on; null where it is for the partner to act, or nothing is to be done. */
export function nextCommand({ id, invitation }: Partnership, state: PartnerState, isReached: boolean): string | null {
  switch (state) {
    case 'failed':
      return `tieup ${isReached ? 'push' : 'doctor'} ${id}`;
    case 'rejected':
    case 'drifted':
      return `tieup push ${id}`;
    case 'expired':
      return `tieup refresh ${id}`;
    case 'suspended':
      return `tieup partner resume ${id}`;
    case 'never':
      return isReached ? `tieup push ${id}` : invitation === null ? `tieup invite ${id}` : 'tieup enroll';
    case 'pending':
    case 'accepted':
    case 'held':
    case 'left':
    case 'ended':
    case 'live':
      return null;
  }
}
