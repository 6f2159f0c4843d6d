import { resume } from '../../partner-site/rollback.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import { describeWentLive, renderWentLive } from '../went-live.ts';

export const define: Define = (command, context) => {
  command
    .addHelpText(
      'after',
      examples({ 'tieup resume': 'ends a rollback: the release you accepted last is published again' }),
    )
    .action(async () => {
      const ctx = context();
      const { wentLive } = await resume(await ctx.partnerSite());
      ctx.output.result('resume', describeWentLive(wentLive), () => renderWentLive(ctx.output, wentLive));
    });
};
