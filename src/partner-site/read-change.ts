/** Reads one page as it is live and as it would be, for a reviewer. */
import type { MergePlan } from '../merge/plan.ts';
import { composeEntry } from '../publish/compose.ts';
import { liveNumber } from '../publish/records.ts';
import { treePathOf, within } from '../publish/ports.ts';
import { readIfThere } from '../io/read-if-there.ts';
import type { PartnerSite } from './partner-site.ts';

export interface Change {
  /** Undefined when the page is new. */
  readonly before: Uint8Array | undefined;
  /** Undefined when the page goes. */
  readonly after: Uint8Array | undefined;
}

const MAX_PAGE = 64 * 1024 * 1024;

export async function readChange(site: PartnerSite, plan: MergePlan, path: string): Promise<Change> {
  const live = treePathOf(site.layout, await liveNumber(site.ports, site.layout));
  const entry = plan.entries.find((each) => each.path === path);
  const isThere = entry === undefined || entry.before !== undefined;
  return {
    before: isThere ? await readIfThere(site.ports.web, within(live, path), MAX_PAGE) : undefined,
    after: entry?.from.kind === 'object' ? await composeEntry(entry, site.objects) : undefined,
  };
}
