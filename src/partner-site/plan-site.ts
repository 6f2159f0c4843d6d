/** Plans the merge of a release with this site as it is now: originals, slots, live tree and remembered choices. */
import type { Choices } from '../merge/choices.ts';
import { planMerge, type MergePlan } from '../merge/plan.ts';
import type { Release } from '../protocol/release.ts';
import type { Terms } from '../protocol/terms.ts';
import { resolvePlan } from '../publish/compose.ts';
import { survey } from '../publish/survey.ts';
import type { PartnerSite } from './partner-site.ts';
import { readSlots } from './read-slots.ts';

export interface SitePlan {
  readonly plan: MergePlan;
  /** Slot files that fill nothing. */
  readonly unusedSlotFiles: readonly string[];
}

/** Reads only; slot contents become objects in the state. */
export async function planSite(
  site: PartnerSite,
  { release, terms }: { readonly release: Release; readonly terms: Terms },
  choices: Choices,
): Promise<SitePlan> {
  const slots = await readSlots(site, release, terms);
  const found = await survey(site.ports, { ...site.layout, mount: terms.mount }, release);
  // Digests of pages with filled slots: only so can be said which of them change.
  const plan = await resolvePlan(planMerge({ ...found, release, slots: slots.contents, choices }), site.objects);
  return { plan, unusedSlotFiles: slots.unused };
}
