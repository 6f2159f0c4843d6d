import { unlock } from '../../main-site/unlock.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import { visible } from '../visible.ts';

export const define: Define = (command, context) => {
  command
    .argument('<partner>', 'the id of the partner')
    .addHelpText(
      'after',
      examples({ 'tieup unlock harbour': 'when a push was killed and the next one says that the inbox is locked' }),
    )
    .action(async (partner) => {
      const ctx = context();
      const holder = await unlock(await ctx.mainSite(), partner);
      ctx.output.result('unlock', { partner, holder: holder ?? null }, () =>
        holder === undefined
          ? `the inbox of ${visible(partner)} was not locked\n`
          : `${ctx.output.mark('good', `removed the lock of ${visible(holder.who)}`)}\n`,
      );
    });
};
