import { comeBack, leave, type LeavePlan, type LeaveResult } from '../../partner-site/leave.ts';
import { TieupError } from '../../errors.ts';
import { parseChoices } from '../choices.ts';
import { chooseForConflicts } from '../choose-for-conflicts.ts';
import type { Context } from '../command-context.ts';
import type { Define } from '../define.ts';
import { ACCEPT_KEY } from '../key-folder.ts';
import { examples } from '../examples.ts';
import { describeLeaving, leavingText } from '../leaving-text.ts';
import { count } from '../quantity.ts';
import { unprunedNotes } from '../unpruned-text.ts';
import { visible } from '../visible.ts';

export const define: Define = (command, context) => {
  command
    .option('--confirm <partner>', 'do it without being asked: the id of your site in the partnership')
    .option('--reason <text>', 'what to tell the main site')
    .option('--choose <path=choice...>', 'for a tie-up page that you edited: keep-mine or take-theirs')
    .option('--key <place>', ACCEPT_KEY)
    .option('--undo', 'take releases again; nothing is published until you accept one')
    .addHelpText(
      'after',
      examples({
        'tieup leave': 'shows what goes, asks, and takes it away; your own pages stay',
        'tieup leave --confirm harbour --reason "we close the shop"': '',
        'tieup leave --undo': 'then tieup accept',
      }),
    )
    .action(async ({ confirm, reason, choose, undo, key }) => {
      const ctx = context();
      if (undo === true) return goBack(ctx);
      const site = await ctx.partnerSite(key);
      const { partner } = site.config;
      if (confirm !== undefined && confirm !== partner) {
        throw new TieupError('TIEUP_E_USAGE', `--confirm ${JSON.stringify(confirm)} does not name this partner`, {
          hint: `to leave: tieup leave --confirm ${partner}`,
        });
      }
      const prompt = await ctx.prompt();
      const result = await leave(site, {
        reason: reason ?? null,
        choices: parseChoices(choose ?? []),
        choose: (conflicts) =>
          confirm === undefined ? chooseForConflicts(ctx.output, prompt, conflicts) : Promise.resolve(undefined),
        async confirm(plan: LeavePlan) {
          ctx.output.message(leavingText(ctx.output, plan));
          if (confirm !== undefined) return true;
          if (prompt.interactive) return prompt.confirm('Take these pages away and leave the partnership?');
          throw new TieupError('TIEUP_E_USAGE', 'there is nobody to ask', {
            hint: `to leave: tieup leave --confirm ${partner}`,
          });
        },
      });
      report(ctx, result);
    });
};

function report({ output }: Context, result: LeaveResult): void {
  switch (result.kind) {
    case 'declined':
      throw new TieupError('TIEUP_E_DECLINED', 'you did not leave, nothing changed');
    case 'left-already':
      return output.result('leave', { result: result.kind, since: result.left.since }, () =>
        [
          output.mark('good', `you left on ${result.left.since.slice(0, 10)}, and no tie-up page is live`),
          'To take releases again:  tieup leave --undo\n',
        ].join('\n'),
      );
    case 'left':
      return output.result('leave', describeLeaving(result), () => {
        const { plan, publication } = result;
        const gone = plan.removals.filter(({ original }) => !original).map(({ path }) => `  - ${visible(path)}\n`);
        const kept = `${count(publication.record.pages.original, 'page')} of your own`;
        return [
          `${output.mark('good', 'you have left the partnership')}: no tie-up page is live, only ${kept}`,
          `Taken away:\n${gone.join('')}To take releases again:  tieup leave --undo`,
          ...unprunedNotes(publication.unpruned),
          '',
        ].join('\n');
      });
  }
}

async function goBack(ctx: Context): Promise<void> {
  const { since } = await comeBack(await ctx.partnerSite());
  ctx.output.result('leave', { result: 'came-back', since }, () =>
    [
      ctx.output.mark('good', `the leaving of ${since.slice(0, 10)} is taken back`),
      'Nothing was published. To see what waits for you:  tieup status\n',
    ].join('\n'),
  );
}
