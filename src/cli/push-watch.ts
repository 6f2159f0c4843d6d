/** `tieup push --watch`: stays, and pushes to each partner at its prescribed time, whatever one round comes to. */
import { CONFIG_FILE, MAX_CONFIG } from '../config/config-file.ts';
import { asTieupError } from '../errors.ts';
import type { MainSite } from '../main-site/main-site.ts';
import type { PushedDue } from '../main-site/push-due.ts';
import { faultOf } from '../main-site/trouble.ts';
import { sha256 } from '../protocol/digest.ts';
import type { Context } from './command-context.ts';
import { failureText } from './partner-results.ts';
import { sayPush } from './push-outcome.ts';

/** Files of partners and pages may change meanwhile. */
const LONGEST_PAUSE_MS = 60_000;
const SHORTEST_PAUSE_MS = 1000;

/**
 * Until Ctrl-C. A page that is half saved, or a file of a partner that is wrong, is told once and looked at again.
 * @throws what opening the site throws, before the first round
 */
export async function watchPushes(
  ctx: Context,
  round: (site: MainSite) => Promise<PushedDue>,
  goOn: string,
): Promise<never> {
  const site = await followedSite(ctx);
  let told: string | undefined;
  for (;;) {
    let next: Date | undefined;
    try {
      const due = await round(await site());
      ({ next } = due);
      told = undefined;
      if (due.pushed.results.length > 0 || due.pushed.heldBack.length > 0) await sayRound(ctx, due, goOn);
    } catch (error) {
      if (ctx.interruption.aborted) throw error;
      const text = failureText(asTieupError(error));
      if (text !== told) ctx.output.warning(`${text}\n  nothing was pushed; it is tried again every minute`);
      told = text;
    }
    const left = (next?.getTime() ?? Infinity) - ctx.clock.now().getTime();
    await ctx.clock.sleep(Math.min(Math.max(left, SHORTEST_PAUSE_MS), LONGEST_PAUSE_MS), ctx.interruption);
  }
}

async function sayRound(ctx: Context, { pushed }: PushedDue, goOn: string): Promise<void> {
  await sayPush(ctx, pushed, goOn);
  for (const result of pushed.results) {
    const error = faultOf(result);
    if (error !== undefined) ctx.output.warning(`${result.partner}: ${failureText(error)}`);
  }
}

/** The site with the settings of now: it is opened again when `tieup.yaml` has changed, and asks for no password before. */
async function followedSite(ctx: Context): Promise<() => Promise<MainSite>> {
  const files = await ctx.siteFiles();
  const settings = async (): Promise<string> => sha256(await files.read(CONFIG_FILE, MAX_CONFIG));
  let known = await settings();
  let site = await ctx.mainSite();
  return async () => {
    const now = await settings();
    if (now === known) return site;
    site = await ctx.mainSite();
    known = now;
    return site;
  };
}
