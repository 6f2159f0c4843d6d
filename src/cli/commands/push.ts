import { parseDeleteLimit } from '../../main-site/delete-limit.ts';
import type { MainSite } from '../../main-site/main-site.ts';
import { readLastPush } from '../../main-site/last-push.ts';
import type { PlannedPartner } from '../../main-site/plan-file.ts';
import type { FleetRequest, Pushed } from '../../main-site/push-all.ts';
import type { PushedDue } from '../../main-site/push-due.ts';
import { readUnfinished } from '../../main-site/unfinished.ts';
import { TieupError } from '../../errors.ts';
import { parseShard } from '../../protocol/shard.ts';
import type { Define } from '../define.ts';
import type { Context } from '../command-context.ts';
import { examples } from '../examples.ts';
import { parseNames } from '../names.ts';
import { nameSome, tellPush } from '../push-outcome.ts';
import { NOBODY, pushPlainly } from '../push-plainly.ts';
import { showStep } from '../push-text.ts';
import { given, parseNumber, requireDuration } from '../quantity.ts';
import { visible } from '../visible.ts';

const CONCURRENCY = 16;
const DEADLINE = '15m';

type How = Omit<FleetRequest, 'partners' | 'only' | 'planned'>;

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
      const how: How = {
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
      const file = words.find(isPlanFile);
      // What is done by a plan already counts as done.
      const goOn = file === undefined ? 'tieup push --retry-failed' : `tieup push ${visible(file)}`;
      if (due === true || watch === true) {
        if (file !== undefined || retryFailed === true)
          throw new TieupError('TIEUP_E_USAGE', '--due and --watch go without a plan and without --retry-failed');
        if (watch === true && ctx.output.json)
          throw new TieupError('TIEUP_E_USAGE', '--json prints one document, and --watch never ends', {
            hint: 'run tieup push --due --json from cron',
          });
      }
      const isPlain = [canary, wait, full].every((each) => each === undefined);
      const push = async (request: FleetRequest, site?: MainSite): Promise<Pushed> => {
        if (isPlain) return pushPlainly(ctx, request, site);
        const { pushAll } = await import('../../main-site/push-all.ts');
        return pushAll(site ?? (await ctx.mainSite()), request);
      };
      if (due === true || watch === true) {
        const { pushDue } = await import('../../main-site/push-due.ts');
        const round = async (site: MainSite): Promise<PushedDue> =>
          pushDue(
            site,
            { ...how, partners: words },
            {
              last: await readLastPush(site.files, await ctx.identity()),
              push: (request) => push(request, site),
            },
          );
        if (watch === true) return (await import('../push-watch.ts')).watchPushes(ctx, round, goOn);
        return tellPush(ctx, (await round(await ctx.mainSite())).pushed, goOn);
      }
      if (file !== undefined) return tellPush(ctx, await pushPlan(ctx, words, how, options), goOn);
      const only = retryFailed === true ? await readUnfinished({ files: await ctx.siteFiles() }) : undefined;
      if (only?.size === 0) ctx.output.message('nothing failed last time');
      return tellPush(ctx, only?.size === 0 ? NOBODY : await push({ ...how, partners: words, only }), goOn);
    });
};

/** No id and no tag has a dot or a slash. */
function isPlanFile(word: string): boolean {
  return /[./]/.test(word);
}

interface PlanOptions {
  readonly retryFailed?: true;
  readonly full?: true;
  readonly maxDelete?: string;
  readonly confirm?: string;
}

/** What a saved plan says, to whom it says it. */
async function pushPlan(
  ctx: Context,
  words: readonly string[],
  how: How,
  { retryFailed, full, maxDelete, confirm }: PlanOptions,
): Promise<Pushed> {
  const file = words.find(isPlanFile) ?? '';
  const isTold = [retryFailed, full, maxDelete, confirm].some((each) => each !== undefined);
  if (words.length > 1 || isTold)
    throw new TieupError('TIEUP_E_USAGE', 'a plan says itself what is pushed to whom', {
      hint: `tieup push ${file}, without other partners, --retry-failed, --full, --max-delete and --confirm`,
    });
  const { MAX_PLAN_FILE, parsePlanFile } = await import('../../main-site/plan-file.ts');
  const { partners } = parsePlanFile(await ctx.readFile(file, MAX_PLAN_FILE), file);
  if (partners.length === 0) throw new TieupError('TIEUP_E_USAGE', `${JSON.stringify(file)} plans nothing`);
  const planned = new Map<string, PlannedPartner>(partners.map((each) => [each.partner, each]));
  const { pushAll } = await import('../../main-site/push-all.ts');
  return pushAll(await ctx.mainSite(), { ...how, partners: [...planned.keys()], planned });
}
