/** Which of a partner's values a page needs, whether they can stand where the page has them, and what they can bring about. */
import type { Problem } from '../errors.ts';
import { valueFault } from './encode.ts';
import type { CompiledPage } from './page.ts';
import { pageAddress } from './render.ts';
import type { ValueHole } from './segment.ts';
import type { PartnerView } from './source.ts';
import { missingPartnerValue, partnerValue } from './variables.ts';

/** The holes of a page whose values have to be there, each once. */
export function needsOf(page: CompiledPage): readonly ValueHole[] {
  const needs = new Map<string, ValueHole>();
  for (const segment of page.segments) {
    if (segment instanceof Uint8Array || segment.kind !== 'value' || segment.variable.kind !== 'partner') continue;
    const key = holeKey(segment);
    if (!needs.has(key)) needs.set(key, segment);
  }
  return [...needs.values()];
}

/** The holes of a page whose values decide what it loads, or where it sends what a visitor enters. */
export function actingHoles(page: CompiledPage): readonly ValueHole[] {
  return page.segments.filter((segment): segment is ValueHole => {
    if (segment instanceof Uint8Array || segment.kind !== 'value') return false;
    return segment.context !== 'text' && segment.context !== 'attribute' && segment.follow !== true;
  });
}

/**
 * Equal for two partners when the page differs between them in nothing that a browser acts on by itself: then what is said of
 * one holds for the other. `acting` are its {@link actingHoles}.
 */
export function actingValues(page: CompiledPage, acting: readonly ValueHole[], partner: PartnerView): string {
  const values = acting.map(({ variable }) => {
    if (variable.kind === 'partner') return partnerValue(partner, variable.name) ?? null;
    if (variable.kind === 'page-address') return pageAddress(page, partner, variable.which);
    // No two partners are taken for alike: releases are counted for each of them.
    return ['since', partner.id];
  });
  return JSON.stringify([partner.mount, partner.search, values]);
}

/** What is wrong with the values of `partner` for these holes, once for each value and kind of hole. */
export function valueProblems(holes: readonly ValueHole[], partner: PartnerView): Problem[] {
  const problems: Problem[] = [];
  const checked = new Set<string>();
  for (const hole of holes) {
    const key = holeKey(hole);
    if (checked.has(key)) continue;
    checked.add(key);
    const message = holeFault(hole, partner);
    if (message !== undefined) problems.push({ ...hole.place, message });
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
