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
import { TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { acquireLock } from '../io/lock.ts';
import { INBOX_LOCK } from '../protocol/exchange.ts';
import { sha256 } from '../protocol/digest.ts';
import { currentTerms } from './current-terms.ts';
import { judgeContent } from './judge-content.ts';
import { lookIntoInbox } from './inbox-content.ts';
import { learnRemote, remember, type RemoteState } from './learn-remote.ts';
import type { MainSite } from './main-site.ts';
import { composeMessage, type MessageRequest } from './message.ts';
import { partnerView } from './partner-view.ts';
import { releaseSeeds, type ReleaseSeeds } from './partner-keys.ts';
import { assertInForce } from './partnerships.ts';
import { planRelease, type PlannedFile, type ReleasePlan } from './plan-release.ts';
import { readRecord, recordContact, recordPush } from './record.ts';
import { isSignedNow } from './refresh.ts';
import { newestRoot, rootsForInbox } from './root-store.ts';
import type { SentRelease } from './sent-releases.ts';
import { signRelease, type SignedRelease } from './sign-release.ts';
import { takeInAnswers } from './take-in-answers.ts';
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
  | { readonly kind: 'connecting' }
  | { readonly kind: 'planned'; readonly plan: ReleasePlan }
  | { readonly kind: 'sent'; readonly bytes: number }
  | { readonly kind: 'done' };

/** What went wrong beside a push that did what it had to: no failure, and nothing to keep silent about. */
export interface Trouble {
  /** `answer`: what the partner answered could not be read · `tidying`: the release is there, what follows it was cut off. */
  readonly kind: 'answer' | 'tidying';
  readonly error: TieupError;
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
  | ({ readonly kind: 'pushed'; readonly plan: ReleasePlan } & Reached & Sent)
  /** Nothing is new, but content was missing in the inbox and is there again. */
  | ({ readonly kind: 'repaired' } & Reached & Sent)
  | ({ readonly kind: 'unchanged' } & Reached)
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
  const troubles: Trouble[] = [];
  try {
    const lock = await acquireLock(exchange, INBOX_LOCK, site.owner, site.clock, LOCK_MINUTES, site);
    try {
      return await pushLocked({ site, compiled, partnership, request, exchange, seeds, troubles });
    } finally {
      // What the push came to is what matters: a line that broke after it cannot carry the release of the lock either.
      await quietly('tidying', troubles, () => lock.release());
    }
  } finally {
    await exchange.close();
  }
}

interface Push {
  readonly site: MainSite;
  readonly compiled: CompiledSite;
  readonly partnership: Partnership;
  readonly request: PushRequest;
  readonly exchange: FileTree;
  readonly seeds: ReleaseSeeds;
  /** Grows on the way. */
  readonly troubles: Trouble[];
}

async function pushLocked(push: Push): Promise<PushResult> {
  const { site, compiled, partnership, request, exchange, troubles } = push;
  const partner = partnership.id;
  const remote = await learnRemote(site, partnership, exchange);
  const terms = await currentTerms(site, partnership);
  const plan = planFor(compiled, partnership, remote, terms.digest);
  request.onProgress(partner, { kind: 'planned', plan });
  const active = await judgeContent(site, partnership, plan, remote.base);

  const { there, hasDocuments, baseIsLive } = await whatIsThere(push, remote, plan.differs);
  // Content first, the signed head last, whether that is a new one or the one that is there.
  const resend = request.full || !remote.hasObjects || !hasDocuments;
  const objects = missingObjects(plan.files, there);
  const { sentBytes, paths } = await sendObjects(push, objects);
  if (
    !plan.differs &&
    !resend &&
    remote.base !== undefined &&
    (await isSignedNow(site, partnership, exchange, remote))
  ) {
    const { release, releaseDigest } = remote.base;
    const reached = { partner, release: release.release, releaseDigest, troubles };
    await recordContact(site, partner, remote.base);
    if (objects.length === 0) return { kind: 'unchanged', ...reached };
    return { kind: 'repaired', ...reached, sentObjects: objects.length, sentBytes };
  }

  const signed = await signNow(push, plan, remote, terms.bytes, resend);
  await commitRelease(exchange, signed);
  // Past the commit point: whatever happens now, the release is there.
  await quietly('tidying', troubles, () => keepPushed(push, signed, active));
  await quietly('tidying', troubles, async () => {
    await collectGarbage(exchange, { signed, objects: paths, baseIsLive });
    await removeLeftovers(exchange);
  });
  request.onProgress(partner, { kind: 'done' });
  const { release, releaseDigest } = signed.pushed;
  return {
    kind: 'pushed',
    partner,
    release: release.release,
    releaseDigest,
    troubles,
    plan,
    sentObjects: objects.length,
    sentBytes,
  };
}

interface There {
  /** Digests of objects that need not be sent. */
  readonly there: ReadonlySet<string>;
  /** Metadata and targets of the base are in the inbox. */
  readonly hasDocuments: boolean;
  /** The partner has carried out the base: what brought it can go. */
  readonly baseIsLive: boolean;
}

/**
 * What the partner's side has of the base: all that came with the release which its receipt names, and what of the rest lies in
 * the inbox.
 */
async function whatIsThere(push: Push, { base, versions, hasObjects }: RemoteState, differs: boolean): Promise<There> {
  const { site, partnership, exchange, request, troubles } = push;
  const isConfirmed = async (digest: string) => {
    const { receipt } = await readRecord(site, partnership.id);
    return receipt !== null && receipt.state !== 'left' && receipt.releaseDigest === digest;
  };
  // Nothing to send, and the receipt was seen: then nothing is asked.
  if (differs || request.full || base === undefined || !(await isConfirmed(base.releaseDigest)))
    await quietly('answer', troubles, () => takeInAnswers(site, partnership, exchange, versions.targets));
  if (base === undefined || !hasObjects || request.full) {
    const baseIsLive = base !== undefined && (await isConfirmed(base.releaseDigest));
    return { there: new Set(), hasDocuments: true, baseIsLive };
  }
  const { files } = base.release;
  if (await isConfirmed(base.releaseDigest))
    return { there: new Set(files.map(({ digest }) => digest)), hasDocuments: true, baseIsLive: true };
  const { receipt } = await readRecord(site, partnership.id);
  const has = receipt === null || receipt.state === 'left' ? 0 : receipt.release;
  const { objects, hasDocuments } = await lookIntoInbox(exchange, base, versions);
  const there = files.filter(({ since, digest }) => since <= has || objects.has(digest));
  return { there: new Set(there.map(({ digest }) => digest)), hasDocuments, baseIsLive: false };
}

async function sendObjects(
  { site, request, exchange, partnership }: Push,
  objects: readonly PlannedFile[],
): Promise<{ readonly sentBytes: number; readonly paths: ReadonlySet<string> }> {
  let sentBytes = 0;
  const paths = await uploadObjects(exchange, {
    objects,
    assets: { files: site.files, folder: site.config.folders.assets },
    again: request.full,
    onBytes: (bytes) => {
      sentBytes += bytes;
      request.onProgress(partnership.id, { kind: 'sent', bytes: sentBytes });
    },
  });
  return { sentBytes, paths };
}

async function signNow(
  { site, partnership, request, seeds }: Push,
  plan: ReleasePlan,
  remote: RemoteState,
  termsBytes: Uint8Array,
  resend: boolean,
): Promise<SignedRelease> {
  const partner = partnership.id;
  const now = site.clock.now();
  const newRoots = resend || remote.base === undefined || remote.isRekeyed;
  return signRelease({
    partner,
    site: site.config.site.url,
    plan,
    remote,
    termsBytes,
    seeds,
    now,
    roots: newRoots ? await rootsForInbox(site, partner) : [],
    ...composeMessage(site.config, request.message, plan, now),
  });
}

async function keepPushed(
  { site, partnership }: Push,
  { pushed, releaseBytes, versions, timestamp }: SignedRelease,
  active: readonly string[] | null,
): Promise<void> {
  const partner = partnership.id;
  const base: SentRelease = { ...pushed, active, releaseJson: sha256(releaseBytes) };
  const { version } = await newestRoot(site, partner);
  await remember(site, partner, { base, releaseBytes }, versions, sha256(timestamp.bytes), version);
  await recordPush(site, partner, pushed);
}

async function quietly(kind: Trouble['kind'], troubles: Trouble[], work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof TieupError)) throw error;
    troubles.push({ kind, error });
  }
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
