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

export async function recoverSite(site: PartnerSite): Promise<Recovery> {
  const recovery = await recover(site.ports, site.layout);
  const number = await finishRollback(site);
  return number === undefined ? recovery : { kind: 'finished', number, leftAlone: [] };
}
