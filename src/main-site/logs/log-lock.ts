/** Two tieups that pull, import or send canaries for one partner at the same time would overwrite what the other one keeps. */
import { acquireLock } from '../../io/lock.ts';
import type { MainSite } from '../main-site.ts';
import { logPath } from './log-records.ts';

/** One of a killed process is not waited for. */
const LOCK_MINUTES = 24 * 60;

/** @throws TIEUP_E_LOCKED when another tieup is at work on this partner's logs. */
export async function withLogLock<Result>(
  site: MainSite,
  partner: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const lock = await acquireLock(site.files, logPath(partner, 'lock'), site.owner, site.clock, LOCK_MINUTES, site);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}
