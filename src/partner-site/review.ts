/** What the manager is shown before being asked, and what a policy judges. */
import type { Decision } from '../protocol/decision.ts';
import type { Terms } from '../protocol/terms.ts';
import { readAgreedTerms } from './agreed-terms.ts';
import type { AcceptedRelease } from './accepted-release.ts';
import { lastDecisionOn } from './decide.ts';
import type { OpenedRelease } from './open-release.ts';
import type { PartnerSite } from './partner-site.ts';
import type { SitePlan } from './plan-site.ts';

export interface Review extends SitePlan {
  readonly opened: OpenedRelease;
  /** The release that is replaced; undefined for the first. */
  readonly accepted: AcceptedRelease | undefined;
  /** The terms that were agreed to until now; undefined when the release has the same. */
  readonly termsBefore: Terms | undefined;
  /** The manager's "no" to this very release, where that is the last word on it. */
  readonly rejected: Decision | undefined;
}

export async function reviewOf(
  site: PartnerSite,
  opened: OpenedRelease,
  accepted: AcceptedRelease | undefined,
  planned: SitePlan,
): Promise<Review> {
  const answer = await lastDecisionOn(site, opened.releaseDigest);
  const rejected = answer?.verdict === 'rejected' ? answer : undefined;
  return { ...planned, opened, accepted, termsBefore: await termsBefore(site, opened), rejected };
}

/** The terms agreed to until now, when those of the release are others. */
async function termsBefore(site: PartnerSite, { termsDigest }: OpenedRelease): Promise<Terms | undefined> {
  const agreed = await readAgreedTerms(site.state);
  return agreed.digest === termsDigest ? undefined : agreed.terms;
}
