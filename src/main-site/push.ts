/**
 * Brings the main site's pages to its partners, each as one signed release.
 *
 *   pages → site → plan → judged by the terms → answer read → objects up → metadata up (commit point)
 *
 * What a partner is sent depends on what it was sent before: its inbox tells in one small read. Nothing that the partner's
 * visitors see changes here; that is the partner's `accept` (partner-site/accept.ts), the other half of this story.
 */
import type { Partnership } from '../config/partnership.ts';
import type { CompiledSite } from '../content/compiled-site.ts';
import { isTieupError, type TieupError } from '../errors.ts';
import { acquireLock, type Lock } from '../io/lock.ts';
import { lockedTrees } from '../io/locked-tree.ts';
import { together } from '../io/together.ts';
import { INBOX_LOCK } from '../protocol/exchange.ts';
import { publishAnswered, recoverLive, type Published } from './carry-out.ts';
import { draftRelease, once, uploadOf, type Draft, type Push } from './draft-release.ts';
import { listInbox, waitingDigest, type InboxListing } from './inbox-content.ts';
import { expectRemote, keepPushed, learnRemote, type Expectation } from './learn-remote.ts';
import type { MainSite } from './main-site.ts';
import type { MessageRequest } from './message.ts';
import { releaseSeeds } from './partner-keys.ts';
import { assertInForce } from './in-force.ts';
import { changesOf, type PlannedChanges, type ReleasePlan } from './plan-release.ts';
import { recordContact } from './record.ts';
import { readHead } from './read-head.ts';
import { outboxAhead, type OutboxAhead } from './outbox-ahead.ts';
import { isSignedNow } from './refresh.ts';
import { rootsForInbox } from './root-store.ts';
import type { SentRelease } from './sent-releases.ts';
import type { SignedRelease } from './sign-release.ts';
import { readTraces } from './traces.ts';
import { quietly, type Trouble } from './trouble.ts';
import {
  commitRelease,
  discardRelease,
  garbageOf,
  missingObjects,
  removeAll,
  stageRelease,
  uploadObjects,
  type StagedRelease,
} from './upload.ts';
import { pastTaken, watchHead } from './watched-head.ts';
import { whatIsThere, type Asking } from './what-is-there.ts';

export interface PushRequest {
  readonly message: MessageRequest;
  /** Send every object again, for a partner that lost what it had. */
  readonly full: boolean;
  onProgress(partner: string, step: PushStep): void;
  /** Throws when this must not be pushed, before anything is sent: the world is not what a saved plan says, too much would go. */
  judge?(partner: string, next: NextRelease): void;
  /** Told of a partner to whose release nothing was to be added. */
  onServed?(partner: string, served: Served): void;
}

/** What a push would make of what the inbox holds. */
export interface NextRelease {
  readonly plan: ReleasePlan;
  /** The release that it changes; undefined for the first. */
  readonly base: SentRelease | undefined;
  readonly termsDigest: string;
}

/** A push that was cut off from another machine is waited for this long; one of this machine is not waited for. */
const LOCK_MINUTES = 30;

/** What shows whether a partner has what it had. */
export interface Served {
  readonly release: SentRelease;
  /** `timestamp.json` as it lies in the inbox. */
  readonly head: Uint8Array;
  /** Digest of what lay in the inbox and in the outbox; null where the partner has confirmed the release, which says more. */
  readonly waiting: string | null;
}

export type PushStep =
  | { readonly kind: 'connecting' }
  /** The connection was cut: once more, on a new one. */
  | { readonly kind: 'again' }
  | { readonly kind: 'planned'; readonly plan: ReleasePlan }
  | { readonly kind: 'sent'; readonly bytes: number }
  | Published
  | { readonly kind: 'done' };

/** What attempts on one push, whose connection may be cut, hand on to the next. */
export interface Attempts {
  /** One came before this. */
  readonly isAgain: boolean;
  /** What the last of them was about to commit, and perhaps did. */
  committing: Committing | undefined;
  /** What the push came to; from then on it is the publication that can fail. */
  reached: PushResult | undefined;
}

interface Committing extends Sent {
  readonly signed: SignedRelease;
  readonly active: readonly string[] | null;
  readonly plan: PlannedChanges;
}

interface Reached {
  readonly partner: string;
  readonly release: number;
  readonly releaseDigest: string;
  readonly troubles: readonly Trouble[];
}

interface Sent {
  readonly sentObjects: number;
  readonly sentBytes: number;
}

export type PushResult =
  | ({ readonly kind: 'pushed'; readonly plan: PlannedChanges } & Reached & Sent)
  /** Nothing is new, but content was missing in the inbox and is there again. */
  | ({ readonly kind: 'repaired' } & Reached & Sent)
  | ({ readonly kind: 'unchanged' } & Reached)
  | {
      readonly kind: 'failed';
      readonly partner: string;
      readonly error: TieupError;
      /** True when the line was cut at the commit point, so that the release may be there. */
      readonly mayBeThere?: boolean;
      /** True when this side refused it, so that another attempt at the same is refused again: no failure of the partner. */
      readonly isRefused?: boolean;
    };

/**
 * Brings one partner its next release; the road above, step by step. @throws what any step throws; the partner then has what it had.
 * @param compiled may come later: while the pages are read, the connection is made
 */
export async function pushTo(
  site: MainSite,
  compiled: CompiledSite | Promise<CompiledSite>,
  partnership: Partnership,
  request: PushRequest,
  attempts: Attempts = { isAgain: false, committing: undefined, reached: undefined },
): Promise<PushResult> {
  assertInForce(partnership, site.clock.now());
  // Keys before the connection: without them nothing could be pushed, and nobody need be disturbed.
  const seeds = await releaseSeeds(site, { partner: partnership.id, epoch: partnership.epoch });
  request.onProgress(partnership.id, { kind: 'connecting' });
  const connecting = site.connect(partnership);
  const expecting = expectRemote(site, partnership.id);
  // It is awaited below, unless no connection can be made.
  expecting.catch(() => {});
  const [reached] = await Promise.all([connecting, compiled]).catch(async (error: unknown) => {
    await connecting.then((tree) => tree.close()).catch(() => {});
    throw error;
  });
  const options = { ...site, isAgain: attempts.isAgain };
  const { keepingLock, lock } = lockedTrees(() =>
    acquireLock(reached, INBOX_LOCK, site.owner, site.clock, LOCK_MINUTES, options),
  );
  const exchange = keepingLock(reached);
  try {
    const expected = await expecting;
    const push = { site, compiled: await compiled, partnership, request, exchange, seeds };
    const onPublished = (...step: [string, Published]): void => request.onProgress(...step);
    const result = await pushConnected({ ...push, troubles: [], attempts, lock }, expected).catch(
      async (error: unknown) => {
        // What is live must be whole whether or not there can be a new release.
        await recoverLive(site, partnership, reached, onPublished, attempts.isAgain).catch(() => {});
        throw error;
      },
    );
    attempts.reached = result;
    await publishAnswered(site, partnership, reached, onPublished, attempts.isAgain);
    return result;
  } finally {
    await exchange.close();
  }
}

interface PushUnderWay extends Push, Asking {
  readonly attempts: Attempts;
  /** Takes the lock of the inbox, which what is done there then keeps alive. */
  lock(): Promise<Lock>;
}

type Connected = Omit<PushUnderWay, 'leftovers' | 'answers' | 'signedBefore'>;

/**
 * While the lock is asked for, and what the inbox holds, everything that it will most probably have to be sent goes on its way
 * beside its place. Only the lock and the head that were found let it into its place.
 */
async function pushConnected(connected: Connected, expected: Expectation): Promise<PushResult> {
  const { site, exchange, partnership, troubles } = connected;
  const list = once(() => listInbox(exchange));
  const leftovers = once(async () => {
    const { leftovers: found } = await list();
    // Another push may be writing them, and is the one with the lock then.
    if (found.length > 0) await locking;
    return found;
  });
  let outbox: OutboxAhead | undefined;
  const answers = () => (outbox ??= outboxAhead(exchange));
  const signedBefore = connected.attempts.committing?.signed;
  const push: PushUnderWay = { ...connected, leftovers, answers, signedBefore };
  const failed = (error: unknown) => ({ kind: 'failed', error }) as const;
  const draft = await draftRelease(push, expected.remote).catch(failed);
  const locking = push.lock();
  const staging = draft.kind === 'draft' ? draft.stage() : undefined;
  // It is awaited once the lock and the head are there, or taken back: a server that refuses it sooner ends nothing else.
  staging?.catch(() => {});
  // Where something will be sent, it is asked meanwhile what lies there, and what the partner has answered.
  if (staging !== undefined) {
    list().catch(() => {});
    answers();
  }
  const traces = once(() => readTraces(site, partnership, exchange, signedBefore?.versions));
  if (expected.recalled === undefined) traces().catch(() => {});
  const [lock, head] = await together([locking, readHead(exchange)]).catch(async (error: unknown) => {
    await takeBack(staging);
    await locking.then((held) => held.release()).catch(() => {});
    throw error;
  });
  try {
    const remote = await learnRemote(site, partnership, exchange, {
      ahead: { expected, head },
      isSaid: connected.request.full,
      traces,
    });
    if (remote === expected.remote) {
      if (draft.kind === 'failed') throw draft.error;
      return await pushNumbered(push, draft, { head, lock, list });
    }
    await takeBack(staging);
    return await pushNumbered(push, await draftRelease(push, remote), { head, lock, list });
  } catch (error) {
    await takeBack(staging);
    throw error;
  } finally {
    // What the push came to is what matters: a line that broke after it cannot carry the release of the lock either.
    await quietly('tidying', troubles, () => lock.release());
  }
}

/** Never stands in the way of what went wrong before. */
async function takeBack(staging: Promise<StagedRelease> | undefined): Promise<void> {
  await staging?.then(discardRelease).catch(() => {});
}

/** What was found at the partner. */
interface Found {
  readonly head: Uint8Array | undefined;
  readonly lock: Lock;
  readonly list: () => Promise<InboxListing>;
}

/** No number is used twice: where a push that ended right before its commit has used the next ones, those after them are taken. */
async function pushNumbered(push: PushUnderWay, draft: Draft, found: Found): Promise<PushResult> {
  const { exchange } = push;
  try {
    return await pushLocked(push, draft, found);
  } catch (error) {
    if (!isTieupError(error, 'TIEUP_E_EXISTS')) throw error;
    // Or they are of another push, which has the lock now.
    await found.lock.assertHeld();
    const { remote } = draft;
    const versions = await pastTaken(exchange, remote.versions);
    if (versions.targets === remote.versions.targets && versions.snapshot === remote.versions.snapshot) throw error;
    return pushLocked(push, await draftRelease(push, { ...remote, versions }), found);
  }
}

async function pushLocked(push: PushUnderWay, draft: Draft, { head, lock, list }: Found): Promise<PushResult> {
  const { site, partnership, request, exchange, troubles, attempts } = push;
  const { remote, plan, active, news } = draft;
  const partner = partnership.id;
  const staging = draft.stage();
  // It is awaited below, or taken back.
  staging?.catch(() => {});
  // The lock was asked for and the head was read at the same time: another push may have come to its end in between.
  const watching = once(() => watchHead(exchange, partner, head));
  if (staging !== undefined) watching().catch(() => {});
  const assertOurs = async (): Promise<void> => {
    await together([lock.assertHeld(), watching().then((watched) => watched.assertUnmoved())]);
  };
  try {
    const { there, hasDocuments, baseIsLive } = await whatIsThere(push, remote, plan.differs, list);
    // Content first, the signed head last, whether that is a new one or the one that is there.
    const resend = request.full || (remote.base !== undefined && !remote.hasObjects) || !hasDocuments;
    const sentAlready = staging === undefined ? [] : news;
    const known = new Set([...there, ...sentAlready.map(({ file }) => file.digest)]);
    const rest = missingObjects(plan.files, known);
    const repaired = await uploadObjects(exchange, uploadOf(push, rest));
    if (staging === undefined && !resend && remote.base !== undefined) {
      const { sentBytes } = repaired;
      if (await isSignedNow(site, partnership, exchange, { remote, head, assertOurs })) {
        const { release, releaseDigest } = remote.base;
        const reached = { partner, release: release.release, releaseDigest, troubles };
        const before = attempts.committing;
        if (before?.signed.pushed.releaseDigest === releaseDigest) {
          // Its answer was lost on the way, the release was not.
          await quietly('tidying', troubles, () => keepPushed(site, partner, before.signed, before.active));
          const { plan: changes, sentObjects } = before;
          return { kind: 'pushed', ...reached, plan: changes, sentObjects, sentBytes: before.sentBytes + sentBytes };
        }
        await recordContact(site, partner, remote.base);
        if (troubles.length === 0 && rest.length === 0 && head !== undefined) {
          const waiting = baseIsLive ? null : waitingDigest(await list(), await push.answers().digest());
          request.onServed?.(partner, { release: remote.base, head, waiting });
        }
        if (rest.length === 0) return { kind: 'unchanged', ...reached };
        return { kind: 'repaired', ...reached, sentObjects: rest.length, sentBytes };
      }
    }

    const [listing, staged] = await together([
      list(),
      staging ?? stageRelease(exchange, await draft.sign(), uploadOf(push, [])),
      watching(),
    ]);
    const sent: Sent = {
      sentObjects: sentAlready.length + rest.length,
      sentBytes: staged.sentBytes + repaired.sentBytes,
    };
    attempts.committing = { signed: await draft.sign(), active, plan: changesOf(plan), ...sent };
    const needsRoots = resend || remote.isRekeyed;
    await commitRelease(exchange, staged, needsRoots ? await rootsForInbox(site, partner) : [], assertOurs);
    // Past the commit point: whatever happens now, the release is there.
    const signed = await draft.sign();
    const objects = new Set([...staged.paths, ...repaired.paths]);
    await together([
      quietly('tidying', troubles, () => keepPushed(site, partner, signed, active)),
      quietly('tidying', troubles, () => removeAll(exchange, garbageOf(listing, { signed, objects, baseIsLive }))),
    ]);
    request.onProgress(partner, { kind: 'done' });
    const { release, releaseDigest } = signed.pushed;
    return {
      kind: 'pushed',
      partner,
      release: release.release,
      releaseDigest,
      troubles,
      plan: changesOf(plan),
      ...sent,
    };
  } catch (error) {
    await takeBack(staging);
    throw error;
  }
}
