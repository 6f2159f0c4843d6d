/**
 * Brings the main site's pages to its partners, each as one signed release.
 *
 *   pages → site → plan → objects up → metadata up (commit point) → answer read
 *
 * What a partner is sent depends on what it was sent before: its inbox tells in one small read. Nothing that the partner's
 * visitors see changes here; that is the partner's `accept` (partner-site/accept.ts), the other half of this story.
 */
import type { Partnership } from '../config/partnership.ts';
import type { CompiledSite } from '../content/site.ts';
import { TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { acquireLock, type Lock } from '../io/lock.ts';
import { INBOX_LOCK } from '../protocol/exchange.ts';
import { sha256 } from '../protocol/digest.ts';
import { currentTerms } from './current-terms.ts';
import { learnRemote, remember, type PushedRelease, type RemoteState } from './learn-remote.ts';
import type { MainSite } from './main-site.ts';
import { composeMessage, type MessageRequest } from './message.ts';
import { takeInKeys } from './partner-key-change.ts';
import { partnerView } from './partner-view.ts';
import { releaseSeeds } from './partner-keys.ts';
import { assertInForce } from './partnerships.ts';
import { planRelease, type ReleasePlan } from './plan-release.ts';
import { carriesOut, readOutbox } from './read-outbox.ts';
import { recordContact, recordPush } from './record.ts';
import { isSignedNow } from './refresh.ts';
import { newestRoot, rootsForInbox } from './root-store.ts';
import { signRelease, type SignedRelease } from './sign-release.ts';
import { collectGarbage, commitRelease, missingObjects, removeLeftovers, uploadObjects } from './upload.ts';

export interface PushRequest {
  /** Ids or tags; all partners when empty. */
  readonly partners: readonly string[];
  readonly message: MessageRequest;
  /** Send every object again, for a partner that lost what it had. */
  readonly full: boolean;
  readonly concurrency: number;
  onProgress(partner: string, step: PushStep): void;
}

/** A push that was cut off from another machine is waited for this long; one of this machine is not waited for. */
const LOCK_MINUTES = 30;

export type PushStep =
  | { readonly kind: 'passed-over'; readonly why: string }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'planned'; readonly plan: ReleasePlan }
  | { readonly kind: 'sent'; readonly bytes: number }
  /** The release is there; only tidying up or reading the partner's answer failed. */
  | { readonly kind: 'committed'; readonly error: TieupError }
  | { readonly kind: 'done' };

export type PushResult =
  | {
      readonly kind: 'pushed';
      readonly partner: string;
      readonly release: number;
      readonly releaseDigest: string;
      readonly plan: ReleasePlan;
      readonly sentObjects: number;
      readonly sentBytes: number;
    }
  | { readonly kind: 'unchanged'; readonly partner: string; readonly release: number; readonly releaseDigest: string }
  | { readonly kind: 'failed'; readonly partner: string; readonly error: TieupError };

/** Brings one partner its next release; the road above, step by step. @throws what any step throws; the partner then has what it had. */
export async function pushTo(
  site: MainSite,
  compiled: CompiledSite,
  partnership: Partnership,
  request: PushRequest,
): Promise<PushResult> {
  assertInForce(partnership, site.clock.now());
  // Keys before the connection: without them nothing could be pushed, and nobody need be disturbed.
  const seeds = await releaseSeeds(site, { partner: partnership.id, epoch: partnership.epoch });
  request.onProgress(partnership.id, { kind: 'connecting' });
  const exchange = await site.connect(partnership);
  try {
    const lock = await acquireLock(exchange, INBOX_LOCK, site.owner, site.clock, LOCK_MINUTES, site);
    try {
      const result = await pushLocked(site, compiled, partnership, request, exchange, seeds);
      await lock.release();
      return result;
    } catch (error) {
      await releaseQuietly(lock);
      throw error;
    }
  } finally {
    await exchange.close();
  }
}

/** After a failure, which is what matters: a line that broke cannot carry the release of the lock either. */
async function releaseQuietly(lock: Lock): Promise<void> {
  try {
    await lock.release();
  } catch (error) {
    if (!(error instanceof TieupError)) throw error;
  }
}

async function pushLocked(
  site: MainSite,
  compiled: CompiledSite,
  partnership: Partnership,
  request: PushRequest,
  exchange: FileTree,
  seeds: Awaited<ReturnType<typeof releaseSeeds>>,
): Promise<PushResult> {
  const partner = partnership.id;
  const remote = await learnRemote(site, partnership, exchange);
  const terms = await currentTerms(site, partnership);
  const plan = planFor(compiled, partnership, remote, terms.digest);
  request.onProgress(partner, { kind: 'planned', plan });
  const resend = request.full || !remote.hasObjects;
  if (
    !plan.differs &&
    !resend &&
    remote.base !== undefined &&
    (await isSignedNow(site, partnership, exchange, remote))
  ) {
    await recordContact(site, partner, remote.base);
    const { release, releaseDigest } = remote.base;
    return { kind: 'unchanged', partner, release: release.release, releaseDigest };
  }

  const there = new Set(resend ? [] : (remote.base?.release.files ?? []).map(({ digest }) => digest));
  const objects = missingObjects(plan.files, there);
  let sentBytes = 0;
  const sent = await uploadObjects(exchange, {
    objects,
    assets: { files: site.files, folder: site.config.folders.assets },
    again: request.full,
    onBytes: (bytes) => {
      sentBytes += bytes;
      request.onProgress(partner, { kind: 'sent', bytes: sentBytes });
    },
  });
  const now = site.clock.now();
  const newRoots = resend || remote.base === undefined || remote.isRekeyed;
  const signed = signRelease({
    partner,
    site: site.config.site.url,
    plan,
    remote,
    termsBytes: terms.bytes,
    seeds,
    now,
    roots: newRoots ? await rootsForInbox(site, partner) : [],
    ...composeMessage(site.config, request.message, plan, now),
  });
  await commitRelease(exchange, signed);
  await remember(
    site,
    partner,
    { base: signed.pushed, releaseBytes: signed.releaseBytes },
    signed.versions,
    sha256(signed.timestamp.bytes),
    (await newestRoot(site, partner)).version,
  );
  await recordPush(site, partner, signed.pushed);

  try {
    await tidyUp(site, partnership, exchange, { signed, objects: sent, base: remote.base });
  } catch (error) {
    // Past the commit point: what the partner's outbox holds cannot make this push a failure.
    if (!(error instanceof TieupError)) throw error;
    request.onProgress(partner, { kind: 'committed', error });
  }
  request.onProgress(partner, { kind: 'done' });
  const { release, releaseDigest } = signed.pushed;
  return {
    kind: 'pushed',
    partner,
    release: release.release,
    releaseDigest,
    plan,
    sentObjects: objects.length,
    sentBytes,
  };
}

/** Takes in what the partner answered, and away from the inbox what nobody needs any more. */
async function tidyUp(
  site: MainSite,
  partnership: Partnership,
  exchange: FileTree,
  sent: {
    readonly signed: SignedRelease;
    readonly objects: ReadonlySet<string>;
    readonly base: PushedRelease | undefined;
  },
): Promise<void> {
  const { partnership: known } = await takeInKeys(site, partnership, exchange);
  const { signed, objects, base } = sent;
  const baseIsLive = base !== undefined && carriesOut(await readOutbox(exchange, known), base.releaseDigest);
  await collectGarbage(exchange, { signed, objects, baseIsLive });
  await removeLeftovers(exchange);
}

/** The release that a push would make now. */
export function planFor(
  compiled: CompiledSite,
  partnership: Partnership,
  remote: RemoteState,
  termsDigest: string,
): ReleasePlan {
  return planRelease({
    files: compiled.filesFor(partnerView(partnership)),
    base: remote.base?.release,
    number: remote.versions.targets + 1,
    termsDiffer: remote.base?.termsDigest !== termsDigest,
  });
}
