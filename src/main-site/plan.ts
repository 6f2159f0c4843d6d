/**
 * Says what a push would change at each partner, byte for byte, and changes nothing; what a push would refuse, it refuses.
 *
 *   pages → site → the release that each inbox holds → difference
 */
import type { Partnership } from '../config/partnership.ts';
import type { ScheduledPage } from '../content/schedule.ts';
import type { CompiledSite } from '../content/compiled-site.ts';
import { isFor } from '../content/source.ts';
import { TieupError, type Problem } from '../errors.ts';
import { currentTerms } from './current-terms.ts';
import { judgeContent } from './judge-content.ts';
import { learnRemote } from './learn-remote.ts';
import { loadSite } from './load-site.ts';
import type { MainSite } from './main-site.ts';
import { assertInForce, loadPartnerships, passOver, type PassedOver } from './partnerships.ts';
import type { ReleasePlan } from './plan-release.ts';
import { planFor } from './draft-release.ts';

export type PartnerPlan =
  | {
      readonly kind: 'planned';
      readonly partner: string;
      readonly base: number | null;
      readonly plan: ReleasePlan;
      /** Pages for this partner that come or go by date. */
      readonly scheduled: readonly ScheduledPage[];
    }
  | { readonly kind: 'failed'; readonly partner: string; readonly error: TieupError };

export interface Plans {
  readonly plans: readonly PartnerPlan[];
  readonly passedOver: readonly PassedOver[];
  /** What is worth mending in the pages, such as links that lead nowhere. */
  readonly warnings: readonly Problem[];
}

/**
 * One plan for each partner that `partners` names by id or tag; when it is empty, for all whose contract is in force.
 * @param at when the push would be made: pages come and go by date
 */
export async function plan(site: MainSite, partners: readonly string[], at: Date = site.clock.now()): Promise<Plans> {
  const { served, passedOver } = passOver(await loadPartnerships(site, partners), partners, site.clock.now());
  const compiled = await loadSite(site, at);
  const plans: PartnerPlan[] = [];
  for (const partnership of served) plans.push(await planOrReport(site, compiled, partnership));
  return { plans, passedOver, warnings: compiled.warnings };
}

async function planOrReport(site: MainSite, compiled: CompiledSite, partnership: Partnership): Promise<PartnerPlan> {
  const partner = partnership.id;
  try {
    assertInForce(partnership, site.clock.now());
    const exchange = await site.connect(partnership);
    try {
      const remote = await learnRemote(site, partnership, exchange);
      const { digest } = await currentTerms(site, partnership);
      const releasePlan = await planFor(site, compiled, partnership, remote, digest);
      await judgeContent(site, partnership, releasePlan, remote.base);
      const scheduled = compiled.scheduled.filter((page) => isFor(page, partnership));
      return { kind: 'planned', partner, base: remote.base?.release.release ?? null, plan: releasePlan, scheduled };
    } finally {
      await exchange.close();
    }
  } catch (error) {
    if (!(error instanceof TieupError)) throw error;
    return { kind: 'failed', partner, error };
  }
}
