import { enroll, openAnswer } from '../../main-site/enroll.ts';
import { MAX_INVITATION } from '../../protocol/invitation.ts';
import { compareWords, READ_BY_MANAGER } from '../answers.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import { visible } from '../visible.ts';

export const define: Define = (command, context) => {
  command
    .argument('<file>', 'the answer that the partner sent')
    .option('--yes <words>', 'the six words that the partner’s manager read to you, joined by blanks or dashes')
    .addHelpText('after', examples({ 'tieup enroll harbour.answer': 'shows six words to compare, and asks' }))
    .action(async (file, { yes }) => {
      const ctx = context();
      const site = await ctx.mainSite();
      const enrolment = await openAnswer(site, await ctx.readFile(file, MAX_INVITATION));
      const { partnership, answer, hostKeys, words, digest } = enrolment;
      const { id, name } = partnership;
      const moved = partnership.url === answer.url ? '' : `, in place of ${partnership.url} in its file`;
      ctx.output.message(
        [
          `${visible(name)} (${id}) answers your invitation.`,
          `  its site:       ${visible(answer.url)}${visible(moved)}`,
          `  pushes go to:   ${visible(answer.sftp.url)}`,
          ...hostKeys.map((each) => `  its host key:   ${each}`),
        ].join('\n'),
      );
      await compareWords(ctx, {
        ...READ_BY_MANAGER,
        words,
        digest,
        yes,
        hint: 'if the manager read other words, somebody changed the files on their way: start anew with tieup invite',
      });
      await enroll(site, enrolment);
      ctx.output.result(
        'enroll',
        { partner: id, name, sftp: answer.sftp.url, url: answer.url, hostKeyFingerprints: hostKeys },
        () =>
          `${ctx.output.mark('good', `${visible(name)} is your partner`)}\nNow push your pages:  tieup push ${visible(id)}\n`,
      );
    });
};
