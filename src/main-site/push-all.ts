/**
 * Pushes to many partners: a few at a time, each for itself. How one of them is reached is push.ts.
 *
 *   partners → site → [a few first, and their answers] → the others, those that failed last time at the end
 *
 * One process renders, packs and sends for several partners at once, so that none of the three waits for the others. A partner
 * that is slow or silent costs its own time: it is cut off at its deadline, and it comes last in the next push.
 */
import pLimit from 'p-limit';
import type { Partnership } from '../config/partnership.ts';
import type { CompiledSite } from '../content/compiled-site.ts';
import { nextChange } from '../content/schedule.ts';
import { TieupError, type Problem } from '../errors.ts';
import { recordReads } from '../io/recorded-reads.ts';
import type { HistoryEvent } from '../protocol/history.ts';
import { inAttempts } from './attempts.ts';
import { tendLive } from './carry-out.ts';
import { withDeadline } from './deadline.ts';
import { assertFewDeletions, type DeleteLimit } from './delete-limit.ts';
import { once } from './draft-release.ts';
import { assertNotHeld, passOverHeld } from './holds.ts';
import { keepSources } from './kept-sources.ts';
import { isInput } from './last-push.ts';
import { loadSite } from './load-site.ts';
import { keepMadeOf, madeOf } from './made-of.ts';
import type { MainSite } from './main-site.ts';
import { summarise } from './message.ts';
import { assertInForce, passOver, type PassedOver } from './in-force.ts';
import { loadPartnerships } from './partnerships.ts';
import { assertStillPlanned } from './plan.ts';
import { assertAsPlanned, type PlannedPartner } from './plan-file.ts';
import { pushTo, type Attempts, type PushRequest, type PushResult, type Served } from './push.ts';
import { recordFailure } from './record.ts';
import { recordReading, type Reading } from './record-reading.ts';
import { keepServed } from './keep-served.ts';
import { selectAmong, type Selection } from './select-partners.ts';
import { keepUnfinished, readUnfinished } from './unfinished.ts';
import { faultOf } from './trouble.ts';
import { waitForAnswers, type WaitResult } from './wait-for-answer.ts';

export interface FleetRequest extends Omit<PushRequest, 'judge'>, Selection {
  /** Partners at a time. */
  readonly concurrency: number;
  /** What is done for one partner is cut off after this; undefined: never. */
  readonly deadlineMs?: number | undefined;
  /** So many partners are served first; the others only when all went well there. */
  readonly canary?: number | undefined;
  /** How long answers are waited for, those of the first few before the others are served. */
  readonly waitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly maxDelete?: DeleteLimit | undefined;
  /** By partner, what a saved plan says: exactly that is pushed, or nothing. */
  readonly planned?: ReadonlyMap<string, PlannedPartner> | undefined;
  /** What was found already, of partners to whom nothing is to be sent. */
  readonly settled?: readonly PushResult[] | undefined;
  /** Keeps what this push was made of, for one that finds it unchanged: by which tool, and the SHA-256 of its tieup.yaml. */
  readonly keep?: { readonly tool: string; readonly config: string } | undefined;
  /** Told when answers are waited for. */
  onWaiting?(partners: readonly string[], until: Date): void;
}

export interface Pushed {
  readonly results: readonly PushResult[];
  /** By partner; empty unless they were waited for. */
  readonly answers: ReadonlyMap<string, WaitResult>;
  /** Not served, because it did not go well where it was tried first. */
  readonly heldBack: readonly string[];
  readonly passedOver: readonly PassedOver[];
  /** What is worth mending in the pages, such as links that lead nowhere; they were pushed all the same. */
  readonly warnings: readonly Problem[];
}

/**
 * Pushes to each partner; one that fails does not hold up the others. Where all would be passed over each is refused instead: a
 * push that reaches nobody is no success.
 * @throws when the site itself cannot be built; TIEUP_E_DRIFT when it is not what was planned, before anything is pushed.
 */
export async function pushAll(given: MainSite, request: FleetRequest): Promise<Pushed> {
  const { planned } = request;
  if (planned !== undefined) await assertStillPlanned(given, planned, request.concurrency);
  const inputs = recordReads(given.files, isInput);
  const site: MainSite = { ...given, files: inputs.tree };
  const everybody = await loadPartnerships(site);
  const all = selectAmong(everybody, request);
  const inForce = passOver(all, request.partners, site.clock.now());
  const { served, passedOver } = await passOverHeld(site, inForce, request.partners);
  const { settled = [] } = request;
  const done = new Set(settled.map(({ partner }) => partner));
  const partnerships = (await lastFailedLast(site, served.length === 0 ? all : served)).filter(
    ({ id }) => !done.has(id),
  );
  const first = partnerships.slice(0, request.canary ?? 0);
  const others = partnerships.slice(first.length);
  // The first partners are connected to while the pages are read.
  const at = site.clock.now();
  const reading = recordReading(site.files);
  const compiling = loadSite({ ...site, files: reading.files }, at);
  compiling.catch(() => {});
  const found = new Map<string, Served>();
  // Where this side publishes, an answer is looked for in every push.
  const published = new Set(everybody.filter(({ publisher }) => publisher === 'main').map(({ id }) => id));
  const onServed: PushRequest['onServed'] = (partner, what) =>
    published.has(partner) ? undefined : void found.set(partner, what);
  const kept = { ...keepingSources(site, request, { read: reading.read, at }), onServed };

  const leftOut = new Set(served.length === 0 ? [] : passedOver.map(({ partner }) => partner));
  const tending = tendSome(
    site,
    all.filter(({ id }) => leftOut.has(id)),
    request,
  );
  tending.catch(() => {});
  const tried = await pushSome(site, compiling, first, kept);
  const goesOn =
    ![...tried.results, ...tried.answers.values()].some(({ kind }) => STOPS.has(kind)) &&
    !tried.results.some(hasFailed);
  const rest = goesOn ? await pushSome(site, compiling, others, kept) : NOBODY;
  const reached = [...tried.results, ...rest.results, ...(await tending)];
  const results = [...settled, ...reached].toSorted((a, b) => (a.partner < b.partner ? -1 : 1));
  await keepUnfinished(
    site,
    results.map((result) => ({ partner: result.partner, failed: hasFailed(result) })),
  );
  const failed = new Set(results.filter(hasFailed).map(({ partner }) => partner));
  const compiled = await compiling;
  const { warnings } = compiled;
  const readings = found.size === 0 ? undefined : inputs.readings();
  if (request.keep !== undefined && readings !== undefined) {
    const made = { ...request.keep, at, until: nextChange(compiled.scheduled, at) ?? null, readings, warnings };
    await keepServed(given, { ...made, partnerships: everybody, reached, found });
  }
  return {
    results,
    answers: new Map([...tried.answers, ...rest.answers]),
    heldBack: goesOn ? [] : others.map(({ id }) => id),
    passedOver: served.length === 0 ? [] : passedOver.filter(({ partner }) => !failed.has(partner)),
    warnings,
  };
}

/** What the pages are made of is kept while the first release that has something new is on its way. */
function keepingSources<Request extends Pick<FleetRequest, 'onProgress'>>(
  site: MainSite,
  request: Request,
  { read, at }: { readonly read: Reading['read']; readonly at: Date },
): Request & Pick<OnePush, 'afterwards'> {
  if (site.config.retention.releases === 0) return request;
  const sources = once(() => keepSources(site, read));
  return {
    ...request,
    onProgress: (partner, step) => {
      if (step.kind === 'planned' && step.plan.differs) sources().catch(() => {});
      request.onProgress(partner, step);
    },
    afterwards: async (pushed, partnership) => {
      const { release, releaseDigest } = pushed;
      const made = await madeOf(site, partnership, { release, releaseDigest }, await sources(), at);
      await keepMadeOf(site, partnership.id, made);
    },
  };
}

/** What keeps a push that was tried at a few partners from going on. */
const STOPS: ReadonlySet<string> = new Set<PushResult['kind'] | WaitResult['kind']>([
  'failed',
  'rejected',
  'waited-too-long',
]);

type Some = Pick<Pushed, 'results' | 'answers'>;

const NOBODY: Some = { results: [], answers: new Map() };

async function pushSome(
  site: MainSite,
  compiling: Promise<CompiledSite>,
  partnerships: readonly Partnership[],
  request: FleetRequest & OnePush,
): Promise<Some> {
  const limit = pLimit(request.concurrency);
  const results = await Promise.all(
    partnerships.map((partnership) => limit(() => pushOne(site, compiling, partnership, request))),
  );
  const reached = results.filter((each) => each.kind !== 'failed');
  const { waitMs, concurrency, signal } = request;
  if (waitMs === undefined || reached.length === 0) return { results, answers: NOBODY.answers };
  const until = new Date(site.clock.now().getTime() + waitMs);
  request.onWaiting?.(
    reached.map(({ partner }) => partner),
    until,
  );
  return { results, answers: await waitForAnswers(site, reached, until, { concurrency, signal }) };
}

/** Of partners who are passed over, those at whom what this side publishes could not be seen to. */
async function tendSome(
  site: MainSite,
  partnerships: readonly Partnership[],
  { concurrency, deadlineMs, onProgress }: FleetRequest,
): Promise<readonly PushResult[]> {
  const limit = pLimit(concurrency);
  const results = await Promise.all(
    partnerships.map((partnership) =>
      limit(async () => {
        const tend = (within: MainSite) => tendLive(within, partnership, (...step) => onProgress(...step));
        try {
          await (deadlineMs === undefined ? tend(site) : withDeadline(site, partnership.id, deadlineMs, tend));
          return [];
        } catch (error) {
          if (!(error instanceof TieupError)) throw error;
          return [await reportFailure(site, partnership.id, error, 'push')];
        }
      }),
    ),
  );
  return results.flat();
}

function hasFailed(result: PushResult): boolean {
  return faultOf(result) !== undefined;
}

/** Sorted by id otherwise. */
async function lastFailedLast(site: MainSite, partnerships: readonly Partnership[]): Promise<readonly Partnership[]> {
  const failed = await readUnfinished(site);
  return partnerships.toSorted((a, b) => Number(failed.has(a.id)) - Number(failed.has(b.id)));
}

/** What is done for one partner, and what is done with what comes of it. */
export interface OnePush
  extends Omit<PushRequest, 'judge'>, Pick<FleetRequest, 'deadlineMs' | 'maxDelete' | 'planned' | 'signal'> {
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
  const { deadlineMs, maxDelete, planned, action = 'push' } = request;
  const judge: PushRequest['judge'] = (partner, next) => {
    if (planned === undefined) assertFewDeletions(partner, next, maxDelete);
    else assertAsPlanned(planned, partner, next);
  };
  const onCut = () => request.onProgress(partnership.id, { kind: 'again' });
  let attempts: Attempts | undefined;
  const push = (within: MainSite) => {
    const attempt = (isAgain: boolean) => {
      attempts = { isAgain, committing: attempts?.committing, reached: attempts?.reached };
      return pushTo(within, compiling, partnership, { ...request, judge }, attempts);
    };
    return inAttempts(within.clock, attempt, { signal: request.signal, onCut });
  };
  const bounded = <T>(work: (within: MainSite) => Promise<T>): Promise<T> =>
    deadlineMs === undefined ? work(site) : withDeadline(site, partnership.id, deadlineMs, work);
  const reached = async (): Promise<PushResult> => {
    try {
      const refusal = await whyNotPushed(site, partnership, action);
      if (refusal === undefined) return await bounded(push);
      await bounded((within) => tendLive(within, partnership, (...step) => request.onProgress(...step)));
      throw refusal;
    } catch (error) {
      // What is wrong with the site itself is no failure of a partner.
      await compiling;
      if (!(error instanceof TieupError)) throw error;
      if (attempts?.reached !== undefined) return reportPublication(site, attempts.reached, error);
      const mayBeThere = attempts?.committing !== undefined;
      return { ...(await reportFailure(site, partnership.id, error, action)), mayBeThere };
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

/** A partner was not reached, or did not get what it should: that is recorded, and told. */
export async function reportFailure(
  site: MainSite,
  partner: string,
  error: TieupError,
  action: 'push' | 'rollback',
): Promise<Failed> {
  await recordFailure(site, partner, error);
  const result: Failed = { kind: 'failed', partner, error };
  await noteDown(result, () => site.history.add(eventOf(result, action)));
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
