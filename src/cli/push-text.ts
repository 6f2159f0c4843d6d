/** What `tieup push` says of each partner. */
import type { DocumentData } from './documents/catalog.ts';
import { summarise } from '../main-site/message.ts';
import type { PushResult, PushStep } from '../main-site/push.ts';
import type { Pushed } from '../main-site/push-all.ts';
import type { Standing } from '../main-site/standing.ts';
import type { WaitResult } from '../main-site/wait-for-answer.ts';
import { TieupError } from '../errors.ts';
import type { Context } from './command-context.ts';
import { describeError, describeFailure } from './partner-results.ts';
import { byteCount } from './quantity.ts';
import { visible } from './visible.ts';

export function showStep({ output }: Context, partner: string, step: PushStep): void {
  switch (step.kind) {
    case 'connecting':
      return output.message(`${partner}: connecting`);
    case 'again':
      return output.message(`${partner}: the connection was cut; trying again`);
    case 'planned':
      return step.plan.differs ? output.message(`${partner}: ${summarise(step.plan)}`) : undefined;
    case 'sent':
      return output.message(`${partner}: ${byteCount(step.bytes)} sent`);
    case 'published':
      return output.message(`${partner}: release ${step.release} is live, as the partner has decided`);
    case 'recovered':
      return output.message(
        `${partner}: a publication that had been cut off is ${step.how}; its pages are whole again`,
      );
    case 'done':
      return undefined;
  }
}

/** Beside a push that did what it had to: it is no failure of the push, and `tieup status` fails on it. */
export function sayTroubles({ output }: Context, each: PushResult): void {
  if (each.kind === 'failed') return;
  const committed = each.kind === 'pushed' ? 'committed, but ' : '';
  for (const { kind, error } of each.troubles) {
    // It is a failure: the command ends with it.
    if (kind === 'publication') continue;
    const what = kind === 'answer' ? 'the answer could not be read' : 'tidying up afterwards failed';
    const hint = error.hint === undefined ? '' : `\n  ${error.hint}`;
    output.warning(`${each.partner}: ${committed}${what}: ${error.message}${hint}`);
  }
}

/** A rejection ends with exit 9, an answer that cannot be believed with its own code, a partner that does not answer with exit 8. */
export function refuseAnswers(answers: ReadonlyMap<string, WaitResult>): void {
  for (const [partner, answer] of answers) {
    if (answer.kind === 'rejected')
      throw new TieupError(
        'TIEUP_E_DECLINED',
        `${partner} rejected the release: ${answer.reason ?? 'no reason given'}`,
      );
  }
  for (const answer of answers.values()) if (answer.kind === 'failed') throw answer.error;
  for (const [partner, answer] of answers) {
    if (answer.kind !== 'waited-too-long') continue;
    const what = answer.accepted ? 'has accepted, but not published' : 'has not answered';
    throw new TieupError('TIEUP_E_TIMEOUT', `${partner} ${what} in time`, {
      hint: 'the release stays in its inbox; tieup status tells when it is live',
    });
  }
}

type DescribedPush = DocumentData<'push'>['partners'][number];
type Answered = Pick<Exclude<DescribedPush, { readonly result: 'failed' }>, 'answer' | 'reason' | 'error'>;

/** @param standings of those of whom something is known, by partner */
export function describePushed(
  { results, answers, heldBack, passedOver, warnings }: Pushed,
  standings: ReadonlyMap<string, Standing>,
): DocumentData<'push'> {
  const partners = results.map((each) => {
    const described = describePush(each, answers.get(each.partner));
    const { state, detail, live } = standings.get(each.partner) ?? {};
    return described.result === 'failed' || state === undefined ? described : { ...described, state, detail, live };
  });
  const over = passedOver.map((each) => ({ ...each, ...standings.get(each.partner) }));
  return { partners, heldBack, passedOver: over, warnings };
}

function describePush(each: PushResult, answer: WaitResult | undefined): DescribedPush {
  if (each.kind === 'failed') return describeFailure(each);
  const { partner, kind, release, releaseDigest } = each;
  const troubles = each.troubles.map((trouble) => ({ kind: trouble.kind, ...describeError(trouble.error) }));
  const common = { partner, result: kind, release, releaseDigest, warnings: troubles, ...describeAnswer(answer) };
  if (kind === 'unchanged') return common;
  const { sentObjects, sentBytes } = each;
  if (kind === 'repaired') return { ...common, sentObjects, sentBytes };
  const { added, changed, removed, unchanged } = each.plan;
  return { ...common, added, changed, removed, unchanged, sentObjects, sentBytes };
}

function describeAnswer(answer: WaitResult | undefined): Answered {
  if (answer === undefined) return {};
  const reason = answer.kind === 'rejected' ? answer.reason : null;
  return answer.kind === 'failed'
    ? { answer: 'failed', reason, error: describeError(answer.error) }
    : { answer: answer.kind, reason };
}

export function renderPush({ output }: Context, each: PushResult, answer: WaitResult | undefined): string {
  const partner = visible(each.partner);
  const answered = answer === undefined ? '' : `, ${ANSWERS[answer.kind]}`;
  switch (each.kind) {
    case 'failed':
      return `${output.mark('bad', `${partner}: failed`)}\n`;
    case 'unchanged':
      return `${output.mark('good', `${partner}: nothing to push`)}, release ${each.release} is the newest${answered}\n`;
    case 'repaired':
      return `${output.mark('good', `${partner}: nothing new`)}, but ${byteCount(each.sentBytes)} of release ${each.release} were missing and sent again${answered}\n`;
    case 'pushed': {
      const sent = each.sentBytes === 0 ? 'nothing new to send' : `${byteCount(each.sentBytes)} sent`;
      return `${output.mark('good', `${partner}: release ${each.release} pushed`)} (${summarise(each.plan)}; ${sent})${answered}\n`;
    }
  }
}

const ANSWERS: Readonly<Record<WaitResult['kind'], string>> = {
  live: 'live',
  rejected: 'rejected',
  failed: 'its answer cannot be believed',
  'waited-too-long': 'no answer in time',
};
