/**
 * Says what a push would change at each partner, byte for byte, and changes nothing; what a push would refuse, it refuses.
 *
 *   pages → site → the release that each inbox holds → difference
 */
import pLimit from 'p-limit';
import type { Partnership } from '../config/partnership.ts';
import type { ScheduledPage } from '../content/schedule.ts';
import type { CompiledSite } from '../content/compiled-site.ts';
import { isFor } from '../content/source.ts';
import { TieupError, type Problem } from '../errors.ts';
import { currentTerms } from './current-terms.ts';
import { assertFewDeletions, type Deletions } from './delete-limit.ts';
import { judgeContent } from './judge-content.ts';
import { learnRemote } from './learn-remote.ts';
import { passOverHeld } from './holds.ts';
import { loadSite } from './load-site.ts';
import type { MainSite } from './main-site.ts';
import { assertInForce, passOver, type PassedOver } from './in-force.ts';
import { describeNext, PLAN_AGAIN, whyOther, type PlannedPartner } from './plan-file.ts';
import { changesOf, type PlannedChanges } from './plan-release.ts';
import { planFor } from './draft-release.ts';
import { selectPartners, type Selection } from './select-partners.ts';

export type PartnerPlan =
  | {
      readonly kind: 'planned';
      readonly partner: string;
      readonly base: number | null;
      readonly plan: PlannedChanges;
      /** What a plan that is saved says of it. */
      readonly planned: PlannedPartner;
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

export interface PlanRequest extends Selection, Deletions {
  readonly concurrency: number;
  /** When the push would be made, since pages come and go by date; now unless given. */
  readonly at?: Date | undefined;
}

/** One plan for each partner that is named by id or tag; where nobody is named, for all whose contract is in force. */
export async function plan(site: MainSite, request: PlanRequest): Promise<Plans> {
  const selected = await selectPartners(site, request);
  const inForce = passOver(selected, request.partners, site.clock.now());
  const { served, passedOver } = await passOverHeld(site, inForce, request.partners);
  const compiled = await loadSite(site, request.at ?? site.clock.now());
  const limit = pLimit(request.concurrency);
  const plans = await Promise.all(
    served.map((partnership) => limit(() => planOrReport(site, compiled, partnership, request))),
  );
  return { plans, passedOver, warnings: compiled.warnings };
}

/**
 * Before anything is pushed by a saved plan: what a push would do now is exactly that, at each of the partners.
 * @throws TIEUP_E_DRIFT with every difference; the error itself of a partner that cannot be asked
 */
export async function assertStillPlanned(
  site: MainSite,
  planned: ReadonlyMap<string, PlannedPartner>,
  concurrency: number,
): Promise<void> {
  // Those that were planned are named, so that a contract which is over by now is a refusal and not passed over.
  const { plans } = await plan(site, {
    partners: [...planned.keys()],
    concurrency,
    // Whoever planned it looked at what goes, and may have allowed it.
    confirmed: new Set(planned.keys()),
  });
  const [failed] = plans.flatMap((each) => (each.kind === 'failed' ? [each.error] : []));
  if (failed !== undefined) throw failed;
  const problems = plans.flatMap((each) => {
    const expected = planned.get(each.partner);
    const why = each.kind === 'failed' || expected === undefined ? undefined : whyOther(expected, each.planned);
    return why === undefined ? [] : [{ message: why }];
  });
  if (problems.length === 0) return;
  throw new TieupError('TIEUP_E_DRIFT', 'the world is not what it was when this was planned', {
    problems,
    hint: PLAN_AGAIN,
  });
}

async function planOrReport(
  site: MainSite,
  compiled: CompiledSite,
  partnership: Partnership,
  deletions: Deletions,
): Promise<PartnerPlan> {
  const partner = partnership.id;
  try {
    assertInForce(partnership, site.clock.now());
    const exchange = await site.connect(partnership);
    try {
      const remote = await learnRemote(site, partnership, exchange);
      const { base } = remote;
      const { digest: termsDigest } = await currentTerms(site, partnership);
      const next = { plan: await planFor(site, compiled, partnership, remote, termsDigest), base, termsDigest };
      assertFewDeletions(partner, next, deletions);
      await judgeContent(site, partnership, next.plan, base);
      return {
        kind: 'planned',
        partner,
        base: base?.release.release ?? null,
        plan: changesOf(next.plan),
        planned: describeNext(partner, next),
        scheduled: compiled.scheduled.filter((page) => isFor(page, partnership)),
      };
    } finally {
      await exchange.close();
    }
  } catch (error) {
    if (!(error instanceof TieupError)) throw error;
    return { kind: 'failed', partner, error };
  }
}
