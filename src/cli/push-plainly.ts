/** The push that most pushes of a cron job come to: nobody lacks anything. */
import { CONFIG_FILE, MAX_CONFIG } from '../config/config-file.ts';
import { readLastPush } from '../main-site/last-push.ts';
import type { MainSite } from '../main-site/main-site.ts';
import type { FleetRequest, Pushed } from '../main-site/push-all.ts';
import { pushUnchanged } from '../main-site/unchanged-push.ts';
import { sha256 } from '../protocol/digest.ts';
import type { Context } from './command-context.ts';

export const NOBODY: Pushed = { results: [], answers: new Map(), heldBack: [], passedOver: [], warnings: [] };

/**
 * Partners that have everything of the last push, and nothing else, are done before anything is loaded that renders or signs.
 * @param site where it is open already; otherwise it is opened without reading its settings as long as that will do
 */
export async function pushPlainly(ctx: Context, request: FleetRequest, site?: MainSite): Promise<Pushed> {
  const files = await ctx.siteFiles();
  const tool = await ctx.identity();
  const last = await readLastPush(files, tool);
  const unchanged = last && (await pushUnchanged(site ?? (await ctx.mainSite({ config: last.config })), last, request));
  if (unchanged?.rest.size === 0) return { ...NOBODY, ...unchanged };
  // Before the site is read by it: when it changes meanwhile, the next push finds another one.
  const config = sha256(await files.read(CONFIG_FILE, MAX_CONFIG));
  const { pushAll } = await import('../main-site/push-all.ts');
  const keep = { tool, config };
  return pushAll(site ?? (await ctx.mainSite()), { ...request, keep, settled: unchanged?.results });
}
