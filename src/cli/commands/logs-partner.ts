import type { DocumentData } from '../documents/catalog.ts';
import { TieupError } from '../../errors.ts';
import { commitLogs, type Committed } from '../../partner-site/commit-logs.ts';
import { type Exported, exportLogs } from '../../partner-site/export-logs.ts';
import type { ExportedTree } from '../../protocol/log-export.ts';
import type { Define } from '../define.ts';
import { disclosure } from '../log-choice.ts';
import { byteCount, count } from '../quantity.ts';

const MAX_WAIT = 240;
const T_IN_PART =
  'of tie-up pages only a part is shown: fees are charged on whole exports alone, and what the main site cosigns now cannot be shown whole later. Without the filter, and before the next pull, tieup logs export puts that right';
const ACCEPT_GAP = 'lines are lost for good: go on, and let the main site see the gap';

export const defineLogsAtPartner: Define = (command, context) => {
  command
    .command('commit')
    .description('Reads what is new in the access logs and commits to it; nothing is exported.')
    .option('--accept-gap', ACCEPT_GAP)
    .action(async ({ acceptGap }) => {
      const ctx = context();
      const committed = await commitLogs(await ctx.partnerSite(), { acceptGap: acceptGap === true });
      for (const warning of committed.warnings) ctx.output.warning(warning);
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
    .option('--from-start', 'the main site has lost what it knew: from the first record on')
    .option('--accept-gap', ACCEPT_GAP)
    .option('--wait <minutes>', 'so long at most, while another tieup reads the logs')
    .action(async ({ log, only = [], from, to, fromStart, acceptGap, wait }) => {
      const ctx = context();
      const disclose = disclosure(log, { only, from, to });
      const waitMinutes = wait === undefined ? undefined : minutesOf(wait);
      const request = { acceptGap: acceptGap === true, fromStart: fromStart === true, waitMinutes, disclose };
      const result = await exportLogs(await ctx.partnerSite(), request);
      const { committed, statement, chosen, answer, complaints } = result;
      for (const complaint of [...committed.warnings, ...complaints]) ctx.output.warning(complaint);
      if (chosen.T !== undefined && statement !== undefined) ctx.output.warning(T_IN_PART);
      if (answer.kind === 'refused') ctx.output.warning(answer.why);
      const data = { ...describe(committed), export: statement?.seq ?? null, chosen, answer, complaints };
      ctx.output.result('logs-export', data, () => {
        if (statement === undefined) {
          return `${ctx.output.mark('good', 'nothing new')}${classes(committed)}\n${answerText(answer)}`;
        }
        const { T, O } = statement;
        return [
          `${ctx.output.mark('good', `export ${statement.seq} is in the outbox`)}${classes(committed)}\n`,
          `  tie-up pages    ${shown(T, chosen.T)}\n`,
          `  your own pages  ${shown(O, chosen.O)}\n`,
          answerText(answer),
        ].join('');
      });
    });
};

function minutesOf(text: string): number {
  const minutes = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (minutes <= MAX_WAIT) return minutes;
  throw new TieupError('TIEUP_E_USAGE', `--wait ${JSON.stringify(text)} is not a number of minutes up to ${MAX_WAIT}`);
}

function describe({ epoch, counts, added, heads, warnings }: Committed): DocumentData<'logs-commit'> {
  const head = (log: 'T' | 'O') => ({ size: heads[log].size, root: Buffer.from(heads[log].root).toString('hex') });
  return { epoch, counts, added, T: head('T'), O: head('O'), warnings };
}

/** T + O + X are the lines that were read, always. */
function classes({ counts }: Committed): string {
  const { lines, T, O, X, G } = counts;
  const gaps = G === 0 ? '' : `, ${count(G, 'gap')}`;
  return `; ${count(lines, 'line')} in all = ${T} of tie-up pages + ${O} of your own + ${X} unreadable${gaps}`;
}

function shown({ size, from, disclosed, file }: ExportedTree, chosen: number | undefined): string {
  if (file === null) return `${count(size, 'record')}, none of them new`;
  const some =
    chosen === undefined ? 'only counted' : `${chosen.toLocaleString('en-US')} of them shown, the others counted`;
  return `${count(size - from, 'new record')}, ${disclosed === 'whole' ? 'all shown' : some} (${byteCount(file.length)})`;
}

function answerText(answer: Exported['answer']): string {
  if (answer.kind !== 'answered') return '';
  const { records, dropped } = answer;
  const lost = dropped === 0 ? '' : `; ${dropped} of them are older than logs.keepDays and cannot be shown`;
  return `The main site wanted to see a sample of your own pages: ${count(records, 'record')}${lost}.\n`;
}
