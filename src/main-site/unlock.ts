/** Removes the locks at a partner that a push left which was killed: of the inbox, and of a publication that it carried out. */
import { breakLock, type LockHolder } from '../io/lock.ts';
import { INBOX_LOCK, LEDGER_LOCK } from '../protocol/exchange.ts';
import type { MainSite } from './main-site.ts';
import { loadPartnership } from './partnerships.ts';

/** Who held it; undefined when there was no lock. Correctness never rests on the lock: see the parent digest of a release. */
export async function unlock(site: MainSite, partner: string): Promise<LockHolder | undefined> {
  const partnership = await loadPartnership(site, partner);
  const exchange = await site.connect(partnership);
  try {
    const inbox = await breakLock(exchange, INBOX_LOCK);
    const publishing = partnership.publisher === 'main' ? await breakLock(exchange, LEDGER_LOCK) : undefined;
    const holder = inbox ?? publishing;
    if (holder !== undefined) await site.history.add({ action: 'unlock', partner, detail: `held by ${holder.who}` });
    return holder;
  } finally {
    await exchange.close();
  }
}
