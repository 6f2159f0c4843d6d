import { history } from '../../publish/records.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import { table } from '../table.ts';

export const define: Define = (command, context) => {
  command
    .addHelpText('after', examples({ 'tieup history': 'what was published here, the newest first' }))
    .action(async () => {
      const ctx = context();
      const records = await history((await ctx.partnerSite()).ports);
      ctx.output.result('history', { publications: records }, () => {
        if (records.length === 0) return 'nothing has been published yet\n';
        const rows = records.map(({ number, time, release, pages, restores }) => [
          String(number),
          time,
          release === null ? '-' : String(release.number),
          String(pages.tieUp),
          restores === null ? '' : `restores ${restores}`,
        ]);
        return table(['publication', 'time', 'release', 'tie-up pages', ''], rows);
      });
    });
};
