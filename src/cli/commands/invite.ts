import { invite } from '../../main-site/invite.ts';
import { TieupError } from '../../errors.ts';
import { wordLines } from '../answers.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import { mainSiteWith, ROOT_KEYS } from '../key-folder.ts';
import { kitFileFor } from '../kit-file.ts';
import { byteCount, count } from '../quantity.ts';
import { visible } from '../visible.ts';

const MAX_HOURS = 24 * 90;

export const define: Define = (command, context) => {
  command
    .argument('<partner>', 'the id of the partner; partners/<id>.yaml says what is agreed')
    .option('-o, --out <file>', 'where to write the invitation; <partner>.invitation unless given')
    .option('--hours <number>', 'how long it may be answered', '72')
    .option('--root-keys <folder>', ROOT_KEYS)
    .addHelpText(
      'after',
      examples({ 'tieup invite harbour': 'writes harbour.invitation and, from kit/, harbour.kit: send both' }),
    )
    .action(async (partner, { out, hours, rootKeys }) => {
      const ctx = context();
      const file = out ?? `${partner}.invitation`;
      const invited = await invite(await mainSiteWith(ctx, rootKeys), { partner, hours: parseHours(hours) });
      const { words, digest, until, kit } = invited;
      const kitFile = kit === undefined ? null : kitFileFor(file);
      await ctx.writeFile(file, invited.bytes);
      if (kit !== undefined && kitFile !== null) await ctx.writeFile(kitFile, kit.bytes);
      ctx.output.result('invite', { partner, file, kit: kitFile, until, words, digest }, () =>
        [
          ctx.output.mark('good', `invitation for ${visible(invited.partnership.name)} in ${visible(file)}`),
          ...(kit === undefined || kitFile === null
            ? []
            : [
                ctx.output.mark(
                  'good',
                  `kit of ${count(kit.files, 'file')} (${byteCount(kit.bytes.length)}) in ${visible(kitFile)}`,
                ),
              ]),
          `Send ${kit === undefined ? 'it' : 'both files'} to the partner. The invitation is good for one answer, until ${until}.`,
          ...(invited.partnership.invitation === null
            ? []
            : ['It takes the place of the one before, whose answer is not taken in any more.']),
          ...(invited.partnership.publisher === 'main' ? [PUBLISHES] : []),
          `By telephone, read these six words to the partner; its tieup join shows what they must be:`,
          ...wordLines(words, digest, ctx.output),
          `Then take in the answer:  tieup enroll <answer file>\n`,
        ].join('\n'),
      );
    });
};

const PUBLISHES =
  'You publish there yourself: once its manager has agreed, tieup push changes the live pages. The terms say so to the partner.';

function parseHours(text: string): number {
  const hours = Number(text);
  if (Number.isInteger(hours) && hours >= 1 && hours <= MAX_HOURS) return hours;
  throw new TieupError('TIEUP_E_USAGE', `${JSON.stringify(text)} is not a number of hours from 1 to ${MAX_HOURS}`);
}
