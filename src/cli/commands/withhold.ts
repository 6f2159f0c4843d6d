import { withhold } from '../../partner-site/merge.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import { planNotes } from '../review-text.ts';
import { unprunedNotes } from '../unpruned-text.ts';
import { describeWentLive, handedOverText } from '../went-live.ts';
import { visible } from '../visible.ts';

export const define: Define = (command, context) => {
  command
    .argument('<page>', 'the tie-up page, as in its address')
    .option('--undo', 'bring the page back')
    .addHelpText(
      'after',
      examples({
        'tieup withhold /with-main/offers.html': 'takes the page off your site',
        'tieup withhold offers --undo': 'brings it back',
      }),
    )
    .action(async (page, { undo }) => {
      const ctx = context();
      const done = await withhold(await ctx.partnerSite(), { page, undo: undo === true });
      for (const note of planNotes(done)) ctx.output.message(note);
      const what = undo === true ? 'is published again' : 'is withheld, and stays so in later releases';
      ctx.output.result(
        'withhold',
        {
          path: done.path,
          withheld: undo !== true,
          ...describeWentLive(done.wentLive),
          strayLinks: done.strayLinks,
        },
        () =>
          [
            ctx.output.mark('good', `${visible(done.path)} ${what}`),
            ...(done.wentLive === undefined
              ? [handedOverText(ctx.output).trimEnd()]
              : unprunedNotes(done.wentLive.publication.unpruned)),
            '',
          ].join('\n'),
      );
    });
};
