/** Whether the contract with a partner is in force. Needs nothing that reads files: a push with nothing to do asks it, too. */
import type { Partnership } from '../config/partnership.ts';
import { TieupError } from '../errors.ts';

/** What of a partnership says whether it is in force. */
export type Contract = Pick<Partnership, 'id' | 'status' | 'period' | 'suspendedUntil' | 'suspendedFor' | 'invitation'>;

/** Why nothing may be pushed, and since or until when. */
export interface NotInForce {
  /** `early`: the first day is still to come; `over`: the last day has passed. */
  readonly kind: 'invited' | 'suspended' | 'ended' | 'early' | 'over';
  readonly message: string;
  readonly hint: string;
}

/** Whether the contract is in force at `now`; undefined when it is. Live pages are never touched, whatever it says. */
export function whyNotInForce(partnership: Contract, now: Date): NotInForce | undefined {
  const { id, status, period } = partnership;
  const today = now.toISOString().slice(0, 10);
  if (status === 'suspended') {
    return {
      kind: 'suspended',
      message: suspensionText(partnership, today),
      hint: `when it goes on: tieup partner resume ${id}; live pages stay`,
    };
  }
  if (status === 'ended') {
    const hint = 'live pages stay until the partner removes them with tieup leave';
    return { kind: 'ended', message: `the partnership with ${id} has ended`, hint };
  }
  if (status === 'invited') {
    return { kind: 'invited', ...invitedText(partnership, now) };
  }
  if (today < period.from) {
    const hint = `change the period in partners/${id}.yaml if that is wrong`;
    return { kind: 'early', message: `the contract with ${id} begins on ${period.from}`, hint };
  }
  if (period.until !== null && today > period.until) {
    const hint = `change the period in partners/${id}.yaml when it is extended; live pages stay`;
    return { kind: 'over', message: `the contract with ${id} was over on ${period.until}`, hint };
  }
  return undefined;
}

function invitedText({ id, invitation }: Contract, now: Date): { readonly message: string; readonly hint: string } {
  const message = `${id} has not joined yet`;
  if (invitation === null) return { message, hint: `run tieup invite ${id}, and tieup enroll with the answer` };
  const { until } = invitation;
  return now > new Date(until)
    ? { message: `${message}, and its invitation was good until ${until}`, hint: `run tieup invite ${id} again` }
    : { message: `${message}; its invitation is good until ${until}`, hint: 'run tieup enroll with the answer' };
}

/** A date alone never ends a suspension: whoever suspended has to say that its reason is gone. */
function suspensionText({ id, suspendedUntil, suspendedFor }: Contract, today: string): string {
  const because = suspendedFor === undefined ? '' : `: ${suspendedFor}`;
  const isSuspended = `the partnership with ${id} is suspended`;
  if (suspendedUntil === undefined) return `${isSuspended}${because}`;
  if (today <= suspendedUntil) return `${isSuspended} until ${suspendedUntil}${because}`;
  return `${isSuspended}; that was until ${suspendedUntil}, but nobody has resumed it${because}`;
}

export interface PassedOver {
  readonly partner: string;
  readonly why: string;
}

/**
 * Who is named gets an answer, a refusal too; where nobody is named, partners who have not joined yet or whose contract is
 * not in force are passed over.
 */
export function passOver<One extends Contract>(
  partnerships: readonly One[],
  named: readonly string[],
  now: Date,
): { readonly served: readonly One[]; readonly passedOver: readonly PassedOver[] } {
  if (named.length > 0) return { served: partnerships, passedOver: [] };
  const served: One[] = [];
  const passedOver: PassedOver[] = [];
  for (const partnership of partnerships) {
    const why = whyNotInForce(partnership, now);
    if (why === undefined) served.push(partnership);
    else passedOver.push({ partner: partnership.id, why: why.message });
  }
  return { served, passedOver };
}

/** @throws TIEUP_E_CONTRACT unless pages may be pushed to this partner at `now`. */
export function assertInForce(partnership: Partnership, now: Date): void {
  const why = whyNotInForce(partnership, now);
  if (why !== undefined) throw new TieupError('TIEUP_E_CONTRACT', why.message, { hint: why.hint });
}
