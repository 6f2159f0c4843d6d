/** Questions about a partner which are left when a page is compiled: rendering answers them, once for each partner. */
import { isTrue } from './data.ts';
import type { PartnerView } from './source.ts';
import { partnerValue } from './variables.ts';

export type Condition =
  /** The partner has the value, and it is neither empty nor `false`. */
  | { readonly kind: 'has'; readonly name: string }
  | { readonly kind: 'equals'; readonly name: string; readonly value: string }
  /** The page is among those of the collection that the partner gets, from place `from` up to, without, `to`. */
  | {
      readonly kind: 'listed';
      readonly collection: string;
      readonly page: string;
      readonly from: number;
      readonly to: number;
    }
  /** The partner gets more than `count` pages of the collection. */
  | { readonly kind: 'more-than'; readonly collection: string; readonly count: number }
  | { readonly kind: 'not'; readonly of: Condition }
  | { readonly kind: 'and' | 'or'; readonly left: Condition; readonly right: Condition };

/** What conditions ask for. */
export interface ConditionFacts {
  readonly partner: PartnerView;
  /** Place of the page among those of the collection that the partner gets, from 0; undefined when it is none of them. */
  rank(collection: string, page: string): number | undefined;
  /** How many pages of the collection the partner gets. */
  count(collection: string): number;
}

export function holds(condition: Condition, facts: ConditionFacts): boolean {
  switch (condition.kind) {
    case 'has':
      return isTrue(partnerValue(facts.partner, condition.name) ?? null);
    case 'equals':
      return partnerValue(facts.partner, condition.name) === condition.value;
    case 'listed': {
      const rank = facts.rank(condition.collection, condition.page);
      return rank !== undefined && rank >= condition.from && rank < condition.to;
    }
    case 'more-than':
      return facts.count(condition.collection) > condition.count;
    case 'not':
      return !holds(condition.of, facts);
    case 'and':
      return holds(condition.left, facts) && holds(condition.right, facts);
    case 'or':
      return holds(condition.left, facts) || holds(condition.right, facts);
  }
}

/** A condition as far as it is decided without a partner. */
export type Decision = boolean | Condition;

export function not(of: Decision): Decision {
  if (typeof of === 'boolean') return !of;
  return of.kind === 'not' ? of.of : { kind: 'not', of };
}

export function both(left: Decision, right: Decision): Decision {
  if (left === false || right === false) return false;
  if (left === true) return right;
  return right === true ? left : { kind: 'and', left, right };
}

export function either(left: Decision, right: Decision): Decision {
  if (left === true || right === true) return true;
  if (left === false) return right;
  return right === false ? left : { kind: 'or', left, right };
}
