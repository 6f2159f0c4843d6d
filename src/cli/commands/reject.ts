import { reject } from '../../partner-site/reject.ts';
import type { Define } from '../define.ts';
import { ACCEPT_KEY } from '../key-folder.ts';
import { answer } from '../answers.ts';
import { examples } from '../examples.ts';
import { visible } from '../visible.ts';

export const define: Define = (command, context) => {
  command
    .option('-r, --reason <text>', 'why; the main site reads it')
    .option('--key <place>', ACCEPT_KEY)
    .addHelpText('after', examples({ 'tieup reject --reason "the prices are last year’s"': '' }))
    .action(async ({ reason, key }) => {
      const ctx = context();
      const site = await ctx.partnerSite(key);
      const why = await answer(ctx, { flag: '--reason', given: reason, ask: 'Why do you reject the release?' });
      const decision = await reject(site, why);
      const { release, releaseDigest, seq } = decision;
      ctx.output.result(
        'reject',
        { release, releaseDigest, seq, reason: why },
        () =>
          `${ctx.output.mark('bad', `release ${release} rejected`)}: ${visible(why)}\nNothing on your site changed; the main site sees your reason.\n`,
      );
    });
};
