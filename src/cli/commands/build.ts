import { build } from '../../main-site/build.ts';
import { formatProblem } from '../../errors.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import { byteCount, count } from '../quantity.ts';
import { visible } from '../visible.ts';

export const define: Define = (command, context) => {
  command
    .option('-p, --partner <id...>', 'only these partners, by id or tag')
    .option('-o, --out <folder>', 'where to write, one folder a partner', 'build')
    .option('--check', 'render everything and write nothing')
    .addHelpText(
      'after',
      examples({
        'tieup build': 'then open build/<partner>/… in a browser',
        'tieup build --partner harbour --out look': '',
      }),
    )
    .action(async ({ partner = [], out, check }) => {
      const ctx = context();
      const site = await ctx.mainSite();
      const tree = check === true ? undefined : await ctx.tree(out);
      const { partners, warnings } = await build(site, partner, tree);
      for (const warning of warnings) ctx.output.warning(formatProblem(warning));
      ctx.output.result('build', { out: check === true ? null : out, partners, warnings }, () => {
        const rows = partners.map(({ partner: id, pages, files, bytes }) => {
          const where = check === true ? '' : `  ${visible(`${out}/${id}`)}`;
          return `${ctx.output.mark('good', visible(id))}  ${count(pages, 'page')}, ${count(files, 'file')}, ${byteCount(bytes)}${where}\n`;
        });
        return rows.join('');
      });
    });
};
