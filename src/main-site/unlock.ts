/** Removes the lock in a partner's inbox that a push left which was killed. */
import { breakLock, type LockHolder } from '../io/lock.ts';
import { INBOX_LOCK } from '../protocol/exchange.ts';
import type { MainSite } from './main-site.ts';
import { loadPartnership } from './partnerships.ts';

/** Who held it; undefined when there was no lock. Correctness never rests on the lock: see the parent digest of a release. */
export async function unlock(site: MainSite, partner: string): Promise<LockHolder | undefined> {
  const exchange = await site.connect(await loadPartnership(site, partner));
  try {
    const holder = await breakLock(exchange, INBOX_LOCK);
    if (holder !== undefined) await site.history.add({ action: 'unlock', partner, detail: `held by ${holder.who}` });
    return holder;
  } finally {
    await exchange.close();
  }
}
