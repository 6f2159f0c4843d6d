import { parseDeleteLimit } from '../../main-site/delete-limit.ts';
import type { MainSite } from '../../main-site/main-site.ts';
import { readLastPush } from '../../main-site/last-push.ts';
import type { PlannedPartner } from '../../main-site/plan-file.ts';
import type { FleetRequest, Pushed } from '../../main-site/push-all.ts';
import { pushUnchanged } from '../../main-site/unchanged-push.ts';
import { readUnfinished } from '../../main-site/unfinished.ts';
import { CONFIG_FILE, MAX_CONFIG } from '../../config/config-file.ts';
import { TieupError } from '../../errors.ts';
import { sha256 } from '../../protocol/digest.ts';
import { parseShard } from '../../protocol/shard.ts';
import type { Define } from '../define.ts';
import type { Context } from '../command-context.ts';
import { examples } from '../examples.ts';
import { parseNames } from '../names.ts';
import { nameSome, tellPush } from '../push-outcome.ts';
import { showStep } from '../push-text.ts';
import { given, parseNumber, requireDuration } from '../quantity.ts';
import { visible } from '../visible.ts';

const CONCURRENCY = 16;
const DEADLINE = '15m';

export const define: Define = (command, context) => {
  command
    .argument('[partner...]', 'only these partners, by id or tag; or a plan that was saved')
    .option('-m, --message <text>', 'why, for the partner’s manager')
    .option('-s, --subject <line>', 'the message in one line')
    .option('--full', 'send everything again, for a partner that lost what it had')
    .option('-w, --wait <time>', 'wait for the answers: 90s, 10m, 2h')
    .option('--canary <n>', 'to n partners first; to the others only when all went well there')
    .option('--max-delete <n|n%>', 'refuse where more files than this would go; more than half unless given')
    .option('--confirm <partner>', 'it may lose all its pages; several ids with commas')
    .option('--due', 'only partners whose prescribed time has come: schedule in tieup.yaml or partners/<id>.yaml')
    .option('--watch', 'stay, and push to each at its prescribed time, until Ctrl-C')
    .option('--retry-failed', 'only the partners at which the last push failed or was held back')
    .option('--shard <i/n>', 'the i-th of n shares of the partners, the same on every machine')
    .option('--concurrency <n>', 'partners at a time', String(CONCURRENCY))
    .option('--deadline <time>', 'cut off a partner that takes longer', DEADLINE)
    .addHelpText(
      'after',
      examples({
        'tieup push': 'every partner gets what has changed',
        'tieup push harbour -m "Autumn prices" --wait 10m': 'and waits for the answer',
        'tieup push plan.json': 'exactly what tieup plan --out saved, or nothing',
        'tieup push --canary 2 --wait 1h': 'to two partners, and when both are live to the others',
        'tieup push --due --quiet': 'from cron, every five minutes: who is due gets what has changed',
        'tieup push --retry-failed': 'once more, where it failed',
      }),
    )
    .action(async (words, options) => {
      const ctx = context();
      const { canary, wait, maxDelete, confirm, shard, due, watch, retryFailed, full } = options;
      const how: Omit<FleetRequest, 'partners' | 'only' | 'planned'> = {
        shard: given(shard, parseShard),
        message: { subject: options.subject, text: options.message },
        full: full === true,
        concurrency: parseNumber(options.concurrency, '--concurrency'),
        deadlineMs: requireDuration(options.deadline),
        waitMs: given(wait, requireDuration),
        canary: given(canary, (text) => parseNumber(text, '--canary')),
        maxDelete: given(maxDelete, parseDeleteLimit),
        confirmed: given(confirm, parseNames),
        signal: ctx.interruption,
        onProgress: (partner, step) => showStep(ctx, partner, step),
        onWaiting: (partners, until) =>
          ctx.output.message(`waiting for ${nameSome(partners)} until ${until.toISOString().slice(0, 16)}Z`),
      };
      const isPlain = [canary, wait, due, watch, retryFailed, full].every((each) => each === undefined);
      const file = words.find(isPlanFile);
      // What is done by a plan already counts as done.
      const goOn = file === undefined ? 'tieup push --retry-failed' : `tieup push ${visible(file)}`;
      if (isPlain && file === undefined) {
        return tellPush(ctx, await pushPlainly(ctx, { ...how, partners: words }), goOn);
      }
      const { pushAll } = await import('../../main-site/push-all.ts');
      const site = await ctx.mainSite();
      const who = await whom(ctx, site, words, options);
      if (due !== true && watch !== true) return tellPush(ctx, await pushAll(site, { ...how, ...who }), goOn);
      if (who.planned !== undefined || who.only !== undefined)
        throw new TieupError('TIEUP_E_USAGE', '--due and --watch go without a plan and without --retry-failed');
      const { pushDue } = await import('../../main-site/push-due.ts');
      if (watch !== true) return tellPush(ctx, (await pushDue(site, { ...how, ...who })).pushed, goOn);
      for (;;) {
        const { pushed, next } = await pushDue(site, { ...how, ...who });
        if (pushed.results.length > 0) await tellOn(ctx, pushed, goOn);
        const now = ctx.clock.now().getTime();
        await ctx.clock.sleep(
          Math.min(Math.max((next?.getTime() ?? Infinity) - now, 1000), LONGEST_PAUSE_MS),
          ctx.interruption,
        );
      }
    });
};

/** Partners that have everything of the last push, and nothing else, are done before anything is loaded that renders or signs. */
async function pushPlainly(ctx: Context, request: FleetRequest): Promise<Pushed> {
  const files = await ctx.siteFiles();
  const tool = await ctx.identity();
  const last = await readLastPush(files, tool);
  const unchanged = last && (await pushUnchanged(await ctx.mainSite({ config: last.config }), last, request));
  if (unchanged?.rest.size === 0) return { ...NOBODY, ...unchanged };
  // Before the site is read by it: when it changes meanwhile, the next push finds another one.
  const config = sha256(await files.read(CONFIG_FILE, MAX_CONFIG));
  const { pushAll } = await import('../../main-site/push-all.ts');
  const keep = { tool, config };
  return pushAll(await ctx.mainSite(), { ...request, keep, settled: unchanged?.results });
}

const NOBODY: Pick<Pushed, 'answers' | 'heldBack'> = { answers: new Map(), heldBack: [] };

/** Files of partners and pages may change meanwhile. */
const LONGEST_PAUSE_MS = 60_000;

/** One round of many: what failed in it is told and tried again in the next. */
async function tellOn(ctx: Context, pushed: Pushed, goOn: string): Promise<void> {
  try {
    await tellPush(ctx, pushed, goOn);
  } catch (error) {
    if (!(error instanceof TieupError)) throw error;
    ctx.output.warning(error.message);
  }
}

/** No id and no tag has a dot or a slash. */
function isPlanFile(word: string): boolean {
  return /[./]/.test(word);
}

interface WhomOptions {
  readonly retryFailed?: true;
  readonly full?: true;
  readonly maxDelete?: string;
  readonly confirm?: string;
}

/** Partners by name, those of a saved plan, or those that failed last time. */
async function whom(
  ctx: Context,
  site: MainSite,
  words: readonly string[],
  { retryFailed, full, maxDelete, confirm }: WhomOptions,
): Promise<Pick<FleetRequest, 'partners' | 'only' | 'planned'>> {
  const file = words.find(isPlanFile);
  if (file === undefined) {
    const only = retryFailed === true ? await readUnfinished(site) : undefined;
    if (only?.size === 0) ctx.output.message('nothing failed last time');
    return { partners: words, only };
  }
  const isTold = [retryFailed, full, maxDelete, confirm].some((each) => each !== undefined);
  if (words.length > 1 || isTold)
    throw new TieupError('TIEUP_E_USAGE', 'a plan says itself what is pushed to whom', {
      hint: `tieup push ${file}, without other partners, --retry-failed, --full, --max-delete and --confirm`,
    });
  const { MAX_PLAN_FILE, parsePlanFile } = await import('../../main-site/plan-file.ts');
  const { partners } = parsePlanFile(await ctx.readFile(file, MAX_PLAN_FILE), file);
  if (partners.length === 0) throw new TieupError('TIEUP_E_USAGE', `${JSON.stringify(file)} plans nothing`);
  const planned = new Map<string, PlannedPartner>(partners.map((each) => [each.partner, each]));
  return { partners: [...planned.keys()], planned };
}
