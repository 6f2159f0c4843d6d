import { TieupError } from '../../errors.ts';
import { compileFilter } from '../../logs/record-filter.ts';
import { commitLogs, type Committed } from '../../partner-site/commit-logs.ts';
import { exportLogs, type ExportRequest } from '../../partner-site/export-logs.ts';
import type { ExportedTree } from '../../protocol/log-export.ts';
import type { Define } from '../define.ts';
import { byteCount, count } from '../quantity.ts';

const ACCEPT_GAP = 'lines are lost for good: go on, and let the main site see the gap';

export const defineLogsAtPartner: Define = (command, context) => {
  command
    .command('commit')
    .description('Reads what is new in the access logs and commits to it; nothing is exported.')
    .option('--accept-gap', ACCEPT_GAP)
    .action(async ({ acceptGap }) => {
      const ctx = context();
      const committed = await commitLogs(await ctx.partnerSite(), { acceptGap: acceptGap === true });
      ctx.output.result('logs-commit', describe(committed), () => {
        const done = `${count(committed.added.lines, 'new line')} committed to`;
        return `${ctx.output.mark('good', done)}${classes(committed)}\n`;
      });
    });
  command
    .command('export')
    .description('Hands out the access logs with a certificate that they, or the part that is shown, are unaltered.')
    .option('--log <log>', 'T (tie-up pages), O (your own pages) or all: show every record of it')
    .option('--only <filter...>', 'show only records such as status=404 or path~/shop; the others are counted')
    .option('--from <day>', 'show only records from this day on')
    .option('--to <day>', 'show only records up to this day')
    .option('--accept-gap', ACCEPT_GAP)
    .action(async ({ log, only = [], from, to, acceptGap }) => {
      const ctx = context();
      const disclose = disclosure(log, { only, from, to });
      const result = await exportLogs(await ctx.partnerSite(), { acceptGap: acceptGap === true, disclose });
      const { committed, statement } = result;
      ctx.output.result('logs-export', { ...describe(committed), export: statement?.seq ?? null }, () => {
        if (statement === undefined) return `${ctx.output.mark('good', 'nothing new')}${classes(committed)}\n`;
        const { T, O } = statement;
        return [
          `${ctx.output.mark('good', `export ${statement.seq} is in the outbox`)}${classes(committed)}\n`,
          `  tie-up pages    ${shown(T)}\n`,
          `  your own pages  ${shown(O)}\n`,
        ].join('');
      });
    });
};

function disclosure(log: string | undefined, filter: Parameters<typeof compileFilter>[0]): ExportRequest['disclose'] {
  if (log !== undefined && log !== 'T' && log !== 'O' && log !== 'all') {
    throw new TieupError('TIEUP_E_USAGE', `there is no log ${JSON.stringify(log)}`, { hint: 'use T, O or all' });
  }
  const isFiltered = filter.only.length > 0 || filter.from !== undefined || filter.to !== undefined;
  if (!isFiltered && log === undefined) return {};
  const selection = isFiltered
    ? ({ kind: 'records', isWanted: compileFilter(filter) } as const)
    : ({ kind: 'whole' } as const);
  return { ...(log !== 'O' ? { T: selection } : {}), ...(log === 'O' || log === 'all' ? { O: selection } : {}) };
}

function describe({ epoch, counts, added, heads }: Committed): object {
  const head = (log: 'T' | 'O') => ({ size: heads[log].size, root: Buffer.from(heads[log].root).toString('hex') });
  return { epoch, counts, added, T: head('T'), O: head('O') };
}

/** T + O + X are the lines that were read, always. */
function classes({ counts }: Committed): string {
  const { lines, T, O, X, G } = counts;
  const gaps = G === 0 ? '' : `, ${count(G, 'gap')}`;
  return `; ${count(lines, 'line')} in all = ${T} of tie-up pages + ${O} of your own + ${X} unreadable${gaps}`;
}

function shown({ size, from, disclosed, file }: ExportedTree): string {
  if (file === null) return `${count(size, 'record')}, none of them new`;
  const what = disclosed === 'whole' ? 'all shown' : 'counted, and shown as far as asked';
  return `${count(size - from, 'new record')}, ${what} (${byteCount(file.length)})`;
}
