/** `tieup logs schedule` and `tieup logs new-epoch`. */
import type { DocumentData } from '../documents/catalog.ts';
import { TieupError } from '../../errors.ts';
import { requireLogs } from '../../partner-site/commit-logs.ts';
import { type BegunEpoch, newEpoch } from '../../partner-site/new-epoch.ts';
import type { Define } from '../define.ts';
import { assertConfirmed } from '../key-folder.ts';
import { logJobs } from '../log-jobs.ts';
import type { Output } from '../output.ts';
import { ownCall } from '../package-files.ts';
import { count } from '../quantity.ts';

export const defineLogsUpkeep: Define = (command, context) => {
  command
    .command('schedule')
    .description('Prints what lets the logs be read and exported by themselves: cron lines and systemd units.')
    .action(async () => {
      const ctx = context();
      const { folder, config } = await ctx.partnerConfig();
      const jobs = logJobs(folder, requireLogs({ config }).export.at, ownCall());
      ctx.output.result('logs-schedule', jobs, () =>
        [
          'For cron, add with crontab -e, as the user who may read the logs:\n\n',
          jobs.cron,
          '\nOr for systemd, in /etc/systemd/system/:\n',
          ...Object.entries(jobs.systemd).map(([name, unit]) => `\n# ${name}\n${unit}`),
          '\nThen: systemctl daemon-reload && systemctl enable --now tieup-logs-commit.timer tieup-logs-export.timer\n',
        ].join(''),
      );
    });
  command
    .command('new-epoch')
    .description(
      'Begins the logs anew, by the word of the manager: after the log key was replaced or the state was lost.',
    )
    .requiredOption('--reason <text>', 'why, for the main site')
    .option('--confirm <partner>', 'the id of your site in the partnership')
    .option('--from-now', 'the state was lost: read only lines that come from now on')
    .option('--from-start', 'the state was lost: read every line that is in the log files')
    .action(async ({ reason, confirm, fromNow, fromStart }) => {
      const ctx = context();
      const site = await ctx.partnerSite();
      assertConfirmed(confirm, site.config.partner, 'beginning the logs anew');
      if (fromNow === true && fromStart === true) {
        throw new TieupError('TIEUP_E_USAGE', '--from-now and --from-start exclude each other');
      }
      const lost = fromNow === true ? 'from-now' : fromStart === true ? 'from-start' : undefined;
      const begun = await newEpoch(site, { reason, lost });
      ctx.output.result('logs-new-epoch', describe(begun), () => text(ctx.output, begun));
    });
};

function describe({ epoch, previous, carried }: BegunEpoch): DocumentData<'logs-new-epoch'> {
  const head = (log: 'T' | 'O') => {
    const found = previous[log];
    return found === null ? null : { size: found.size, root: Buffer.from(found.root).toString('hex') };
  };
  return { epoch, carried, previous: { T: head('T'), O: head('O') } };
}

function text(output: Output, { epoch, previous, carried }: BegunEpoch): string {
  const before = (previous.T?.size ?? 0) + (previous.O?.size ?? 0);
  return [
    `${output.mark('good', `epoch ${epoch} of the logs has begun`)}\n`,
    `The main site has cosigned ${count(before, 'record')} of the one before; they stay what they are.\n`,
    ...(carried === 0 ? [] : [`${count(carried, 'record')} that it had not cosigned yet belong to the new one.\n`]),
    'It takes part from the next export on:  tieup logs export\n',
  ].join('');
}
