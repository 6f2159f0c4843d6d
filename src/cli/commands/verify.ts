import { verify } from '../../partner-site/verify.ts';
import { EXIT } from '../../errors.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import { count } from '../quantity.ts';
import { visible } from '../visible.ts';

export const define: Define = (command, context) => {
  command
    .addHelpText('after', examples({ 'tieup verify': 'exits with 6 when a live file is not what was signed' }))
    .action(async () => {
      const ctx = context();
      const { live, differences, kept } = await verify(await ctx.partnerSite());
      ctx.output.result(
        'verify',
        { publication: live?.number ?? null, release: live?.release ?? null, differences, kept },
        () => {
          if (live === undefined) return 'nothing has been published yet\n';
          const yours = kept.map((path) => `  yours, as you chose: ${visible(path)}\n`).join('');
          if (differences.length === 0)
            return `${ctx.output.mark('good', 'everything live is as it was signed')}: ${count(live.files, 'file')}\n${yours}`;
          const lines = differences.map(
            ({ kind, path }) => `  ${ctx.output.mark(kind === 'extra' ? 'warning' : 'bad', kind)} ${visible(path)}\n`,
          );
          return `${ctx.output.mark('bad', count(differences.length, 'difference'))} between the live tree and what was signed\n${lines.join('')}${yours}`;
        },
      );
      if (differences.length > 0) ctx.endWith(EXIT.conflict);
    });
};
