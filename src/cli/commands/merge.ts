import { merge } from '../../partner-site/merge.ts';
import type { Define } from '../define.ts';
import { parseChoices } from '../choices.ts';
import { examples } from '../examples.ts';
import { summarise, summaryText } from '../../merge/summary.ts';
import { planNotes } from '../review-text.ts';
import { describeWentLive, renderWentLive } from '../went-live.ts';

export const define: Define = (command, context) => {
  command
    .option('--choose <path=choice...>', 'for a conflict: keep-mine, take-theirs or rename:<new path>')
    .addHelpText(
      'after',
      examples({
        'tieup merge': 'after you changed your own pages or slots',
        'tieup merge --choose with-main/a.html=keep-mine': '',
      }),
    )
    .action(async ({ choose = [] }) => {
      const ctx = context();
      const merged = await merge(await ctx.partnerSite(), parseChoices(choose));
      ctx.output.message([summaryText(summarise(merged.plan)), ...planNotes(merged)].join('\n'));
      const { strayLinks, wentLive } = merged;
      ctx.output.result('merge', { ...describeWentLive(wentLive), strayLinks }, () =>
        renderWentLive(ctx.output, wentLive),
      );
    });
};
