import type { DocumentData } from '../documents/catalog.ts';
import { EXIT } from '../../errors.ts';
import { examineMainSite } from '../../main-site/doctor.ts';
import { examinePartnerSite } from '../../partner-site/doctor.ts';
import type { Finding } from '../../report/finding.ts';
import type { Context } from '../command-context.ts';
import type { Define } from '../define.ts';
import { examples } from '../examples.ts';
import { findingsText, tallyText } from '../findings-text.ts';
import { visible } from '../visible.ts';

const CONCURRENCY = 8;

export const define: Define = (command, context) => {
  command
    .argument('[partner...]', 'main site: only these partners, by id or tag')
    .option('--offline', 'partner site: do not ask your web server what it gives away')
    .addHelpText(
      'after',
      examples({
        'tieup doctor': 'everything; ends with 1 when something is a problem',
        'tieup doctor --json': 'for a monitor',
      }),
    )
    .action(async (partners, { offline }) => {
      const ctx = context();
      await ((await ctx.role()) === 'main' ? examineMain(ctx, partners) : examinePartner(ctx, offline !== true));
    });
};

async function examineMain(ctx: Context, names: readonly string[]): Promise<void> {
  const { site, partners } = await examineMainSite(await ctx.mainSite(), await ctx.mainDoctor(), names, CONCURRENCY);
  const all = [...site, ...partners.flatMap(({ findings }) => findings)];
  conclude(ctx, 'main', { findings: site, partners }, all, () => [
    findingsText(ctx.output, site),
    ...partners.map(
      ({ partner, findings }) => `\n${ctx.output.strong(visible(partner))}\n${findingsText(ctx.output, findings)}`,
    ),
  ]);
}

async function examinePartner(ctx: Context, fetch: boolean): Promise<void> {
  const findings = await examinePartnerSite(await ctx.partnerSite(), { ...(await ctx.partnerDoctor()), fetch });
  conclude(ctx, 'partner', { findings }, findings, () => [findingsText(ctx.output, findings)]);
}

function conclude(
  ctx: Context,
  role: 'main' | 'partner',
  data: Pick<DocumentData<'doctor'>, 'findings' | 'partners'>,
  all: readonly Finding[],
  text: () => readonly string[],
): void {
  const problems = all.filter(({ state }) => state === 'problem').length;
  const warnings = all.filter(({ state }) => state === 'warning').length;
  ctx.output.result('doctor', { role, problems, warnings, ...data }, () =>
    [...text(), `\n${tallyText(ctx.output, problems, warnings)}\n`].join(''),
  );
  if (problems > 0) ctx.endWith(EXIT.failed);
}
