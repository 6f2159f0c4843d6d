/**
 * What a partner's manager allows `tieup accept --auto` to accept without asking; the body of a note of the accept key.
 * Terms, scripts and what the terms' own policy forbids are never accepted by policy, whatever this says.
 */
import type { Decision } from './decision.ts';
import { canonical, fieldReader, parseFields, renderFields, type FieldShape } from './fields.ts';
import { PARTNER_ID } from './names.ts';

export interface AcceptPolicy {
  readonly partner: string;
  /** Most files that may be new or changed in one release; null for any number. */
  readonly maxChanged: number | null;
  /** Most files that may go away in one release; null for any number. */
  readonly maxRemoved: number | null;
  readonly from: string;
  readonly until: string;
}

/** A release that is to be accepted by policy, against the one that was accepted before it. */
export interface PolicyCase {
  /** When it is accepted. */
  readonly at: string;
  /** Nothing was accepted before, or the consent to it was taken back. */
  readonly isFirst: boolean;
  /** What the manager decided before is not to be overruled: see {@link standsAgainst}. */
  readonly against: 'rejected' | 'rollback' | 'newer' | undefined;
  readonly termsChange: boolean;
  /** Scripts and the like in files which the release before did not have. */
  readonly isActive: boolean;
  /** Files that are new or changed, and that go away. */
  readonly changed: number;
  readonly removed: number;
}

/** The fault that tells the manager nothing new. */
export const REJECTED = 'the manager rejected it';

export const POLICY_TYPE = 'tieup-policy/1';
export const MAX_POLICY_NOTE = 8 * 1024;

const SHAPE: FieldShape<'partnership' | 'max-changed' | 'max-removed' | 'time'> = [
  ['partnership', 1],
  ['max-changed', 1],
  ['max-removed', 1],
  ['time', 2],
];

export function renderPolicy(policy: AcceptPolicy): string {
  return renderFields(POLICY_TYPE, SHAPE, {
    partnership: [policy.partner],
    'max-changed': [policy.maxChanged === null ? '-' : String(policy.maxChanged)],
    'max-removed': [policy.maxRemoved === null ? '-' : String(policy.maxRemoved)],
    time: [policy.from, policy.until],
  });
}

/**
 * Why a policy does not cover a case, in words; empty when it does. The partner asks before it decides, and the main site when it
 * is shown the decision: whoever holds the site key alone gets no further than this.
 */
export function faultsUnderPolicy(policy: AcceptPolicy, given: PolicyCase): string[] {
  const { maxChanged, maxRemoved, from, until } = policy;
  const faults: string[] = [];
  if (given.at > until) faults.push(`the policy was good until ${until}`);
  if (given.at < from) faults.push(`the policy is in force since ${from} only`);
  if (given.against === 'rejected') faults.push(REJECTED);
  if (given.against === 'rollback') faults.push('the manager went back to an earlier release');
  if (given.against === 'newer') faults.push('a newer release was decided on before');
  if (given.isFirst) faults.push('it is the first release of this partnership');
  if (given.termsChange) faults.push('the terms change');
  if (given.isActive) faults.push('it brings scripts or other active content');
  if (maxChanged !== null && given.changed > maxChanged)
    faults.push(`${given.changed} files are new or changed, more than ${maxChanged}`);
  if (maxRemoved !== null && given.removed > maxRemoved)
    faults.push(`${given.removed} files go away, more than ${maxRemoved}`);
  return faults;
}

/**
 * How what was decided before stands against a release: the last decision was the way back to an earlier one, the last one on
 * this very release was a "no", which no decision on another release takes back, or the last one was on a newer release: by policy
 * nothing goes back.
 */
export function standsAgainst(
  last: Pick<Decision, 'verdict' | 'release'> | undefined,
  { release }: Pick<Decision, 'release'>,
  isRejected: boolean,
): PolicyCase['against'] {
  if (last?.verdict === 'rollback') return 'rollback';
  if (isRejected) return 'rejected';
  return last !== undefined && last.release > release ? 'newer' : undefined;
}

/** @throws TIEUP_E_VERIFY when the text is not exactly one policy. */
export function parsePolicy(text: string): AcceptPolicy {
  const read = fieldReader(POLICY_TYPE, parseFields(POLICY_TYPE, SHAPE, text));
  const limit = (name: 'max-changed' | 'max-removed') => (read.text(name) === '-' ? null : read.count(name));
  const policy: AcceptPolicy = {
    partner: read.matching('partnership', 0, PARTNER_ID, 'a partner id'),
    maxChanged: limit('max-changed'),
    maxRemoved: limit('max-removed'),
    from: read.instant('time', 0),
    until: read.instant('time', 1),
  };
  return canonical('the policy', text, policy, renderPolicy);
}
