import { end, listPartnerships, resume, showPartnership, suspend } from '../../main-site/partner-admin.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import { describePartner, partnerSheet, partnerTable } from '../partner-text.ts';
import { visible } from '../visible.ts';

export const define: Define = (command, context) => {
  command.addHelpText(
    'after',
    examples({
      'tieup partner list': '',
      'tieup partner suspend harbour --until 2026-12-31 --reason "stock-taking"': '',
      'tieup partner resume harbour': 'pages can be pushed again',
      'tieup partner end harbour --confirm harbour': 'for good; live pages stay until the partner leaves',
    }),
  );

  command
    .command('list [partner...]')
    .description('One line a partner; all of them, or those named by id or tag.')
    .action(async (partners) => {
      const ctx = context();
      const views = await listPartnerships(await ctx.mainSite(), partners);
      ctx.output.result('partners', { partners: views.map(describePartner) }, () => partnerTable(ctx.output, views));
    });

  command
    .command('show <partner>')
    .description('What is agreed with one partner, and where its pages go.')
    .action(async (partner) => {
      const ctx = context();
      const view = await showPartnership(await ctx.mainSite(), partner);
      ctx.output.result('partner', describePartner(view), () => partnerSheet(ctx.output, view));
    });

  command
    .command('suspend <partner>')
    .description('Push nothing to this partner until it is resumed; its live pages stay.')
    .option('--until <date>', 'the last day, YYYY-MM-DD; a date alone does not resume it')
    .option('--reason <line>', 'why, for your colleagues')
    .action(async (partner, { until, reason }) => {
      const ctx = context();
      const view = await suspend(await ctx.mainSite(), partner, { until, reason });
      ctx.output.result('partner', describePartner(view), () =>
        [
          ctx.output.mark('warning', visible(view.notInForce?.message ?? '')),
          `Its live pages stay; pushes end with exit 11. When it goes on:  tieup partner resume ${visible(partner)}\n`,
        ].join('\n'),
      );
    });

  command
    .command('resume <partner>')
    .description('End a suspension, or what a rollback holds.')
    .action(async (partner) => {
      const ctx = context();
      const view = await resume(await ctx.mainSite(), partner);
      ctx.output.result('partner', describePartner(view), () => {
        const done = ctx.output.mark('good', `the partnership with ${visible(partner)} goes on`);
        const still = view.notInForce;
        if (still === undefined) return `${done}\nNow push what has changed:  tieup push ${visible(partner)}\n`;
        return `${done}\n${ctx.output.mark('warning', `but ${visible(still.message)}`)}\n  ${still.hint}\n`;
      });
    });

  command
    .command('end <partner>')
    .description('End a partnership for good; the live pages stay until the partner removes them with tieup leave.')
    .option('--confirm <partner>', 'the id of the partner once more')
    .action(async (partner, { confirm }) => {
      const ctx = context();
      const view = await end(await ctx.mainSite(), partner, confirm);
      ctx.output.result('partner', describePartner(view), () =>
        [
          ctx.output.mark('good', `the partnership with ${visible(partner)} has ended`),
          'Nothing is pushed there any more. Its live pages stay until the partner runs tieup leave.\n',
        ].join('\n'),
      );
    });
};
