import { rollback } from '../../partner-site/rollback.ts';
import { TieupError } from '../../errors.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';

export const define: Define = (command, context) => {
  command
    .argument('[number]', 'of a publication, see tieup history; the release before the live one unless given')
    .addHelpText('after', examples({ 'tieup rollback': 'back to the release before, at once', 'tieup rollback 4': '' }))
    .action(async (number) => {
      const ctx = context();
      const { to, receipt } = await rollback(
        await ctx.partnerSite(),
        number === undefined ? undefined : parseNumber(number),
      );
      ctx.output.result(
        'rollback',
        { publication: to.number, release: to.release, receipt: receipt?.state ?? null },
        () =>
          [
            ctx.output.mark('good', `release ${to.release?.number ?? '-'} is live again (publication ${to.number})`),
            'It is held: new releases wait until you run tieup resume\n',
          ].join('\n'),
      );
    });
};

function parseNumber(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new TieupError('TIEUP_E_USAGE', `${JSON.stringify(text)} is not the number of a publication`, {
    hint: 'tieup history lists them',
  });
}
