import { resolve } from 'node:path';
import { build, type BuiltPartner } from '../../main-site/build.ts';
import { TieupError } from '../../errors.ts';
import type { Context } from '../command-context.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import { sayContentWarnings } from '../partner-results.ts';
import { byteCount, count } from '../quantity.ts';
import { momentOption } from '../schedule-text.ts';
import { visible } from '../visible.ts';

export const define: Define = (command, context) => {
  command
    .option('-p, --partner <id...>', 'only these partners, by id or tag')
    .option('-o, --out <folder>', 'where to write, one folder a partner', 'build')
    .option('--at <time>', 'as on that day or at that time: pages come and go by date')
    .option('--check', 'render everything and write nothing')
    .option('--serve', 'show the result on this machine, as a web server would, until Ctrl-C')
    .addHelpText(
      'after',
      examples({
        'tieup build --serve': 'then open what it prints in a browser',
        'tieup build --partner harbour --out look': '',
      }),
    )
    .action(async ({ partner = [], out, at, check, serve }) => {
      const ctx = context();
      if (check === true && serve === true) {
        throw new TieupError('TIEUP_E_USAGE', '--check writes nothing that --serve could show', {
          hint: 'leave one of them out',
        });
      }
      const site = await ctx.mainSite();
      const output = check === true ? undefined : { files: await ctx.tree(out), folder: await ctx.outputFolder(out) };
      const { partners, warnings } = await build(
        site,
        partner,
        output,
        momentOption('--at', at, site.config.site.timeZone),
      );
      sayContentWarnings(ctx, warnings);
      ctx.output.result('build', { out: check === true ? null : out, partners, warnings }, () => {
        const rows = partners.map(({ partner: id, pages, files, bytes, written }) => {
          const where = check === true ? '' : `  ${visible(`${out}/${id}`)}`;
          return `${ctx.output.mark('good', visible(id))}  ${count(pages, 'page')}, ${count(files, 'file')}, ${byteCount(bytes)}${check === true ? '' : written === 0 ? ', all there already' : `, ${written} of them new`}${where}\n`;
        });
        return rows.join('');
      });
      if (serve === true) await show(ctx, out, partners);
    });
};

/** Links in pages begin at the root of the partner's site, so a folder that is opened as files shows them without their styles. */
async function show(ctx: Context, out: string, partners: readonly BuiltPartner[]): Promise<void> {
  const stage = ctx.demoStage();
  const servers = [];
  try {
    for (const { partner, mount } of partners) {
      const server = await stage.startWeb(resolve(ctx.folder, out, partner));
      servers.push(server);
      ctx.output.message(`  ${visible(partner)}: http://127.0.0.1:${server.port}${mount}`);
    }
    ctx.output.message('until you press Ctrl-C');
    await ctx.interrupted();
  } finally {
    for (const server of servers) await server.close();
  }
}
