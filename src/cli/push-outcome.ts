/** How a push to many partners is told, and how the command ends. */
import { EXIT } from '../errors.ts';
import type { Pushed } from '../main-site/push-all.ts';
import { faultOf } from '../main-site/trouble.ts';
import type { DocumentData } from './documents/catalog.ts';
import type { Context } from './command-context.ts';
import { endWithFailures, sayContentWarnings, sayPassedOver } from './partner-results.ts';
import { describePushed, refuseAnswers, renderPush, sayTroubles } from './push-text.ts';
import { count } from './quantity.ts';

/** @param goOn the command that pushes to who failed or was held back */
export async function tellPush(ctx: Context, pushed: Pushed, goOn: string): Promise<void> {
  const { results, answers, heldBack } = pushed;
  await sayPush(ctx, pushed, goOn);
  if (heldBack.length > 0) ctx.endWith(EXIT.somePartnersFailed);
  const failures = results.flatMap((each) => {
    const error = faultOf(each);
    return error === undefined ? [] : [{ partner: each.partner, error }];
  });
  endWithFailures(ctx, failures, results.length + heldBack.length, () => goOn);
  refuseAnswers(answers);
}

/** All but why partners failed, and how the command ends. */
export async function sayPush(ctx: Context, pushed: Pushed, goOn: string): Promise<void> {
  const { results, answers, heldBack, passedOver, warnings } = pushed;
  sayPassedOver(ctx, passedOver);
  sayContentWarnings(ctx, warnings);
  for (const each of results) sayTroubles(ctx, each);
  ctx.output.result('push', await describeWhole(ctx, pushed), () =>
    results.map((each) => renderPush(ctx, each, answers.get(each.partner))).join(''),
  );
  if (heldBack.length > 0)
    ctx.output.warning(
      `not pushed to ${nameSome(heldBack)}: it did not go well where it was tried first\n  the same command tries it there first once more; to go on all the same: ${goOn}`,
    );
}

/** As a document, which alone says where partners stand: reading that is a small file for each. */
export async function describeWhole(ctx: Context, pushed: Pushed): Promise<DocumentData<'push'>> {
  if (!ctx.output.json) return describePushed(pushed, new Map());
  const { standingsOf } = await import('../main-site/standing.ts');
  const named = new Set([...pushed.results, ...pushed.passedOver].map(({ partner }) => partner));
  return describePushed(pushed, named.size === 0 ? new Map() : await standingsOf(await ctx.mainSite(), named));
}

const MAX_NAMED = 10;

export function nameSome(partners: readonly string[]): string {
  return partners.length <= MAX_NAMED ? partners.join(', ') : count(partners.length, 'partner');
}
