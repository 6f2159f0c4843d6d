import { TieupError } from '../../errors.ts';
import { history as publicationsOf, type PublicationRecord } from '../../publish/records.ts';
import type { History, HistoryEntry } from '../../protocol/history.ts';
import type { Context } from '../command-context.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import { parseNumber } from '../quantity.ts';
import { table } from '../table.ts';
import { visible } from '../visible.ts';

const LAST = 50;

export const define: Define = (command, context) => {
  command
    .argument('[partner...]', 'main site: only what was done for these partners, by id')
    .option('-n, --last <n>', 'so many lines', String(LAST))
    .addHelpText(
      'after',
      examples({
        'tieup history': 'what was done here, by whom and when, the newest first; at a partner also what was published',
        'tieup history harbour -n 10': 'main site: the last ten actions for one partner',
      }),
    )
    .action(async (partners, { last }) => {
      const ctx = context();
      const limit = parseNumber(last, '--last');
      await ((await ctx.role()) === 'main' ? showMain(ctx, partners, limit) : showPartner(ctx, limit));
    });
};

async function showMain(ctx: Context, partners: readonly string[], limit: number): Promise<void> {
  const found = await (await ctx.mainSite()).history.read();
  const entries = found.entries.filter(({ partner }) => partners.length === 0 || partners.includes(partner ?? ''));
  const actions = entries.slice(-limit).toReversed();
  ctx.output.result('history', { actions, faults: found.faults }, () => actionsText(actions, true));
  refuseBroken(found);
}

async function showPartner(ctx: Context, limit: number): Promise<void> {
  const site = await ctx.partnerSite();
  const publications = await publicationsOf(site.ports);
  const found = await site.history.read();
  const actions = found.entries.slice(-limit).toReversed();
  ctx.output.result('history', { publications, actions, faults: found.faults }, () =>
    [publicationsText(publications), ...(actions.length === 0 ? [] : [actionsText(actions, false)])].join('\n'),
  );
  refuseBroken(found);
}

/** The actions are shown all the same. @throws TIEUP_E_VERIFY. */
function refuseBroken({ faults }: History): void {
  if (faults.length === 0) return;
  throw new TieupError('TIEUP_E_VERIFY', 'the history was changed, or damaged', {
    problems: faults.map((message) => ({ message })),
    hint: 'compare it with a backup; new lines are added after it all the same',
  });
}

function publicationsText(publications: readonly PublicationRecord[]): string {
  if (publications.length === 0) return 'nothing has been published yet\n';
  const rows = publications.map(({ number, time, release, pages, restores }) => [
    String(number),
    time,
    release === null ? '-' : String(release.number),
    String(pages.tieUp),
    restores === null ? '' : `restores ${restores}`,
  ]);
  return table(['publication', 'time', 'release', 'tie-up pages', ''], rows);
}

function actionsText(actions: readonly HistoryEntry[], withPartner: boolean): string {
  if (actions.length === 0) return 'nothing was done here yet\n';
  const rows = actions.map(({ time, who, action, partner, release, digest, detail }) => [
    time,
    visible(who),
    visible(action),
    ...(withPartner ? [visible(partner ?? '-')] : []),
    release === undefined ? '-' : String(release),
    digest?.slice(0, 12) ?? '-',
    visible(detail ?? ''),
  ]);
  return table(['time', 'who', 'action', ...(withPartner ? ['partner'] : []), 'release', 'digest', ''], rows);
}
