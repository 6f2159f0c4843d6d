/**
 * The partner manager's signed answer to exactly one release; the body of a signed note (`outbox/decision.note`).
 *
 * It names the digest of everything it depends on: the terms, the release, the choices of the merge, and the decision
 * before it, so that no decision can be used for another release, partner or moment.
 */
import { sha256 } from './digest.ts';
import { canonical, fieldReader, parseFields, renderFields, renderWords, type FieldShape } from './fields.ts';
import { PARTNER_ID } from './names.ts';

export const VERDICTS = ['accepted', 'rejected', 'rollback'] as const;
export type Verdict = (typeof VERDICTS)[number];

export interface Decision {
  readonly partner: string;
  /** SHA-256 of the bytes of `partnership.json`. */
  readonly terms: string;
  /** Rises by one with every decision of a partnership; starts at 1. */
  readonly seq: number;
  /** SHA-256 of the body before; null for the first. */
  readonly previous: string | null;
  readonly release: number;
  /** SHA-256 of `N.targets.json`: the release digest. */
  readonly releaseDigest: string;
  /** Digest of the path choices and slot contents; null when nothing was merged (a rejection). */
  readonly merge: string | null;
  readonly verdict: Verdict;
  /** `policy`: no person was asked; valid only under a policy note of the accept key. */
  readonly by: 'manager' | 'policy';
  readonly time: string;
  readonly expires: string;
  /** Why, in the manager's words; null (or empty) when not given. */
  readonly reason: string | null;
}

export const DECISION_TYPE = 'tieup-decision/1';
/** A decision that nobody carried out within this time means nothing any more; none is good for longer. */
export const DECISION_VALID_DAYS = 30;
export const MAX_REASON = 4000;

const SHAPE: FieldShape<'partnership' | 'seq' | 'release' | 'merge' | 'verdict' | 'by' | 'time' | 'reason'> = [
  ['partnership', 2],
  ['seq', 2],
  ['release', 2],
  ['merge', 1],
  ['verdict', 1],
  ['by', 1],
  ['time', 2],
  ['reason', 1],
];

export function renderDecision(decision: Decision): string {
  return renderFields(DECISION_TYPE, SHAPE, {
    partnership: [decision.partner, decision.terms],
    seq: [String(decision.seq), decision.previous ?? '-'],
    release: [String(decision.release), decision.releaseDigest],
    merge: [decision.merge ?? '-'],
    verdict: [decision.verdict],
    by: [decision.by],
    time: [decision.time, decision.expires],
    reason: [renderWords(decision.reason)],
  });
}

/** @throws TIEUP_E_VERIFY when the text is not exactly one decision. */
export function parseDecision(text: string): Decision {
  const fields = parseFields(DECISION_TYPE, SHAPE, text);
  const read = fieldReader(DECISION_TYPE, fields);
  const decision: Decision = {
    partner: read.matching('partnership', 0, PARTNER_ID, 'a partner id'),
    terms: read.digest('partnership', 1),
    seq: read.count('seq'),
    previous: read.digestOrNone('seq', 1),
    release: read.count('release'),
    releaseDigest: read.digest('release', 1),
    merge: read.digestOrNone('merge'),
    verdict: read.oneOf('verdict', VERDICTS),
    by: read.oneOf('by', ['manager', 'policy']),
    time: read.instant('time', 0),
    expires: read.instant('time', 1),
    reason: read.words('reason', MAX_REASON),
  };
  return canonical('the decision', text, decision, renderDecision);
}

/** What the next decision names as `previous`, and a receipt as the decision it carried out. */
export function decisionDigest(decision: Decision): string {
  return sha256(renderDecision(decision));
}
