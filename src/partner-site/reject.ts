/**
 * The manager says no to the release in the inbox.
 *
 *   metadata → decision "rejected" with a reason → outbox
 *
 * Nothing that is live changes. The main site sees the reason, and the manager may still accept later. A "no" needs only what
 * identifies the release: one that brings what the terms forbid, or that is not even complete, can be rejected like any other.
 */
import { TieupError } from '../errors.ts';
import { MAX_REASON, type Decision } from '../protocol/decision.ts';
import { signDecision } from './decide.ts';
import { isLive } from './go-live.ts';
import { identifyRelease } from './identify-release.ts';
import type { PartnerSite } from './partner-site.ts';
import { recoverSite, withLock } from './recover-site.ts';

/** @throws what verifying the metadata throws; TIEUP_E_CONFLICT when it is live already. */
export async function reject(site: PartnerSite, reason: string): Promise<Decision> {
  if (reason.length > MAX_REASON)
    throw new TieupError('TIEUP_E_USAGE', `the reason is longer than ${MAX_REASON} characters`);
  return withLock(site, async () => {
    await recoverSite(site);
    const { number, releaseDigest, termsDigest } = await identifyRelease(site);
    if (await isLive(site, releaseDigest)) {
      throw new TieupError('TIEUP_E_CONFLICT', `release ${number} is live already`, {
        hint: 'to take it back: tieup rollback',
      });
    }
    const { decision } = await signDecision(site, {
      release: number,
      releaseDigest,
      terms: termsDigest,
      merge: null,
      verdict: 'rejected',
      by: 'manager',
      reason,
    });
    return decision;
  });
}
