/**
 * Pushes to many partners: a few at a time, each for itself. What is done for one of them is push-one.ts.
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
import { asTieupError, type Problem } from '../errors.ts';
import { recordReads } from '../io/recorded-reads.ts';
import { tendLive } from './carry-out.ts';
import { withDeadline } from './deadline.ts';
import { once } from './draft-release.ts';
import { passOverHeld } from './holds.ts';
import { keepSources } from './kept-sources.ts';
import { isInput } from './last-push.ts';
import { loadSite } from './load-site.ts';
import { keepMadeOf, madeOf } from './made-of.ts';
import type { MainSite } from './main-site.ts';
import { passOver, type PassedOver } from './in-force.ts';
import { loadPartnerships } from './partnerships.ts';
import type { PushRequest, PushResult, Served } from './push.ts';
import { pushOne, reportFailure, type OnePush } from './push-one.ts';
import { readRecord } from './record.ts';
import { recordReading, type Reading } from './record-reading.ts';
import { keepServed } from './keep-served.ts';
import { selectAmong, type Selection } from './select-partners.ts';
import { assertStillPlanned } from './still-planned.ts';
import { keepUnfinished, readUnfinished } from './unfinished.ts';
import { faultOf } from './trouble.ts';
import { waitForAnswers, type WaitResult } from './wait-for-answer.ts';

export interface FleetRequest extends Omit<OnePush, 'action' | 'afterwards'>, Selection {
  /** Partners at a time. */
  readonly concurrency: number;
  /** So many partners are served first; the others only when all went well there. */
  readonly canary?: number | undefined;
  /** How long answers are waited for, those of the first few before the others are served. */
  readonly waitMs?: number | undefined;
  /** What was found already, of partners to whom nothing is to be sent. */
  readonly settled?: readonly PushResult[] | undefined;
  /** Keeps what this push was made of, for one that finds it unchanged: by which tool, and the SHA-256 of its tieup.yaml. */
  readonly keep?: { readonly tool: string; readonly config: string } | undefined;
  /** Asked right before each partner is served: why it is left for a later push; undefined: it is not. */
  whyNotNow?(partnership: Partnership): string | undefined;
  /** Told when answers are waited for. */
  onWaiting?(partners: readonly string[], until: Date): void;
}

export interface Pushed {
  readonly results: readonly PushResult[];
  /** By partner; of those alone that were waited for, or tried first. */
  readonly answers: ReadonlyMap<string, WaitResult>;
  /** Not served, because it did not go well where it was tried first. */
  readonly heldBack: readonly string[];
  readonly passedOver: readonly PassedOver[];
  /** What is worth mending in the pages, such as links that lead nowhere; they were pushed all the same. */
  readonly warnings: readonly Problem[];
}

/**
 * Pushes to each partner; one that fails does not hold up the others. Where all would be passed over each is refused instead: a
 * push that reaches nobody is no success. A share is no such push, since others may reach somebody.
 * @throws when the site itself cannot be built; TIEUP_E_DRIFT when it is not what was planned, before anything is pushed.
 */
export async function pushAll(given: MainSite, request: FleetRequest): Promise<Pushed> {
  const { planned } = request;
  if (planned !== undefined) await assertStillPlanned(given, { ...request, planned });
  const inputs = recordReads(given.files, isInput);
  const site: MainSite = { ...given, files: inputs.tree };
  const everybody = await loadPartnerships(site);
  const all = selectAmong(everybody, request);
  const inForce = passOver(all, request.partners, site.clock.now());
  const { served, passedOver } = await passOverHeld(site, inForce, request.partners);
  const refusesAll = served.length === 0 && request.shard === undefined;
  const { settled = [] } = request;
  const done = new Set(settled.map(({ partner }) => partner));
  const partnerships = (await lastFailedLast(site, refusesAll ? all : served)).filter(({ id }) => !done.has(id));
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

  const leftOut = new Set(refusesAll ? [] : passedOver.map(({ partner }) => partner));
  const tending = tendSome(
    site,
    all.filter(({ id }) => leftOut.has(id)),
    request,
  );
  tending.catch(() => {});
  const tried = await withRejections(site, await pushSome(site, compiling, first, kept));
  const goesOn =
    ![...tried.results, ...tried.answers.values()].some(({ kind }) => STOPS.has(kind)) &&
    !tried.results.some(hasFailed);
  const rest = goesOn ? await pushSome(site, compiling, others, kept) : NOBODY;
  const reached = [...tried.results, ...rest.results, ...(await tending)];
  const results = [...settled, ...reached].toSorted((a, b) => (a.partner < b.partner ? -1 : 1));
  const heldBack = goesOn ? [] : others.map(({ id }) => id);
  await keepUnfinished(site, [
    ...results.map((result) => ({ partner: result.partner, failed: hasFailed(result) && !wasRefused(result) })),
    ...heldBack.map((partner) => ({ partner, failed: true })),
  ]);
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
    heldBack,
    passedOver: [...(refusesAll ? [] : passedOver), ...tried.passedOver, ...rest.passedOver].filter(
      ({ partner }) => !failed.has(partner),
    ),
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

/** `passedOver`: those who are left for a later push. */
type Some = Pick<Pushed, 'results' | 'answers' | 'passedOver'>;

const NOBODY: Some = { results: [], answers: new Map(), passedOver: [] };

async function pushSome(
  site: MainSite,
  compiling: Promise<CompiledSite>,
  partnerships: readonly Partnership[],
  request: FleetRequest & OnePush,
): Promise<Some> {
  const limit = pLimit(request.concurrency);
  const passedOver: PassedOver[] = [];
  const one = async (partnership: Partnership): Promise<readonly PushResult[]> => {
    const why = request.whyNotNow?.(partnership);
    if (why === undefined) return [await pushOne(site, compiling, partnership, request)];
    passedOver.push({ partner: partnership.id, why });
    return [];
  };
  const results = (await Promise.all(partnerships.map((partnership) => limit(() => one(partnership))))).flat();
  const reached = results.filter((each) => each.kind !== 'failed');
  const { waitMs, concurrency, signal, deadlineMs } = request;
  if (waitMs === undefined || reached.length === 0) return { results, answers: NOBODY.answers, passedOver };
  const until = new Date(site.clock.now().getTime() + waitMs);
  request.onWaiting?.(
    reached.map(({ partner }) => partner),
    until,
  );
  return {
    results,
    passedOver,
    answers: await waitForAnswers(site, reached, until, { concurrency, signal, deadlineMs }),
  };
}

/** A "no" to the very release that a partner holds is its answer, also where nobody waits for one. */
async function withRejections(site: MainSite, { results, answers, passedOver }: Some): Promise<Some> {
  const all = new Map(answers);
  for (const result of results) {
    if (result.kind === 'failed' || all.has(result.partner)) continue;
    const { rejections } = await readRecord(site, result.partner);
    const rejection = rejections.find(({ releaseDigest }) => releaseDigest === result.releaseDigest);
    if (rejection !== undefined) all.set(result.partner, { kind: 'rejected', reason: rejection.reason });
  }
  return { results, answers: all, passedOver };
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
        const tend = (limited: MainSite) => tendLive(limited, partnership, (...step) => onProgress(...step));
        try {
          await withDeadline(site, partnership.id, deadlineMs, tend);
          return [];
        } catch (error) {
          return [await reportFailure(site, partnership.id, asTieupError(error), 'push')];
        }
      }),
    ),
  );
  return results.flat();
}

function wasRefused(result: PushResult): boolean {
  return result.kind === 'failed' && result.isRefused === true;
}

function hasFailed(result: PushResult): boolean {
  return faultOf(result) !== undefined;
}

/** Sorted by id otherwise. */
async function lastFailedLast(site: MainSite, partnerships: readonly Partnership[]): Promise<readonly Partnership[]> {
  const failed = await readUnfinished(site);
  return partnerships.toSorted((a, b) => Number(failed.has(a.id)) - Number(failed.has(b.id)));
}
