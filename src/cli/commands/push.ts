import type { PushResult, PushStep } from '../../main-site/push.ts';
import { pushAll } from '../../main-site/push-all.ts';
import { summarise } from '../../main-site/message.ts';
import { waitForAnswer, type WaitResult } from '../../main-site/wait-for-answer.ts';
import type { MainSite } from '../../main-site/main-site.ts';
import { TieupError } from '../../errors.ts';
import type { Define } from '../define.ts';
import type { Context } from '../context.ts';
import { examples } from '../examples.ts';
import { describeFailure, endWithFailures } from '../partner-results.ts';
import { byteCount, parseDuration } from '../quantity.ts';
import { visible } from '../visible.ts';

const CONCURRENCY = 4;

export const define: Define = (command, context) => {
  command
    .argument('[partner...]', 'only these partners, by id or tag')
    .option('-m, --message <text>', 'why, for the partner’s manager')
    .option('-s, --subject <line>', 'the message in one line')
    .option('--full', 'send everything again, for a partner that lost what it had')
    .option('-w, --wait <time>', 'wait for the answers: 90s, 10m, 2h')
    .addHelpText(
      'after',
      examples({
        'tieup push': 'every partner gets what has changed',
        'tieup push harbour -m "Autumn prices" --wait 10m': 'and waits for the answer',
      }),
    )
    .action(async (partners, { message, subject, full, wait }) => {
      const ctx = context();
      const waitMs = wait === undefined ? undefined : parseWait(wait);
      const site = await ctx.mainSite();
      const results = await pushAll(site, {
        partners,
        message: { subject, text: message },
        full: full === true,
        concurrency: CONCURRENCY,
        onProgress: (partner, step) => showStep(ctx, partner, step),
      });
      const answers =
        waitMs === undefined ? new Map<string, WaitResult>() : await waitForAll(ctx, site, results, waitMs);
      ctx.output.result('push', { partners: results.map((each) => describe(each, answers.get(each.partner))) }, () =>
        results.map((each) => render(ctx, each, answers.get(each.partner))).join(''),
      );
      refuseAnswers(answers);
      const failures = results.filter((each) => each.kind === 'failed');
      endWithFailures(ctx, failures, results.length, 'tieup push');
    });
};

function parseWait(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw new TieupError('TIEUP_E_USAGE', `${JSON.stringify(text)} is not a time`, { hint: 'write 90s, 10m, 2h or 1d' });
}

function showStep({ output }: Context, partner: string, step: PushStep): void {
  switch (step.kind) {
    case 'passed-over':
      return output.message(`${partner}: passed over, ${step.why}`);
    case 'connecting':
      return output.message(`${partner}: connecting`);
    case 'planned':
      return step.plan.differs ? output.message(`${partner}: ${summarise(step.plan)}`) : undefined;
    case 'sent':
      return output.message(`${partner}: ${byteCount(step.bytes)} sent`);
    case 'committed':
      return output.warning(`${partner}: the release is there, but ${step.error.message}`);
    case 'done':
      return undefined;
  }
}

async function waitForAll(
  ctx: Context,
  site: MainSite,
  results: readonly PushResult[],
  waitMs: number,
): Promise<ReadonlyMap<string, WaitResult>> {
  const deadline = new Date(ctx.clock.now().getTime() + waitMs);
  const waiting = results.filter((each) => each.kind !== 'failed');
  if (waiting.length > 0)
    ctx.output.message(
      `waiting for ${waiting.map(({ partner }) => partner).join(', ')} until ${deadline.toISOString().slice(0, 16)}Z`,
    );
  const answers = waiting.map(async (each) => {
    return [
      each.partner,
      await waitForAnswer(site, each.partner, each.releaseDigest, deadline, ctx.interruption),
    ] as const;
  });
  return new Map(await Promise.all(answers));
}

/** A rejection ends with exit 9, a partner that does not answer with exit 8. */
function refuseAnswers(answers: ReadonlyMap<string, WaitResult>): void {
  for (const [partner, answer] of answers) {
    if (answer.kind === 'rejected')
      throw new TieupError(
        'TIEUP_E_DECLINED',
        `${partner} rejected the release: ${answer.reason ?? 'no reason given'}`,
      );
  }
  for (const [partner, answer] of answers) {
    if (answer.kind === 'live') continue;
    const what =
      answer.kind === 'waited-too-long' && answer.accepted ? 'has accepted, but not published' : 'has not answered';
    throw new TieupError('TIEUP_E_TIMEOUT', `${partner} ${what} in time`, {
      hint: 'the release stays in its inbox; tieup status tells when it is live',
    });
  }
}

function describe(each: PushResult, answer: WaitResult | undefined): object {
  if (each.kind === 'failed') return describeFailure(each);
  const { partner, kind, release, releaseDigest } = each;
  const answered =
    answer === undefined ? {} : { answer: answer.kind, reason: answer.kind === 'rejected' ? answer.reason : null };
  if (kind === 'unchanged') return { partner, result: 'unchanged', release, releaseDigest, ...answered };
  const { added, changed, removed, unchanged } = each.plan;
  const { sentObjects, sentBytes } = each;
  return {
    partner,
    result: 'pushed',
    release,
    releaseDigest,
    added,
    changed,
    removed,
    unchanged,
    sentObjects,
    sentBytes,
    ...answered,
  };
}

function render({ output }: Context, each: PushResult, answer: WaitResult | undefined): string {
  const partner = visible(each.partner);
  if (each.kind === 'failed') return `${output.mark('bad', `${partner}: failed`)}\n`;
  const live = answer?.kind === 'live' ? ', live' : '';
  if (each.kind === 'unchanged')
    return `${output.mark('good', `${partner}: nothing to push`)}, release ${each.release} is the newest${live}\n`;
  const sent = each.sentBytes === 0 ? 'nothing new to send' : `${byteCount(each.sentBytes)} sent`;
  return `${output.mark('good', `${partner}: release ${each.release} pushed`)} (${summarise(each.plan)}; ${sent})${live}\n`;
}
