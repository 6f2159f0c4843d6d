import type { DocumentData } from '../documents/catalog.ts';
import { plan, type PartnerPlan } from '../../main-site/plan.ts';
import { parseDeleteLimit } from '../../main-site/delete-limit.ts';
import { renderPlanFile } from '../../main-site/plan-file.ts';
import { summarise } from '../../main-site/message.ts';
import { EXIT } from '../../errors.ts';
import { instant } from '../../protocol/instant.ts';
import { parseShard } from '../../protocol/shard.ts';
import type { Context } from '../command-context.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import { parseNames } from '../names.ts';
import { nameSome } from '../push-outcome.ts';
import type { Output } from '../output.ts';
import { momentOption, scheduleLines } from '../schedule-text.ts';
import { describeFailure, endWithFailures, naming, sayContentWarnings, sayPassedOver } from '../partner-results.ts';
import { given, parseNumber, requireDuration } from '../quantity.ts';
import { visible } from '../visible.ts';

const CONCURRENCY = 16;
const DEADLINE = '5m';

export const define: Define = (command, context) => {
  command
    .argument('[partner...]', 'only these partners, by id or tag')
    .option('--at <time>', 'as if pushed at that day or time: pages come and go by date')
    .option('-o, --out <file>', 'save the plan; tieup push <file> does exactly that, or nothing')
    .option('--max-delete <n|n%>', 'refuse where more files than this would go; more than half unless given')
    .option('--confirm <partner>', 'it may lose all its pages; several ids with commas')
    .option('--shard <i/n>', 'the i-th of n shares of the partners, the same on every machine')
    .option('--concurrency <n>', 'partners at a time', String(CONCURRENCY))
    .option('--deadline <time>', 'cut off a partner that takes longer', DEADLINE)
    .option('--detailed-exitcode', 'exit with 2 when a push would change something')
    .addHelpText(
      'after',
      examples({
        'tieup plan': 'what a push would change at every partner',
        'tieup plan harbour --json': '',
        'tieup plan --at 2026-12-20': 'what a push on that day would change',
        'tieup plan --out plan.json': 'and tieup push plan.json, when somebody has looked at it',
      }),
    )
    .action(async (partners, { at, out, maxDelete, confirm, shard, concurrency, deadline, detailedExitcode }) => {
      const ctx = context();
      const site = await ctx.mainSite();
      const { timeZone } = site.config.site;
      const { plans, passedOver, warnings } = await plan(site, {
        partners,
        at: momentOption('--at', at, timeZone),
        shard: given(shard, parseShard),
        maxDelete: given(maxDelete, parseDeleteLimit),
        confirmed: given(confirm, parseNames),
        concurrency: parseNumber(concurrency, '--concurrency'),
        deadlineMs: requireDuration(deadline),
      });
      sayPassedOver(ctx, passedOver);
      sayContentWarnings(ctx, warnings);
      const failures = plans.filter((each) => each.kind === 'failed');
      const isSaved = out !== undefined && failures.length < plans.length;
      if (isSaved) await savePlan(ctx, out, plans);
      ctx.output.result('plan', { partners: plans.map(describePlan), passedOver, warnings }, () =>
        plans.map((each) => renderPlan(ctx.output, each, timeZone)).join(''),
      );
      if (isSaved) {
        // A plan that lacks partners would be taken for one that leaves them as they are.
        if (failures.length > 0)
          ctx.output.warning(`${visible(out)} leaves out ${nameSome(failures.map(({ partner }) => partner))}`);
        ctx.output.message(`saved; to do exactly this: tieup push ${visible(out)}`);
      } else if (out !== undefined)
        ctx.output.message(
          `not saved: ${plans.length === 0 ? 'there is nobody to push to' : 'no partner could be planned for'}`,
        );
      const pending = plans.some((each) => each.kind === 'planned' && each.plan.differs);
      if (detailedExitcode === true && pending) ctx.endWith(EXIT.changesPending);
      endWithFailures(ctx, failures, plans.length, naming('tieup plan'));
    });
};

async function savePlan(ctx: Context, out: string, plans: readonly PartnerPlan[]): Promise<void> {
  const partners = plans.flatMap((each) => (each.kind === 'planned' ? [each.planned] : []));
  const text = renderPlanFile({ schema: 'tieup.plan-file/v1', created: instant(ctx.clock.now()), partners });
  await ctx.writeFile(out, Buffer.from(text));
}

function describePlan(each: PartnerPlan): DocumentData<'plan'>['partners'][number] {
  if (each.kind === 'failed') return describeFailure(each);
  const { number, added, changed, removed, unchanged, differs } = each.plan;
  const scheduled = each.scheduled.map(({ source, title, state, from, until }) => ({
    source,
    title,
    state,
    from,
    until,
  }));
  return {
    partner: each.partner,
    result: differs ? 'changes' : 'unchanged',
    base: each.base,
    next: number,
    added,
    changed,
    removed,
    unchanged,
    scheduled,
  };
}

function renderPlan(output: Output, each: PartnerPlan, timeZone: string): string {
  if (each.kind === 'failed') return `${output.mark('bad', `${visible(each.partner)}: failed`)}\n`;
  const { added, changed, removed, unchanged, differs, number } = each.plan;
  const dates = scheduleLines(each.scheduled, timeZone);
  if (!differs)
    return `${output.mark('good', `${visible(each.partner)}: up to date`)}, release ${each.base ?? '-'}\n${dates}`;
  const lines = [
    ...added.map((path) => `  ${output.mark('added', visible(path))}\n`),
    ...changed.map((path) => `  ${output.mark('changed', visible(path))}\n`),
    ...removed.map((path) => `  ${output.mark('removed', visible(path))}\n`),
  ];
  const head = `${output.strong(visible(each.partner))}: release ${number} would bring ${summarise(each.plan)}`;
  return `${head} (${unchanged} unchanged)\n${lines.join('')}${dates}`;
}
