import type { DocumentData } from '../documents/catalog.ts';
import { rollbackTo } from '../../main-site/rollback.ts';
import { parseDeleteLimit } from '../../main-site/delete-limit.ts';
import { rollback, type RolledBack } from '../../partner-site/rollback.ts';
import { TieupError } from '../../errors.ts';
import { parseChoices } from '../choices.ts';
import type { Context } from '../command-context.ts';
import type { Define } from '../define.ts';
import { ACCEPT_KEY } from '../key-folder.ts';
import { examples } from '../examples.ts';
import { parseNames } from '../names.ts';
import type { Output } from '../output.ts';
import { faultOf } from '../../main-site/trouble.ts';
import { describeWhole } from '../push-outcome.ts';
import { renderPush, sayTroubles, showStep } from '../push-text.ts';
import { given } from '../quantity.ts';
import { shortList, unprunedNotes } from '../unpruned-text.ts';
import { visible } from '../visible.ts';

/** One partner is served, and nobody waits for it. */
const DEADLINE_MS = 15 * 60 * 1000;

export const define: Define = (command, context) => {
  command
    .argument('[number]', 'partner site: of a publication, see tieup history; the one before the live one unless given')
    .option('--choose <path=choice...>', 'for a file of yours that would be lost: keep-mine or take-theirs')
    .option('--key <place>', ACCEPT_KEY)
    .option('--partner <id>', 'main site: the partner that gets an earlier release again, as a new one')
    .option('--to <n>', 'main site: whose pages it gets; those before the newest unless given')
    .option('-m, --message <text>', 'main site: why, for the partner’s manager')
    .option('-s, --subject <line>', 'main site: the message in one line')
    .option('--max-delete <n|n%>', 'main site: refuse where more files than this would go; more than half unless given')
    .option('--confirm <partner>', 'main site: it may lose all its pages; several ids with commas')
    .addHelpText(
      'after',
      examples({
        'tieup rollback': 'partner site: back to the release before, at once',
        'tieup rollback 4': '',
        'tieup rollback --partner harbour': 'main site: a new release with the pages of the one before',
        'tieup rollback --partner harbour --to 12': '',
      }),
    )
    .action(async (number, options) => {
      const ctx = context();
      if ((await ctx.role()) === 'main') return rollbackFromMain(ctx, number, options);
      if (options.partner !== undefined || options.to !== undefined)
        throw new TieupError('TIEUP_E_USAGE', '--partner and --to are for a main site', {
          hint: 'tieup rollback [number], see tieup history',
        });
      const { choose = [], key } = options;
      const done = await rollback(
        await ctx.partnerSite(key),
        given(number, (text) => parseNumber(text, 'publication', 'tieup history lists them')),
        parseChoices(choose),
      );
      ctx.output.result('rollback', describe(done), () => render(ctx.output, done));
    });
};

interface MainOptions {
  readonly partner?: string;
  readonly to?: string;
  readonly message?: string;
  readonly subject?: string;
  readonly maxDelete?: string;
  readonly confirm?: string;
}

async function rollbackFromMain(
  ctx: Context,
  number: string | undefined,
  { partner, to, message, subject, maxDelete, confirm }: MainOptions,
): Promise<void> {
  if (partner === undefined || number !== undefined)
    throw new TieupError('TIEUP_E_USAGE', 'at a main site name the partner, and the release with --to', {
      hint: `tieup rollback --partner <id>${number === undefined ? '' : ` --to ${visible(number)}`}`,
    });
  const { result, to: reached } = await rollbackTo(await ctx.mainSite(), {
    partner,
    to: given(to, (text) => parseNumber(text, 'release', `tieup history ${visible(partner)} lists them`)),
    message: { subject, text: message },
    maxDelete: given(maxDelete, parseDeleteLimit),
    confirmed: given(confirm, parseNames),
    deadlineMs: DEADLINE_MS,
    onProgress: (id, step) => showStep(ctx, id, step),
  });
  sayTroubles(ctx, result);
  const pushed = { results: [result], answers: new Map(), heldBack: [], passedOver: [], warnings: [] };
  ctx.output.result('push', await describeWhole(ctx, pushed), () => renderPush(ctx, result, undefined));
  if (result.kind !== 'failed')
    ctx.output.message(
      `these are the pages of release ${reached}, and they are held: mend those in your folders, then run tieup partner resume ${visible(partner)}, and push`,
    );
  const error = faultOf(result);
  if (error !== undefined) throw error;
}

function describe({ to, restored, receipt }: RolledBack): DocumentData<'rollback'> {
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

function parseNumber(text: string, what: string, hint: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new TieupError('TIEUP_E_USAGE', `${JSON.stringify(text)} is not the number of a ${what}`, { hint });
}
