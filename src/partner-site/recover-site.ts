/** What every command at the partner begins with: nobody else is at work, and what a crash left is finished or undone. */
import { recover, type Recovery } from '../publish/recover.ts';
import { finishRollback } from './decided-rollback.ts';
import type { PartnerSite } from './partner-site.ts';

/** Runs `work` alone; a second tieup ends with TIEUP_E_LOCKED. */
export async function withLock<T>(site: PartnerSite, work: () => Promise<T>): Promise<T> {
  const lock = await site.lock();
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/** @param whose a publication that was cut off: where the main site publishes, it is the main site's to finish, unless it must end here */
export async function recoverSite(site: PartnerSite, whose: 'own' | 'any' = 'own'): Promise<Recovery> {
  if (site.publisher === 'main' && whose === 'own') return { kind: 'nothing' };
  const recovery = await recover(site.ports, site.layout);
  const number = await finishRollback(site);
  return number === undefined ? recovery : { kind: 'finished', number, leftAlone: [] };
}
