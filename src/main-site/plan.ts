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
import { asTieupError, type Problem, type TieupError } from '../errors.ts';
import { currentTerms } from './current-terms.ts';
import { withDeadline } from './deadline.ts';
import { assertFewDeletions, type Deletions } from './delete-limit.ts';
import { judgeContent } from './judge-content.ts';
import { learnRemote, type RemoteState } from './learn-remote.ts';
import { passOverHeld } from './holds.ts';
import { loadSite } from './load-site.ts';
import type { MainSite } from './main-site.ts';
import { assertInForce, passOver, type PassedOver } from './in-force.ts';
import { describeNext, type PlannedPartner } from './plan-file.ts';
import { changesOf, type PlannedChanges } from './plan-release.ts';
import { planFor } from './draft-release.ts';
import type { NextRelease } from './push.ts';
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
  /** What is asked of one partner is cut off after this; undefined: never. */
  readonly deadlineMs?: number | undefined;
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

async function planOrReport(
  site: MainSite,
  compiled: CompiledSite,
  partnership: Partnership,
  request: PlanRequest,
): Promise<PartnerPlan> {
  const partner = partnership.id;
  try {
    assertInForce(partnership, site.clock.now());
    return await withDeadline(site, partner, request.deadlineMs, async (limited) => {
      const next = await nextRelease(limited, compiled, partnership, await askRemote(limited, partnership));
      assertFewDeletions(partner, next, request);
      await judgeContent(site, partnership, next.plan, next.base);
      return {
        kind: 'planned',
        partner,
        base: next.base?.release.release ?? null,
        plan: changesOf(next.plan),
        planned: describeNext(partner, next),
        scheduled: compiled.scheduled.filter((page) => isFor(page, partnership)),
      };
    });
  } catch (error) {
    return { kind: 'failed', partner, error: asTieupError(error) };
  }
}

/** What a partner's inbox holds. @throws what connecting and verifying throw. */
export async function askRemote(site: MainSite, partnership: Partnership): Promise<RemoteState> {
  const exchange = await site.connect(partnership);
  try {
    return await learnRemote(site, partnership, exchange);
  } finally {
    await exchange.close();
  }
}

/** What a push would make of that. */
export async function nextRelease(
  site: MainSite,
  compiled: CompiledSite,
  partnership: Partnership,
  remote: RemoteState,
): Promise<NextRelease> {
  const { digest: termsDigest } = await currentTerms(site, partnership);
  return { plan: await planFor(site, compiled, partnership, remote, termsDigest), base: remote.base, termsDigest };
}
