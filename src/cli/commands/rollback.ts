import { rollback, type RolledBack } from '../../partner-site/rollback.ts';
import { TieupError } from '../../errors.ts';
import { parseChoices } from '../choices.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import type { Output } from '../output.ts';
import { shortList, unprunedNotes } from '../unpruned-text.ts';
import { visible } from '../visible.ts';

export const define: Define = (command, context) => {
  command
    .argument('[number]', 'of a publication, see tieup history; the release before the live one unless given')
    .option('--choose <path=choice...>', 'for a file of yours that would be lost: keep-mine or take-theirs')
    .addHelpText('after', examples({ 'tieup rollback': 'back to the release before, at once', 'tieup rollback 4': '' }))
    .action(async (number, { choose = [] }) => {
      const ctx = context();
      const done = await rollback(
        await ctx.partnerSite(),
        number === undefined ? undefined : parseNumber(number),
        parseChoices(choose),
      );
      ctx.output.result('rollback', describe(done), () => render(ctx.output, done));
    });
};

function describe({ to, restored, receipt }: RolledBack): object {
  return {
    publication: to.number,
    live: restored.record.number,
    altered: restored.altered,
    unpruned: restored.unpruned,
    release: to.release,
    receipt: receipt?.state ?? null,
  };
}

function render(output: Output, { to, restored }: RolledBack): string {
  const { record, altered, unpruned } = restored;
  const again =
    record.number === to.number ? '' : `, published again as ${record.number} beside your pages as they are now`;
  return [
    output.mark('good', `release ${to.release?.number ?? '-'} is live again (publication ${to.number}${again})`),
    ...(altered.length === 0
      ? []
      : [
          `Somebody had changed these files of its tree since; what was signed is shown instead:`,
          ...shortList(altered.map(visible)),
        ]),
    'It is held: new releases wait until you run tieup resume',
    ...unprunedNotes(unpruned),
    '',
  ].join('\n');
}

function parseNumber(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new TieupError('TIEUP_E_USAGE', `${JSON.stringify(text)} is not the number of a publication`, {
    hint: 'tieup history lists them',
  });
}
