/** Removes the lock in a partner's inbox that a push left which was killed. */
import { breakLock, type LockHolder } from '../io/lock.ts';
import { INBOX_LOCK } from '../protocol/exchange.ts';
import type { MainSite } from './main-site.ts';
import { loadPartnership } from './partnerships.ts';

/** Who held it; undefined when there was no lock. Correctness never rests on the lock: see the parent digest of a release. */
export async function unlock(site: MainSite, partner: string): Promise<LockHolder | undefined> {
  const exchange = await site.connect(await loadPartnership(site, partner));
  try {
    return await breakLock(exchange, INBOX_LOCK);
  } finally {
    await exchange.close();
  }
}
