import { plan, type PartnerPlan } from '../../main-site/plan.ts';
import { summarise } from '../../main-site/message.ts';
import { EXIT } from '../../errors.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import type { Output } from '../output.ts';
import { momentOption, scheduleLines } from '../schedule-text.ts';
import { describeFailure, endWithFailures, sayContentWarnings, sayPassedOver } from '../partner-results.ts';
import { visible } from '../visible.ts';

export const define: Define = (command, context) => {
  command
    .argument('[partner...]', 'only these partners, by id or tag')
    .option('--at <time>', 'as if pushed at that day or time: pages come and go by date')
    .option('--detailed-exitcode', 'exit with 2 when a push would change something')
    .addHelpText(
      'after',
      examples({
        'tieup plan': 'what a push would change at every partner',
        'tieup plan harbour --json': '',
        'tieup plan --at 2026-12-20': 'what a push on that day would change',
      }),
    )
    .action(async (partners, { at, detailedExitcode }) => {
      const ctx = context();
      const site = await ctx.mainSite();
      const { timeZone } = site.config.site;
      const { plans, passedOver, warnings } = await plan(site, partners, momentOption('--at', at, timeZone));
      sayPassedOver(ctx, passedOver);
      sayContentWarnings(ctx, warnings);
      ctx.output.result('plan', { partners: plans.map(describePlan), passedOver, warnings }, () =>
        plans.map((each) => renderPlan(ctx.output, each, timeZone)).join(''),
      );
      const failures = plans.filter((each) => each.kind === 'failed');
      const pending = plans.some((each) => each.kind === 'planned' && each.plan.differs);
      if (detailedExitcode === true && pending) ctx.endWith(EXIT.changesPending);
      endWithFailures(ctx, failures, plans.length, 'tieup plan');
    });
};

function describePlan(each: PartnerPlan): object {
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
