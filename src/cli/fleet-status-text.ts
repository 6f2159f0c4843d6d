/** `tieup status` of a main site: one line a partner, the worst first. */
import { nextChange } from '../content/schedule.ts';
import { EXIT } from '../errors.ts';
import { readCampaign } from '../main-site/campaign.ts';
import { diskUse, type DiskUse } from '../main-site/disk-use.ts';
import { MAX_RESULT, mergeStatus, parseShardResult } from '../main-site/merge-status.ts';
import { loadPartnerships } from '../main-site/partnerships.ts';
import type { PartnerState } from '../main-site/partner-state.ts';
import { rootKeyWarnings } from '../main-site/root-holders.ts';
import { status, type StatusOptions, type StatusRow } from '../main-site/status.ts';
import { showMoment } from '../protocol/moment.ts';
import type { Context } from './command-context.ts';
import type { Mark } from './output.ts';
import { age, byteCount, count } from './quantity.ts';
import { table } from './table.ts';
import { visible } from './visible.ts';

export interface FleetView extends StatusOptions {
  readonly partners: readonly string[];
  readonly concurrency: number;
}

const MARKS: Readonly<Record<PartnerState, Mark>> = {
  failed: 'bad',
  rejected: 'bad',
  drifted: 'bad',
  expired: 'bad',
  suspended: 'warning',
  ended: 'warning',
  never: 'waiting',
  pending: 'waiting',
  accepted: 'waiting',
  held: 'warning',
  left: 'warning',
  live: 'good',
};

export async function showPartners(ctx: Context, { partners, concurrency, ...options }: FleetView): Promise<void> {
  const site = await ctx.mainSite();
  const campaign = await readCampaign(site);
  const rows = await status(site, partners, concurrency, { ...options, campaign });
  const next = nextChange(campaign, ctx.clock.now()) ?? null;
  const disk = await diskUse(site);
  show(ctx, rows, { warnings: await rootKeyWarnings(site), nextChange: next, disk });
  if (!ctx.output.json)
    ctx.output.message(`.tieup/ takes ${byteCount(disk.bytes)} of this disk, in ${count(disk.files, 'file')}`);
  if (!ctx.output.json && next !== null)
    ctx.output.message(
      `pages come or go by date next at ${showMoment(new Date(next), site.config.site.timeZone)}: push then`,
    );
}

/** Joins files that other machines wrote; who is in none of them, and should be, has failed. */
export async function showMerged(
  ctx: Context,
  names: readonly string[],
  states: ReadonlySet<PartnerState> | undefined,
): Promise<void> {
  const expected = await loadPartnerships(await ctx.mainSite());
  const results: (readonly StatusRow[])[] = [];
  const warnings: string[] = [];
  for (const name of names) {
    const found = parseShardResult(await ctx.readFile(name, MAX_RESULT), name);
    if (found.kind === 'rows') results.push(found.rows);
    else warnings.push(found.why);
  }
  const merged = mergeStatus(
    results,
    expected.filter(({ status: standing }) => standing === 'active').map(({ id }) => id),
  );
  show(
    ctx,
    merged.filter(({ state }) => states?.has(state) ?? true),
    { warnings, nextChange: null, disk: null },
  );
  // Also where another file has all of its partners: what it should have done was not done.
  if (warnings.length > 0) ctx.endWith(EXIT.somePartnersFailed);
}

/** What is no matter of one partner. */
interface OfSite {
  readonly warnings: readonly string[];
  /** When pages come or go by date next; ISO 8601 UTC. */
  readonly nextChange: string | null;
  /** What tieup keeps on this machine. */
  readonly disk: DiskUse | null;
}

/** A row that could not be refreshed makes the command end with 3, so that a monitor sees it. */
function show(ctx: Context, rows: readonly StatusRow[], ofSite: OfSite): void {
  const { output } = ctx;
  output.result('status', { partners: rows, tally: tally(rows), ...ofSite }, () => rowsText(ctx, rows));
  if (!output.json) for (const warning of ofSite.warnings) output.warning(warning);
  for (const { partner, warnings } of rows) {
    if (!output.json) for (const warning of warnings) output.warning(`${partner}: ${warning}`);
  }
  const missed = rows.filter(({ refreshed }) => !refreshed).length;
  if (missed === 0) return;
  if (!output.json) output.warning(`${count(missed, 'partner')} could not be asked, or cannot be believed`);
  ctx.endWith(EXIT.somePartnersFailed);
}

function rowsText({ output, clock }: Context, rows: readonly StatusRow[]): string {
  const now = clock.now();
  const since = (time: string | null): string => (time === null ? '-' : age(new Date(time), now));
  const lines = table(
    ['partner', 'state', 'pushed', 'live', 'age', 'contact', 'next', ''],
    rows.map(({ partner, state, pushed, pushedAt, live, lastContact, next, detail }) => [
      visible(partner),
      output.mark(MARKS[state], state),
      pushed === null ? '-' : String(pushed),
      live === null ? '-' : String(live),
      since(pushedAt),
      since(lastContact),
      next ?? '-',
      visible(detail ?? ''),
    ]),
  );
  if (rows.length < MANY) return lines;
  const counts = Object.entries(tally(rows)).map(([state, number]) => `${number} ${state}`);
  return `${lines}${count(rows.length, 'partner')}: ${counts.join(', ')}\n`;
}

/** From here on nobody counts the lines. */
const MANY = 10;

function tally(rows: readonly StatusRow[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { state } of rows) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}
