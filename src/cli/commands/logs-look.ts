/** `tieup logs detect` and `tieup logs show`: looking before anything leaves. */
import { TieupError } from '../../errors.ts';
import { type Detected, detectLog, filesPattern } from '../../partner-site/detect-log.ts';
import { showLogs, type ShownLogs } from '../../partner-site/show-logs.ts';
import type { LogRecord } from '../../protocol/log-record.ts';
import type { Define } from '../define.ts';
import { disclosure } from '../log-choice.ts';
import type { Output } from '../output.ts';
import { byteCount, count } from '../quantity.ts';
import { visible } from '../visible.ts';

const LIMIT = 100;
const MAX_LIMIT = 100_000;

export const defineLogsLook: Define = (command, context) => {
  command
    .command('detect <file>')
    .description(
      'Names the format of an access log, shows how its lines are read, and prints the lines for tieup.yaml.',
    )
    .option('--format <format>', 'try this name, or the log_format or LogFormat of the web server')
    .action(async (file, { format }) => {
      const ctx = context();
      const found = await detectLog(await ctx.logFiles(), file, format, await ctx.countingThread());
      const given = format ?? found.format.name;
      const examples = found.examples.map(({ line, fields }) => ({ line, fields: Object.fromEntries(fields) }));
      const data = {
        path: found.path,
        format: given,
        lines: found.lines,
        read: found.read,
        examples,
        counted: found.counted,
        failed: found.failed === undefined ? null : { line: found.failed.line, at: found.failed.at ?? null },
        caution: found.caution ?? null,
      };
      if (found.caution !== undefined) ctx.output.warning(found.caution);
      ctx.output.result('logs-detect', data, () => detectedText(ctx.output, found, given));
    });
  command
    .command('show')
    .description('Shows what would leave with the next export, and what would only be counted. Nothing leaves.')
    .option('--log <log>', 'T (tie-up pages), O (your own pages) or all: as with export')
    .option('--only <filter...>', 'only records such as status=404 or path~/shop')
    .option('--from <day>', 'only records from this day on')
    .option('--to <day>', 'only records up to this day')
    .option('--commit', 'read what is new in the log files first')
    .option('--limit <number>', 'how many records to print', String(LIMIT))
    .action(async ({ log, only = [], from, to, commit, limit }) => {
      const ctx = context();
      const disclose = disclosure(log, { only, from, to });
      const request = { commit: commit === true, disclose, limit: limitOf(limit) };
      const shown = await showLogs(await ctx.partnerSite(), request);
      if (shown.sample.kind === 'refused') ctx.output.warning(shown.sample.why);
      for (const warning of shown.warnings) ctx.output.warning(warning);
      ctx.output.result('logs-show', shown, () => shownText(ctx.output, shown));
      if (!request.commit)
        ctx.output.message('What was logged since the last commit is not in it:  tieup logs show --commit');
    });
};

function limitOf(text: string): number {
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (limit <= MAX_LIMIT) return limit;
  throw new TieupError('TIEUP_E_USAGE', `--limit ${JSON.stringify(text)} is not a number up to ${MAX_LIMIT}`);
}

function detectedText(output: Output, { path, counted, examples, failed }: Detected, format: string): string {
  const { lines, unreadable } = counted;
  const mark = unreadable === 0 ? 'good' : 'warning';
  const parts = [
    `${output.mark(mark, `${visible(path)} is read as ${visible(format)}`)}: ${lines - unreadable} of ${count(lines, 'line')}\n`,
  ];
  for (const { line, fields } of examples) {
    parts.push(`\n${output.faint(visible(line.slice(0, 300)))}\n`);
    for (const [name, value] of fields) parts.push(`  ${name.padEnd(9)} ${visible(value)}\n`);
  }
  if (failed !== undefined) {
    const at = failed.at === undefined ? '' : ` at ${visible(failed.at)}`;
    parts.push(`\nThe first line that does not fit${at}:\n${output.faint(visible(failed.line.slice(0, 300)))}\n`);
  }
  // JSON strings are YAML strings, whatever is in them.
  const files = JSON.stringify(filesPattern(path));
  parts.push(
    '\nIf that is right, these are the lines for tieup.yaml:\n\n',
    `logs:\n  sources:\n    - files: ${files}\n      format: ${JSON.stringify(format)}\n`,
  );
  return parts.join('');
}

function shownText(output: Output, { logs, records, sample, disk, counts, epoch }: ShownLogs): string {
  const listed = [
    ...recordsText(output, records, logs.T.leaving + logs.O.leaving),
    ...(sample.kind === 'demanded'
      ? [
          `${output.strong('The main site demanded to see, of your own pages')}\n`,
          ...recordsText(output, sample.records, sample.leaving),
        ]
      : []),
  ];
  return [
    ...listed,
    `${output.strong('Would leave with the next export')}\n`,
    `  tie-up pages    ${leaving(logs.T)}\n`,
    `  your own pages  ${leaving(logs.O)}\n`,
    ...(sample.kind === 'demanded' ? [`  on demand       ${demanded(sample)}\n`] : []),
    `Read in epoch ${epoch}: ${count(counts.lines, 'line')} = ${counts.T} of tie-up pages + ${counts.O} of your own + ${counts.X} unreadable\n`,
    `Kept here: ${byteCount(disk.bytes)} in ${count(disk.files, 'file')}\n`,
  ].join('');
}

/** The first records of `total`, and that there are more. */
function recordsText(output: Output, records: readonly LogRecord[], total: number): readonly string[] {
  const more = total - records.length;
  return [
    ...records.map(recordText),
    ...(more > 0 ? [output.faint(`… and ${count(more, 'record')} more; see --limit`), '\n'] : []),
    ...(records.length === 0 ? [] : ['\n']),
  ];
}

function demanded({ leaving: shown, dropped }: Extract<ShownLogs['sample'], { kind: 'demanded' }>): string {
  const lost = dropped === 0 ? '' : `; ${dropped} more are older than logs.keepDays and cannot be shown`;
  return `${count(shown, 'record')} of your own pages, which the main site drew by lot${lost}`;
}

function leaving({ leaving: shown, counted, cosigned }: ShownLogs['logs']['T']): string {
  return `${count(shown, 'record')}, ${counted} more only counted; ${cosigned} handed over before`;
}

/** Every field that has a value: what is not printed does not leave. */
function recordText(record: LogRecord): string {
  const { seq, class: kind, time, method, path, query, protocol, status, bytes, signals, ...rest } = record;
  const request = `${method} ${path}${query === '' ? '' : `?${query}`} ${protocol}`.trim();
  const answer = [status ?? '', bytes === null ? '' : `${bytes} bytes`].join(' ').trim();
  const others = Object.entries({ ...rest, signals: signals.join(',') })
    .filter(([, value]) => value !== '' && value !== null)
    .map(([name, value]) => `${name}=${value}`);
  const first = [String(seq), kind, time, visible(request), answer].filter((each) => each !== '').join('  ');
  return others.length === 0 ? `${first}\n` : `${first}\n    ${visible(others.join('  '))}\n`;
}
