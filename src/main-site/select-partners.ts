/** Which partners a command works for. */
import type { Partnership } from '../config/partnership.ts';
import { isInShard, type Shard } from '../protocol/shard.ts';
import type { MainSite } from './main-site.ts';
import { loadPartnerships, namedAmong } from './partnerships.ts';

export interface Selection {
  /** Ids or tags; everybody when empty. */
  readonly partners: readonly string[];
  /** This machine's share of them. */
  readonly shard?: Shard | undefined;
  /** These ids alone; ids that nobody has any more are passed by. */
  readonly only?: ReadonlySet<string> | undefined;
}

/** Sorted by id; nobody is an answer. @throws TIEUP_E_CONFIG, TIEUP_E_USAGE as {@link loadPartnerships}. */
export async function selectPartners(site: MainSite, selection: Selection): Promise<readonly Partnership[]> {
  return selectAmong(await loadPartnerships(site), selection);
}

/** The same of partnerships that were loaded. @throws TIEUP_E_USAGE */
export function selectAmong(all: readonly Partnership[], { partners, shard, only }: Selection): readonly Partnership[] {
  const named = namedAmong(all, partners);
  return named.filter(({ id }) => (only?.has(id) ?? true) && (shard === undefined || isInShard(id, shard)));
}
