import { verify } from '../../partner-site/verify.ts';
import type { Undecided } from '../../partner-site/not-decided.ts';
import type { Difference } from '../../publish/verify.ts';
import { EXIT } from '../../errors.ts';
import { deadLinksText } from '../link-text.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import { count } from '../quantity.ts';
import { visible } from '../visible.ts';

const MENDING: Readonly<Record<Difference['kind'], string>> = {
  changed: 'changed: tieup merge --choose <path>=take-theirs puts back what was signed, =keep-mine keeps what is there',
  missing: 'missing: tieup merge puts it back',
  'wrong-kind': 'wrong-kind: no regular file stands there; take it away, then run tieup merge',
  'unlike-original':
    'unlike-original: not what your own page is now; tieup merge brings it if you edited it, otherwise somebody altered the copy',
  extra: 'extra: tieup did not put it there; if you did not either, take it away',
};

/** One line for each kind of difference there is. */
function mending(differences: readonly Difference[]): string {
  const kinds = new Set(differences.map(({ kind }) => kind));
  return [...kinds].map((kind) => `${MENDING[kind]}\n`).join('');
}

function undecidedText({ release }: Undecided): string {
  return release === null
    ? 'the main site says that no tie-up page is live, though those that you accepted were'
    : `the main site says that release ${release.number} is live, which is not what you decided on`;
}

export const define: Define = (command, context) => {
  command
    .option('--links', 'follow the links of all live pages as well, yours and the tie-up pages')
    .addHelpText(
      'after',
      examples({
        'tieup verify': 'exits with 6 when a live file is not what was signed',
        'tieup verify --links': 'exits with 1 when all is as signed, but a link leads nowhere',
      }),
    )
    .action(async ({ links = false }) => {
      const ctx = context();
      const { live, undecided, differences, kept, deadLinks } = await verify(await ctx.partnerSite(), { links });
      ctx.output.result(
        'verify',
        {
          publication: live?.number ?? null,
          release: live?.release ?? null,
          undecided: undecided ?? null,
          differences,
          kept,
          deadLinks: deadLinks ?? null,
        },
        () => {
          const dead = deadLinksText(ctx.output, deadLinks ?? []);
          const foreign = undecided === undefined ? '' : `${ctx.output.mark('bad', undecidedText(undecided))}\n`;
          if (live === undefined) return `${foreign}nothing has been published yet\n${dead}`;
          const yours = kept.map((path) => `  yours, as you chose: ${visible(path)}\n`).join('');
          if (differences.length === 0 && undecided !== undefined) return `${foreign}${yours}${dead}`;
          if (differences.length === 0)
            return `${ctx.output.mark('good', 'everything live is as it was signed')}: ${count(live.files, 'file')}\n${yours}${dead}`;
          const lines = differences.map(
            ({ kind, path }) => `  ${ctx.output.mark(kind === 'extra' ? 'warning' : 'bad', kind)} ${visible(path)}\n`,
          );
          return `${foreign}${ctx.output.mark('bad', count(differences.length, 'difference'))} between the live tree and what was signed\n${lines.join('')}${yours}${mending(differences)}${dead}`;
        },
      );
      if (differences.length > 0 || undecided !== undefined) ctx.endWith(EXIT.conflict);
      else if (deadLinks !== undefined && deadLinks.length > 0) ctx.endWith(EXIT.failed);
    });
};
