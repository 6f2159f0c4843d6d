/** Judges what a partner says by what it was sent and what it said before; pure, and in words that follow "its decision 3 …". */
import type { Decision } from '../protocol/decision.ts';
import { DECISION_VALID_DAYS } from '../protocol/decision.ts';
import { fileKey } from '../merge/judge-release.ts';
import { CLOCK_TOLERANCE_MS, instant } from '../protocol/instant.ts';
import { faultsUnderPolicy, standsAgainst, type AcceptPolicy } from '../protocol/policy.ts';
import type { Receipt } from '../protocol/receipt.ts';
import { countDifferences } from '../protocol/release.ts';
import type { PartnerRecord } from './record.ts';
import type { SentRelease } from './sent-releases.ts';

/** What is known of a partner before the decision that is judged. */
export type Before = Pick<PartnerRecord, 'last' | 'consent' | 'rejections'>;

export interface SentBefore {
  /** The highest number of a release that was ever pushed. */
  readonly highest: number;
  /** The release that the decision names by number; undefined when this machine does not know it (any more). */
  readonly named: SentRelease | undefined;
  /** The release of the consent before. */
  readonly accepted: SentRelease | undefined;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Why a decision that is signed as it must be does not count; undefined when it does. */
export function decisionFault(
  decision: Decision,
  before: Before,
  { highest, named, accepted }: SentBefore,
  policy: AcceptPolicy | undefined,
  now: Date,
): string | undefined {
  const { release, releaseDigest, terms, time, expires } = decision;
  if (release > highest) return `names release ${release}, which was never pushed`;
  if (named !== undefined && named.releaseDigest !== releaseDigest)
    return `names another release ${release} than was pushed`;
  if (named !== undefined && named.termsDigest !== terms)
    return `names other terms than release ${release} was sent with`;
  const [from, until] = [Date.parse(time), Date.parse(expires)];
  if (isAhead(time, now)) return `was made on ${time}, and here it is ${instant(now)}`;
  if (named !== undefined && from < Date.parse(named.release.created) - CLOCK_TOLERANCE_MS)
    return `was made on ${time}, before release ${release} was`;
  if (until <= from || until - from > DECISION_VALID_DAYS * DAY_MS)
    return `is good until ${expires}, which is not within ${DECISION_VALID_DAYS} days of ${time}`;
  if (decision.by === 'manager') return undefined;
  if (policy === undefined) return 'is by policy, but there is no policy of the manager';
  if (decision.verdict !== 'accepted') return `is by policy, which can accept alone, and says ${decision.verdict}`;
  const { last, consent, rejections } = before;
  const isComparable = named !== undefined && accepted !== undefined;
  const { changed, removed } = isComparable
    ? countDifferences(accepted.release, named.release)
    : { changed: 0, removed: 0 };
  const [fault] = faultsUnderPolicy(policy, {
    at: time,
    isFirst: consent === null,
    against: standsAgainst(
      last ?? undefined,
      decision,
      rejections.some((each) => each.releaseDigest === releaseDigest),
    ),
    termsChange: consent !== null && consent.terms !== terms,
    isActive: isComparable && bringsActive(accepted, named),
    changed,
    removed,
  });
  return fault === undefined ? undefined : `is by policy, but the policy does not cover it: ${fault}`;
}

/** What is known after it. A consent ends when the partner rejects what it has accepted (protocol, "Leaving"). */
export function after(before: Before, { verdict, release, releaseDigest, terms, reason }: Decision): Before {
  const last = { verdict, release, releaseDigest };
  const others = before.rejections.filter((each) => each.releaseDigest !== releaseDigest);
  const rejections = verdict === 'rejected' ? [...others, { releaseDigest, reason }] : others;
  if (verdict === 'accepted') return { last, consent: { release, releaseDigest, terms }, rejections };
  const isTakenBack = verdict === 'rejected' && before.consent?.releaseDigest === releaseDigest;
  return { last, consent: isTakenBack ? null : before.consent, rejections };
}

const VERDICT_OF_STATE = { live: 'accepted', held: 'rollback', left: 'rejected' } as const;

/**
 * Why a receipt does not count; undefined when it does.
 * @param seq number of the decision that it names; 0 when that is none which was seen
 * @param decision what it says, where it is kept
 */
export function receiptFault(
  receipt: Receipt,
  seq: number,
  decision: Decision | undefined,
  now: Date,
): string | undefined {
  if (seq === 0) return 'follows a decision that was never shown';
  if (isAhead(receipt.time, now)) return `was made on ${receipt.time}, and here it is ${instant(now)}`;
  if (decision === undefined) return undefined;
  if (decision.release !== receipt.release || decision.releaseDigest !== receipt.releaseDigest)
    return `names another release than decision ${seq}, which it follows`;
  if (decision.verdict !== VERDICT_OF_STATE[receipt.state])
    return `says ${receipt.state}, but decision ${seq}, which it follows, says ${decision.verdict}`;
  return undefined;
}

/** Why a receipt cannot come after `seen`; undefined when it can. */
export function receiptWentBack(
  { publication, published, releaseDigest, state }: Receipt,
  seq: number,
  seen: PartnerRecord['receipt'],
): string | undefined {
  if (seen === null || seq > seen.seq) return undefined;
  if (seq < seen.seq) return `it holds a receipt of decision ${seq}, but one of decision ${seen.seq} was seen before`;
  if (publication < seen.publication)
    return `it holds the receipt of publication ${publication}, but that of ${seen.publication} was seen before`;
  const isSame = published === seen.published && releaseDigest === seen.releaseDigest && state === seen.state;
  return publication > seen.publication || isSame
    ? undefined
    : `the receipt of publication ${publication} was another one before`;
}

function bringsActive(accepted: SentRelease, { active }: SentRelease): boolean {
  if (active === null) return false;
  const known = new Set(accepted.release.files.map(fileKey));
  return active.some((each) => !known.has(each));
}

function isAhead(time: string, now: Date): boolean {
  return Date.parse(time) > now.getTime() + CLOCK_TOLERANCE_MS;
}
