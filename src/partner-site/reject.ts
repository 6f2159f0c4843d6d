/**
 * The manager says no to the release in the inbox.
 *
 *   open → decision "rejected" with a reason → outbox
 *
 * Nothing that is live changes. The main site sees the reason, and the manager may still accept later.
 */
import { TieupError } from '../errors.ts';
import { MAX_REASON, type Decision } from '../protocol/decision.ts';
import { readAccepted } from './accepted-release.ts';
import { signDecision } from './decide.ts';
import { isLive } from './go-live.ts';
import { openRelease } from './open-release.ts';
import type { PartnerSite } from './partner-site.ts';
import { recoverSite, withLock } from './recover-site.ts';

/** @throws what opening the release throws; TIEUP_E_CONFLICT when it is live already. */
export async function reject(site: PartnerSite, reason: string): Promise<Decision> {
  if (reason.length > MAX_REASON)
    throw new TieupError('TIEUP_E_USAGE', `the reason is longer than ${MAX_REASON} characters`);
  return withLock(site, async () => {
    await recoverSite(site);
    const opened = await openRelease(site, await readAccepted(site));
    const { release, releaseDigest, termsDigest } = opened;
    if (await isLive(site, releaseDigest)) {
      throw new TieupError('TIEUP_E_CONFLICT', `release ${release.release} is live already`, {
        hint: 'to take it back: tieup rollback',
      });
    }
    const { decision } = await signDecision(site, {
      release: release.release,
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
