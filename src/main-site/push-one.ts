/**
 * Pushes to one of many partners: within its time, once more where the line was cut, and what came of it is written down. The road
 * of the release itself is push.ts.
 */
import type { Partnership } from '../config/partnership.ts';
import type { CompiledSite } from '../content/compiled-site.ts';
import { asTieupError, TieupError } from '../errors.ts';
import type { HistoryEvent } from '../protocol/history.ts';
import { inAttempts } from './attempts.ts';
import { tendLive } from './carry-out.ts';
import { withDeadline } from './deadline.ts';
import { assertFewDeletions, type Deletions } from './delete-limit.ts';
import { assertNotHeld } from './holds.ts';
import { assertInForce } from './in-force.ts';
import type { MainSite } from './main-site.ts';
import { summarise } from './message.ts';
import { assertAsPlanned, type PlannedPartner } from './plan-file.ts';
import { pushTo, type Attempts, type PushRequest, type PushResult } from './push.ts';
import { readRecord, recordFailure } from './record.ts';

/** What is done for one partner, and what is done with what comes of it. */
export interface OnePush extends Omit<PushRequest, 'judge'>, Deletions {
  /** It is cut off after this; undefined: never. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** By partner, what a saved plan says: exactly that is pushed, or nothing. */
  readonly planned?: ReadonlyMap<string, PlannedPartner> | undefined;
  /** `push` unless given; a word of the history. */
  readonly action?: 'push' | 'rollback';
  /** A release was pushed; what fails here takes nothing of that back. */
  afterwards?(pushed: Extract<PushResult, { kind: 'pushed' }>, partnership: Partnership): Promise<void>;
}

/** Pushes to one partner; a failure is recorded and told. @throws what is wrong with the site itself. */
export async function pushOne(
  site: MainSite,
  compiling: Promise<CompiledSite>,
  partnership: Partnership,
  request: OnePush,
): Promise<PushResult> {
  const { deadlineMs, planned, action = 'push' } = request;
  const decide: NonNullable<PushRequest['judge']> = (partner, next) => {
    if (planned === undefined) assertFewDeletions(partner, next, request);
    else assertAsPlanned(planned, partner, next);
  };
  let refusal: unknown;
  const judge: PushRequest['judge'] = (partner, next) => {
    try {
      decide(partner, next);
    } catch (error) {
      refusal = error;
      throw error;
    }
  };
  const onCut = () => request.onProgress(partnership.id, { kind: 'again' });
  let attempts: Attempts | undefined;
  const push = (limited: MainSite) => {
    const attempt = (isAgain: boolean) => {
      attempts = { isAgain, committing: attempts?.committing, reached: attempts?.reached };
      return pushTo(limited, compiling, partnership, { ...request, judge }, attempts);
    };
    return inAttempts(limited.clock, attempt, { signal: request.signal, onCut });
  };
  const bounded = <T>(work: (limited: MainSite) => Promise<T>): Promise<T> =>
    withDeadline(site, partnership.id, deadlineMs, work);
  const reached = async (): Promise<PushResult> => {
    try {
      const reason = await whyNotPushed(site, partnership, action);
      if (reason === undefined) return await bounded(push);
      await bounded((limited) => tendLive(limited, partnership, (...step) => request.onProgress(...step)));
      throw reason;
    } catch (thrown) {
      // What is wrong with the site itself is no failure of a partner.
      await compiling;
      // Foreseen or not: what a partner's server makes of us is nothing to the other partners.
      const error = asTieupError(thrown);
      if (attempts?.reached !== undefined) return reportPublication(site, attempts.reached, error);
      const mayBeThere = attempts?.committing !== undefined;
      const isRefused = error === refusal;
      return { ...(await reportFailure(site, partnership.id, error, action, isRefused)), mayBeThere, isRefused };
    }
  };
  const result = await reached();
  if (result.kind === 'failed') return result;
  return noteDown(result, async () => {
    if (result.kind === 'pushed') await request.afterwards?.(result, partnership);
    // Where nothing was done there is nothing to write.
    if (result.kind !== 'unchanged') await site.history.add(eventOf(result, action));
  });
}

async function whyNotPushed(
  site: MainSite,
  partnership: Partnership,
  action: 'push' | 'rollback',
): Promise<TieupError | undefined> {
  try {
    assertInForce(partnership, site.clock.now());
    if (action === 'push') await assertNotHeld(site, partnership.id);
    return undefined;
  } catch (error) {
    if (error instanceof TieupError) return error;
    throw error;
  }
}

/** The push did what it had to; what the partner had decided on before is not live. */
async function reportPublication(site: MainSite, result: PushResult, error: TieupError): Promise<PushResult> {
  if (result.kind === 'failed') return result;
  const { partner } = result;
  await recordFailure(site, partner, error);
  const told: PushResult = { ...result, troubles: [...result.troubles, { kind: 'publication', error }] };
  const detail = `${error.code}: ${error.message}`;
  return noteDown(told, () => site.history.add({ action: 'publish-failed', partner, detail }));
}

/**
 * A partner was not reached, or did not get what it should: that is recorded, and told.
 * @param isRefused by this side, which says nothing about the partner
 */
export async function reportFailure(
  site: MainSite,
  partner: string,
  error: TieupError,
  action: 'push' | 'rollback',
  isRefused = false,
): Promise<Failed> {
  const result: Failed = { kind: 'failed', partner, error };
  await noteDown(result, async () => {
    const { failure } = await readRecord(site, partner);
    if (!isRefused) await recordFailure(site, partner, error);
    // One that is down for weeks is one line.
    const isKnown = failure?.code === error.code && failure.message === error.message;
    if (!isKnown) await site.history.add(eventOf(result, action));
  });
  return result;
}

type Failed = Extract<PushResult, { readonly kind: 'failed' }>;

/** The push is what it is, whether or not what it was can be written down. */
async function noteDown(result: PushResult, write: () => Promise<void>): Promise<PushResult> {
  try {
    await write();
    return result;
  } catch (error) {
    if (!(error instanceof TieupError)) throw error;
    return result.kind === 'failed'
      ? result
      : { ...result, troubles: [...result.troubles, { kind: 'tidying', error }] };
  }
}

function eventOf(result: Exclude<PushResult, { kind: 'unchanged' }>, action: string): HistoryEvent {
  const { partner } = result;
  if (result.kind === 'failed')
    return { action: `${action}-failed`, partner, detail: `${result.error.code}: ${result.error.message}` };
  const { release, releaseDigest: digest } = result;
  if (result.kind === 'repaired') return { action: 'repair', partner, release, digest };
  return { action, partner, release, digest, detail: summarise(result.plan) };
}
