import { enroll, openAnswer } from '../../main-site/enroll.ts';
import { MAX_INVITATION } from '../../protocol/invitation.ts';
import { TieupError } from '../../errors.ts';
import type { Define } from '../define.ts';
import { nobodyToAsk } from '../answers.ts';
import { examples } from '../examples.ts';
import { visible } from '../visible.ts';

export const define: Define = (command, context) => {
  command
    .argument('<file>', 'the answer that the partner sent')
    .option('--yes <words>', 'the six words that the partner read to you, joined by blanks or dashes')
    .addHelpText('after', examples({ 'tieup enroll harbour.answer': 'shows six words to compare, and asks' }))
    .action(async (file, { yes }) => {
      const ctx = context();
      const site = await ctx.mainSite();
      const enrolment = await openAnswer(site, await ctx.readFile(file, MAX_INVITATION));
      const { partnership, answer, words } = enrolment;
      const { id, name } = partnership;
      ctx.output.message(
        [
          `${name} (${id}) answers your invitation.`,
          `  its site:  ${answer.url}`,
          `  pushes go to:  ${answer.sftp.url}`,
          `Ask the partner to read its six words to you. They must be:\n  ${words.join(' ')}`,
        ].join('\n'),
      );
      if (yes === undefined) {
        const prompt = await ctx.prompt();
        if (!prompt.interactive) throw nobodyToAsk('--yes');
        if (!(await prompt.confirm('Are they the same?')))
          throw new TieupError('TIEUP_E_DECLINED', 'the words differ, so nothing was recorded');
      } else if (
        yes
          .trim()
          .split(/[\s-]+/)
          .join(' ') !== words.join(' ')
      ) {
        throw new TieupError('TIEUP_E_VERIFY', 'these are not the words of this answer, so nothing was recorded', {
          hint: 'somebody may have changed the files on their way: start anew with tieup invite',
        });
      }
      await enroll(site, enrolment);
      ctx.output.result(
        'enroll',
        { partner: id, name, sftp: answer.sftp.url, url: answer.url },
        () =>
          `${ctx.output.mark('good', `${visible(name)} is your partner`)}\nNow push your pages:  tieup push ${visible(id)}\n`,
      );
    });
};
