import { pullLogs, type PullResult } from '../../main-site/pull-logs.ts';
import type { Define } from '../define.ts';
import type { Output } from '../output.ts';
import { describeFailure, endWithFailures } from '../partner-results.ts';
import { count } from '../quantity.ts';
import { visible } from '../visible.ts';

const CONCURRENCY = 8;

export const defineLogsAtMain: Define = (command, context) => {
  command
    .command('pull [partner...]')
    .description('Pulls exported access logs, verifies every record, keeps and cosigns them.')
    .action(async (partners) => {
      const ctx = context();
      const results = await pullLogs(await ctx.mainSite(), partners, CONCURRENCY);
      ctx.output.result('logs-pull', { partners: results.map(describe) }, () =>
        results.map((each) => render(ctx.output, each)).join(''),
      );
      const failures = results.filter((each) => each.kind === 'failed');
      endWithFailures(ctx, failures, results.length, 'tieup logs pull');
    });
};

function describe(each: PullResult): object {
  if (each.kind === 'failed') return describeFailure(each);
  const { kind, ...rest } = each;
  return { result: kind, ...rest };
}

function render(output: Output, each: PullResult): string {
  const partner = visible(each.partner);
  switch (each.kind) {
    case 'none':
      return `${output.mark('waiting', `${partner}: nothing exported yet`)}\n`;
    case 'unchanged':
      return `${output.mark('good', `${partner}: nothing new`)}\n`;
    case 'behind':
      return `${output.mark('waiting', `${partner}: cosigned again`)}, its next export goes on from there\n`;
    case 'pulled': {
      const { lines } = each.pins;
      const added = `${count(each.added.T, 'new record')} of tie-up pages, ${each.added.O} of its own`;
      const total = `${lines.T + lines.O + lines.X} lines = ${lines.T} + ${lines.O} + ${lines.X} unreadable`;
      return `${output.mark('good', `${partner}: verified and cosigned`)}, ${added}; in all ${total}\n`;
    }
    case 'failed':
      return `${output.mark('bad', `${partner}: refused or not reached`)}\n`;
  }
}
