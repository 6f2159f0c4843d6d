/** Where partners stand by what this machine knows after a push, for who joins what several machines found (merge-status.ts). */
import { TieupError } from '../errors.ts';
import type { MainSite } from './main-site.ts';
import { loadPartnerships } from './partnerships.ts';
import { recallPartner, type StatusRow } from './status.ts';

export type Standing = Pick<StatusRow, 'state' | 'detail' | 'pushed' | 'live'>;

/** Without those of whom nothing can be read: the push of such a one has told why. */
export async function standingsOf(
  site: MainSite,
  partners: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Standing>> {
  const found = new Map<string, Standing>();
  for (const partnership of await loadPartnerships(site)) {
    if (!partners.has(partnership.id)) continue;
    try {
      const { state, detail, pushed, live } = await recallPartner(site, partnership);
      found.set(partnership.id, { state, detail, pushed, live });
    } catch (error) {
      if (!(error instanceof TieupError)) throw error;
    }
  }
  return found;
}
