import type { DocumentData } from '../documents/catalog.ts';
import { refresh, type RefreshResult } from '../../main-site/refresh.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import type { Output } from '../output.ts';
import { describeFailure, endWithFailures, naming } from '../partner-results.ts';
import { parseNumber, requireDuration } from '../quantity.ts';
import { visible } from '../visible.ts';

const CONCURRENCY = 8;
const DEADLINE = '5m';

export const define: Define = (command, context) => {
  command
    .argument('[partner...]', 'only these partners, by id or tag')
    .option('--concurrency <n>', 'partners at a time', String(CONCURRENCY))
    .option('--deadline <time>', 'cut off a partner that takes longer', DEADLINE)
    .addHelpText(
      'after',
      examples({ 'tieup refresh --quiet': 'once a day from cron, with the online key alone: 17 4 * * *' }),
    )
    .action(async (partners, { concurrency, deadline }) => {
      const ctx = context();
      const results = await refresh(await ctx.mainSite(), partners, parseNumber(concurrency, '--concurrency'), {
        deadlineMs: requireDuration(deadline),
        signal: ctx.interruption,
      });
      ctx.output.result('refresh', { partners: results.map(describe) }, () =>
        results.map((each) => render(ctx.output, each)).join(''),
      );
      for (const each of results) {
        if (each.kind !== 'refreshed' || !each.releaseHalfOver) continue;
        ctx.output.warning(
          `${each.partner}: release ${each.release} expires on ${each.releaseUntil.slice(0, 10)}; sign it anew with tieup push --full ${each.partner}`,
        );
      }
      const failures = results.filter((each) => each.kind === 'failed');
      endWithFailures(ctx, failures, results.length, naming('tieup refresh'));
    });
};

function describe(each: RefreshResult): DocumentData<'refresh'>['partners'][number] {
  switch (each.kind) {
    case 'failed':
      return describeFailure(each);
    case 'skipped':
      return { partner: each.partner, result: each.kind, why: each.why };
    case 'refreshed': {
      const { kind, ...rest } = each;
      return { result: kind, ...rest };
    }
  }
}

function render(output: Output, each: RefreshResult): string {
  const partner = visible(each.partner);
  switch (each.kind) {
    case 'refreshed':
      return `${output.mark('good', `${partner}: fresh until ${each.until.slice(0, 10)}`)}, release ${each.release}\n`;
    case 'skipped':
      return `${output.mark('waiting', `${partner}: skipped`)}, ${visible(each.why)}\n`;
    case 'failed':
      return `${output.mark('bad', `${partner}: failed`)}\n`;
  }
}
