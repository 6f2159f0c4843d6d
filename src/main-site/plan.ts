/**
 * Says what a push would change at each partner, byte for byte, and changes nothing.
 *
 *   pages → site → the release that each inbox holds → difference
 */
import type { Partnership } from '../config/partnership.ts';
import type { CompiledSite } from '../content/site.ts';
import { TieupError } from '../errors.ts';
import { currentTerms } from './current-terms.ts';
import { learnRemote } from './learn-remote.ts';
import { loadSite } from './load-site.ts';
import type { MainSite } from './main-site.ts';
import { assertInForce, loadPartnerships } from './partnerships.ts';
import type { ReleasePlan } from './plan-release.ts';
import { planFor } from './push.ts';

export type PartnerPlan =
  | { readonly kind: 'planned'; readonly partner: string; readonly base: number | null; readonly plan: ReleasePlan }
  | { readonly kind: 'failed'; readonly partner: string; readonly error: TieupError };

/** One plan for each partner that `partners` names by id or tag, for all when it is empty. */
export async function plan(site: MainSite, partners: readonly string[]): Promise<readonly PartnerPlan[]> {
  const partnerships = await loadPartnerships(site, partners);
  const compiled = await loadSite(site.config, site.files);
  const plans: PartnerPlan[] = [];
  for (const partnership of partnerships) plans.push(await planOrReport(site, compiled, partnership));
  return plans;
}

async function planOrReport(site: MainSite, compiled: CompiledSite, partnership: Partnership): Promise<PartnerPlan> {
  const partner = partnership.id;
  try {
    assertInForce(partnership, site.clock.now());
    const exchange = await site.connect(partnership);
    try {
      const remote = await learnRemote(site, partnership, exchange);
      const { digest } = await currentTerms(site, partnership);
      const releasePlan = planFor(compiled, partnership, remote, digest);
      return { kind: 'planned', partner, base: remote.base?.release.release ?? null, plan: releasePlan };
    } finally {
      await exchange.close();
    }
  } catch (error) {
    if (!(error instanceof TieupError)) throw error;
    return { kind: 'failed', partner, error };
  }
}
