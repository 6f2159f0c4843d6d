import type { Build } from '../../main-site/build.ts';
import { unchangedBuild } from '../../main-site/last-build.ts';
import type { BuildReason, GonePartner } from '../../main-site/write-build.ts';
import type { MainSite } from '../../main-site/main-site.ts';
import { EXIT, TieupError } from '../../errors.ts';
import { sha256 } from '../../protocol/digest.ts';
import type { Context } from '../command-context.ts';
import type { Define } from '../define.ts';
import { CONFIG_FILE, MAX_CONFIG } from '../../config/config-file.ts';
import { examples } from '../examples.ts';
import { linkFindingsText } from '../link-text.ts';
import type { Output } from '../output.ts';
import { sayContentWarnings } from '../partner-results.ts';
import { byteCount, count } from '../quantity.ts';
import { momentOption } from '../schedule-text.ts';
import { visible } from '../visible.ts';

export const define: Define = (command, context) => {
  command
    .option('-p, --partner <id...>', 'only these partners, by id or tag')
    .option('-o, --out <folder>', 'where to write, one folder a partner', 'build')
    .option('--at <time>', 'as on that day or at that time: pages come and go by date')
    .option('--explain <page>', 'say why each copy of this page is written or not, such as guide/intro.md')
    .option('--check', 'write nothing; find links, anchors, pictures and ids that are wrong')
    .addHelpText(
      'after',
      examples({
        'tieup build --partner harbour --out look': '',
        'tieup build --check': 'exits with 78 when a link leads nowhere',
      }),
    )
    .action(async ({ partner = [], out, at, explain, check }) => {
      const ctx = context();
      if (check === true && explain !== undefined) {
        throw new TieupError('TIEUP_E_USAGE', '--check writes nothing that --explain could explain', {
          hint: 'leave one of them out',
        });
      }
      const request = { partners: partner, out, at, explain, check: check === true };
      const made = (await nothingToDo(ctx, request)) ?? (await buildNow(ctx, request));
      const { partners, explained, gone, warnings, findings } = made;
      sayContentWarnings(ctx, warnings);
      const wrong = findings ?? [];
      const document = {
        out: check === true ? null : out,
        partners,
        explained,
        gone,
        warnings,
        findings: findings ?? null,
      };
      ctx.output.result('build', document, () => {
        const rows = partners.map(({ partner: id, pages, files, bytes, written, removed }) => {
          const size = `${count(pages, 'page')}, ${count(files, 'file')}, ${byteCount(bytes)}`;
          if (check === true) return `${ctx.output.mark('good', visible(id))}  ${size}\n`;
          const news = written === 0 ? ', all there already' : `, ${written} of them new`;
          const former = removed === 0 ? '' : `, ${removed} of an earlier build removed`;
          return `${ctx.output.mark('good', visible(id))}  ${size}${news}${former}  ${visible(`${out}/${id}`)}\n`;
        });
        const goneRows = gone.map((each) => goneText(ctx.output, each, out));
        const reasons = explained.flatMap((each) => [
          `  ${visible(`${out}/${each.partner}/${each.path}`)}: ${REASONS[each.reason]}\n`,
          ...(each.includes.length === 0 ? [] : [`    takes in ${each.includes.map(visible).join(', ')}\n`]),
        ]);
        return [...rows, ...goneRows, ...reasons].join('') + linkFindingsText(ctx.output, wrong);
      });
      if (wrong.length > 0) ctx.endWith(EXIT.configuration);
    });
};

interface BuildRequest {
  readonly partners: readonly string[];
  readonly out: string;
  readonly at: string | undefined;
  readonly explain: string | undefined;
  readonly check: boolean;
}

/** What the last build came to, when this one would come to the same. */
async function nothingToDo(ctx: Context, request: BuildRequest): Promise<Build | undefined> {
  if (!isPlain(request)) return undefined;
  const { partners, out } = request;
  const terms = { tool: await ctx.identity(), partners };
  const last = await unchangedBuild(await ctx.siteFiles(), await ctx.outputFolder(out), terms, ctx.clock.now());
  return last && { partners: last.built, explained: [], gone: [], warnings: last.warnings, findings: undefined };
}

async function buildNow(ctx: Context, request: BuildRequest): Promise<Build> {
  const { partners, out, at, explain, check } = request;
  // Before the site is read by it: when it changes meanwhile, the next build finds another one.
  const config = sha256(await (await ctx.siteFiles()).read(CONFIG_FILE, MAX_CONFIG));
  const site = await ctx.mainSite();
  const page = explain === undefined ? undefined : await sourceFile(site, explain);
  const keep = isPlain(request) ? { tool: await ctx.identity(), config } : undefined;
  const output = { files: await ctx.tree(out), folder: await ctx.outputFolder(out), explain: page, keep };
  const moment = momentOption('--at', at, site.config.site.timeZone);
  const { build } = await import('../../main-site/build.ts');
  return build(site, partners, check ? undefined : output, moment);
}

function goneText(output: Output, { partner, removed, left }: GonePartner, out: string): string {
  const kept = left === 0 ? '' : `; ${count(left, 'file')} that somebody has changed stayed`;
  const what = `${count(removed, 'file')} of a partner that there is no more removed${kept}`;
  return `${output.mark('removed', visible(partner))}  ${what}  ${visible(`${out}/${partner}`)}\n`;
}

/** A build of what there is now, which writes. */
function isPlain({ at, explain, check }: BuildRequest): boolean {
  return at === undefined && explain === undefined && !check;
}

const REASONS: Readonly<Record<BuildReason, string>> = {
  new: 'written, because no build has written it before',
  gone: 'written, because it was not there any more',
  touched: 'written, because somebody has changed it since the last build',
  content: 'written, because its text, what it takes in, its front matter or its template has changed',
  filled:
    'written, because what is filled in has changed: a value of the partner, the navigation, or where a link leads',
  same: 'not written, because nothing has changed since the last build',
};

/** The page as the user names it, with or without the folder of pages and `.md`. @throws TIEUP_E_USAGE when there is none. */
async function sourceFile(site: MainSite, page: string): Promise<string> {
  const { pages } = site.config.folders;
  const path = page.startsWith(`${pages}/`) ? page : `${pages}/${page}`;
  for (const each of [path, `${path}.md`]) if ((await site.files.stat(each))?.kind === 'file') return each;
  throw new TieupError('TIEUP_E_USAGE', `there is no page ${JSON.stringify(path)}`, {
    hint: 'name it as it lies in the folder of pages, such as guide/intro.md',
  });
}
