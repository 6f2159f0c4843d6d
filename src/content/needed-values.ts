/** Which of a partner's values a page needs, whether they can stand where the page has them, and what they can bring about. */
import type { Problem } from '../errors.ts';
import { both, holds, not, type ConditionFacts, type Decision } from './condition.ts';
import { valueFault, type HoleContext } from './encode.ts';
import type { CompiledPage } from './compiled-page.ts';
import { pageAddress } from './render.ts';
import type { Choice, Segment, ValueHole } from './segment.ts';
import { isOwnPicture } from './shape.ts';
import type { PartnerView } from './source.ts';
import { missingPartnerValue, partnerValue } from './variables.ts';

/** A hole whose value has to be there for a partner that gets the branches in which it stands. */
export interface Need {
  readonly hole: ValueHole;
  /** The same for holes that one look at the value answers for. */
  readonly key: string;
  readonly when: Decision;
}

/** The holes of a page whose values have to be there, each once unless it depends on a condition. */
export function needsOf(page: CompiledPage): readonly Need[] {
  const needs = new Map<string, Need>();
  const conditional: Need[] = [];
  const visit = (segments: readonly Segment[], when: Decision): void => {
    for (const segment of segments) {
      if (segment instanceof Uint8Array) continue;
      if (segment.kind === 'choice') {
        visit(segment.yes, both(when, segment.condition));
        visit(segment.no, both(when, not(segment.condition)));
      } else if (segment.kind === 'value' && segment.variable.kind === 'partner') {
        const key = holeKey(segment);
        if (when !== true) conditional.push({ hole: segment, key, when });
        else if (!needs.has(key)) needs.set(key, { hole: segment, key, when });
      }
    }
  };
  visit(page.segments, true);
  return [...needs.values(), ...conditional];
}

/** Where a value is only shown or read. */
const PASSIVE: ReadonlySet<HoleContext> = new Set(['text', 'attribute', 'colour', 'json']);

/** What of a page may act by itself: a value that decides what it loads or where it sends what is entered, and a choice of parts. */
export type Acting = ValueHole | Choice<Segment>;

/** The holes and choices of a page that decide what it loads, or where it sends what a visitor enters. */
export function actingHoles({ segments }: Pick<CompiledPage, 'segments'>): readonly Acting[] {
  return segments.flatMap((segment): Acting[] => {
    if (segment instanceof Uint8Array) return [];
    if (segment.kind === 'choice') {
      return [segment, ...actingHoles({ segments: segment.yes }), ...actingHoles({ segments: segment.no })];
    }
    if (segment.kind !== 'value') return [];
    return PASSIVE.has(segment.context) || segment.follow === true ? [] : [segment];
  });
}

/**
 * Equal for two partners when the page differs between them in nothing that a browser acts on by itself: then what is said of
 * one holds for the other. `acting` are its {@link actingHoles}.
 */
export function actingValues(page: CompiledPage, acting: readonly Acting[], facts: ConditionFacts): string {
  const { partner } = facts;
  const values = acting.map((each) => {
    if (each.kind === 'choice') return holds(each.condition, facts);
    const { variable } = each;
    if (variable.kind === 'partner') {
      const value = partnerValue(partner, variable.name);
      return isOwnPicture(value, partner) ? true : (value ?? null);
    }
    if (variable.kind === 'page-address') return pageAddress(page, partner, variable.which);
    // No two partners are taken for alike: releases and pages are counted for each of them.
    return [variable.kind, partner.id];
  });
  return JSON.stringify([partner.mount, partner.search, values]);
}

/** What is wrong with the values of the partner for what these pages need, once for each value and kind of hole. */
export function valueProblems(pages: Iterable<readonly Need[]>, facts: ConditionFacts): Problem[] {
  const problems: Problem[] = [];
  const checked = new Set<string>();
  for (const needs of pages) {
    for (const { hole, key, when } of needs) {
      if (checked.has(key) || !(typeof when === 'boolean' ? when : holds(when, facts))) continue;
      checked.add(key);
      const message = holeFault(hole, facts.partner);
      if (message !== undefined) problems.push({ ...hole.place, message });
    }
  }
  return problems;
}

function holeKey({ variable, context }: ValueHole): string {
  return variable.kind === 'partner' ? `${context} ${variable.name}` : `${context} ${variable.kind}`;
}

function holeFault({ variable, context }: ValueHole, partner: PartnerView): string | undefined {
  if (variable.kind !== 'partner') return undefined;
  const value = partnerValue(partner, variable.name);
  if (value === undefined) return missingPartnerValue(partner, variable.name);
  const fault = valueFault(value, context);
  if (fault === undefined) return undefined;
  return `the value ${JSON.stringify(value)} of \`partner.${variable.name}\` for partner "${partner.id}" ${fault}`;
}
