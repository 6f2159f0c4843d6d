/**
 * What a partner's manager allows `tieup accept --auto` to accept without asking; the body of a note of the accept key.
 * Terms, scripts and what the terms' own policy forbids are never accepted by policy, whatever this says.
 */
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
