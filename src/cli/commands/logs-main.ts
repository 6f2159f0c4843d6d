import type { DocumentData } from '../documents/catalog.ts';
import { TieupError } from '../../errors.ts';
import type { CanaryResult } from '../../main-site/send-canaries.ts';
import { pullLogs, type PullResult } from '../../main-site/pull-logs.ts';
import type { Context } from '../command-context.ts';
import type { Define } from '../define.ts';
import { namedFile } from '../named-file.ts';
import { describeFailure, endWithFailures, naming } from '../partner-results.ts';
import { describePull, pullText, tellFindings } from '../pull-text.ts';
import { count } from '../quantity.ts';
import { visible } from '../visible.ts';

const CONCURRENCY = 8;
const MAX_CANARIES = 20;

export const defineLogsAtMain: Define = (command, context) => {
  command
    .command('pull [partner...]')
    .description('Pulls exported access logs, verifies every record, keeps, cosigns and imports them.')
    .action(async (partners) => {
      const ctx = context();
      showPulled(ctx, await pullLogs(await ctx.mainSite(), partners, CONCURRENCY));
    });
  command
    .command('import [file...]')
    .description('Imports an export that came by mail, or, without files, what was pulled before DuckDB was installed.')
    .option('--again', 'import everything that was ever pulled once more')
    .action(async (names, { again }) => {
      const ctx = context();
      const { importFiles, importPulled } = await import('../../main-site/import-logs.ts');
      const site = await ctx.mainSite();
      if (names.length > 0) {
        if (again === true) throw new TieupError('TIEUP_E_USAGE', '--again goes without files');
        const files = [];
        for (const name of names) files.push(await namedFile(ctx, name));
        showPulled(ctx, [await importFiles(site, files)]);
        return;
      }
      const partners = await importPulled(site, again === true);
      ctx.output.result('logs-import', { partners }, () =>
        partners
          .map(({ partner, records }) => `${ctx.output.mark('good', visible(partner))}: ${count(records, 'record')}\n`)
          .join(''),
      );
    });
  command
    .command('canary [partner...]')
    .description("Visits tie-up pages as anybody would; the next pulls look for these visits in the partners' logs.")
    .option('--visits <n>', 'visits to each partner', '1')
    .action(async (partners, { visits }) => {
      const ctx = context();
      const each = Number(visits);
      if (!Number.isInteger(each) || each < 1 || each > MAX_CANARIES) {
        throw new TieupError('TIEUP_E_USAGE', `${JSON.stringify(visits)} is no number from 1 to ${MAX_CANARIES}`);
      }
      const { sendCanaries } = await import('../../main-site/send-canaries.ts');
      const results = await sendCanaries(await ctx.mainSite(), partners, each);
      ctx.output.result('logs-canary', { partners: results.map(describeCanary) }, () =>
        results.map((result) => canaryText(ctx, result)).join(''),
      );
      const failures = results.filter((result) => result.kind === 'failed');
      endWithFailures(ctx, failures, results.length, naming('tieup logs canary'));
    });
};

function showPulled(ctx: Context, results: readonly PullResult[]): void {
  ctx.output.result('logs-pull', { partners: results.map(describePull) }, () =>
    results.map((each) => pullText(ctx.output, each)).join(''),
  );
  tellFindings(ctx.output, results);
  const failures = results.filter((each) => each.kind === 'failed');
  endWithFailures(ctx, failures, results.length, naming('tieup logs pull'));
}

function describeCanary(result: CanaryResult): DocumentData<'logs-canary'>['partners'][number] {
  const { partner } = result;
  switch (result.kind) {
    case 'failed':
      return describeFailure(result);
    case 'no-pages':
      return { partner, result: result.kind };
    case 'sent':
      return { partner, result: result.kind, sent: result.sent, unexpected: result.unexpected };
  }
}

function canaryText(ctx: Context, result: CanaryResult): string {
  const partner = visible(result.partner);
  switch (result.kind) {
    case 'no-pages':
      return `${ctx.output.mark('waiting', `${partner}: nothing was pushed yet`)}\n`;
    case 'failed':
      return `${ctx.output.mark('bad', `${partner}: not reached`)}\n`;
    case 'sent': {
      const notLive = result.unexpected.map((each) => `  not counted: ${visible(each)}\n`).join('');
      return `${ctx.output.mark('good', `${partner}: ${count(result.sent, 'visit')}`)}, kept secret\n${notLive}`;
    }
  }
}
