/**
 * Drafts the next release for one partner: what it consists of, signed when it is asked for, and sent beside its place.
 */
import type { Partnership } from '../config/partnership.ts';
import type { CompiledSite } from '../content/compiled-site.ts';
import type { FileTree } from '../io/file-tree.ts';
import { assetsOf } from './assets.ts';
import { currentTerms } from './current-terms.ts';
import { planKnowing } from './known-outputs.ts';
import { judgeContent } from './judge-content.ts';
import type { RemoteState } from './learn-remote.ts';
import type { MainSite } from './main-site.ts';
import { composeMessage } from './message.ts';
import { loadPartnerView } from './partner-view.ts';
import type { ReleaseSeeds } from './partner-keys.ts';
import type { PlannedFile, ReleasePlan } from './plan-release.ts';
import type { PushRequest } from './push.ts';
import { rootsForInbox } from './root-store.ts';
import { signRelease, type SignedRelease } from './sign-release.ts';
import { missingObjects, stageRelease, type StagedRelease, type Upload } from './upload.ts';

/** Nearer servers are on the same network, which takes bytes faster than they can be compressed. */
const COMPRESS_FROM_MS = 2;

/** One push to one partner. */
export interface Push {
  readonly site: MainSite;
  readonly compiled: CompiledSite;
  readonly partnership: Partnership;
  readonly request: PushRequest;
  readonly exchange: FileTree;
  readonly seeds: ReleaseSeeds;
  /** What an attempt before this one has signed, and perhaps sent in part. */
  readonly signedBefore: SignedRelease | undefined;
  /** As of {@link Upload}. */
  readonly leftovers: Upload['leftovers'];
}

/** The next release for an inbox in this state. */
export interface Draft {
  readonly kind: 'draft';
  readonly remote: RemoteState;
  readonly plan: ReleasePlan;
  /** Of the content, as of {@link SentRelease}. */
  readonly active: readonly string[] | null;
  readonly sign: () => Promise<SignedRelease>;
  /** Objects that the partner's side cannot have. */
  readonly news: readonly PlannedFile[];
  /** Undefined where nothing differs. */
  stage(): Promise<StagedRelease> | undefined;
}

/** @throws what the terms or the request do not allow; nothing is sent then. */
export async function draftRelease(push: Push, remote: RemoteState): Promise<Draft> {
  const { site, compiled, partnership, request, exchange } = push;
  const terms = await currentTerms(site, partnership);
  const plan = await planFor(site, compiled, partnership, remote, terms.digest);
  request.judge?.(partnership.id, { plan, base: remote.base, termsDigest: terms.digest });
  request.onProgress(partnership.id, { kind: 'planned', plan });
  const active = await judgeContent(site, partnership, plan, remote.base);
  const had = request.full || !remote.hasObjects ? [] : (remote.base?.release.files ?? []);
  const news = missingObjects(plan.files, new Set(had.map(({ digest }) => digest)));
  const sign = once(async () => {
    const before = push.signedBefore;
    const isSame = before !== undefined && isSameRelease(before, plan, remote, terms.digest);
    return isSame ? before : signNow(push, plan, remote, terms.bytes);
  });
  const stage = once(async () => stageRelease(exchange, await sign(), uploadOf(push, news)));
  return { kind: 'draft', remote, plan, active, news, sign, stage: () => (plan.differs ? stage() : undefined) };
}

/** Then its numbers are not used for another one. */
function isSameRelease(
  { pushed: { release, termsDigest }, versions }: SignedRelease,
  plan: ReleasePlan,
  remote: RemoteState,
  terms: string,
): boolean {
  return (
    release.base?.targets === remote.base?.releaseDigest &&
    termsDigest === terms &&
    versions.targets === plan.number &&
    versions.snapshot === remote.versions.snapshot + 1 &&
    versions.timestamp === remote.versions.timestamp + 1 &&
    JSON.stringify(release.files) === JSON.stringify(plan.files.map(({ file }) => file))
  );
}

/** The same promise for everybody who asks. */
export function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => (result ??= work());
}

export function uploadOf(
  { site, request, exchange, partnership, leftovers }: Push,
  objects: readonly PlannedFile[],
): Upload {
  return {
    objects,
    assets: assetsOf(site),
    again: request.full,
    compress: exchange.roundTripMs() >= COMPRESS_FROM_MS,
    leftovers,
    onSent: (bytes) => request.onProgress(partnership.id, { kind: 'sent', bytes }),
  };
}

async function signNow(
  { site, partnership, request, seeds }: Push,
  plan: ReleasePlan,
  remote: RemoteState,
  termsBytes: Uint8Array,
): Promise<SignedRelease> {
  const now = site.clock.now();
  const signed = signRelease({
    partner: partnership.id,
    site: site.config.site.url,
    plan,
    remote,
    termsBytes,
    seeds,
    now,
    ...composeMessage(site.config, request.message, plan, now),
  });
  // Of an inbox that is empty nobody trusts anything yet: then the roots need not wait for the rest.
  if (remote.base !== undefined) return signed;
  return { ...signed, files: [...signed.files, ...(await rootsForInbox(site, partnership.id))] };
}

/** The release that a push would make now. */
export async function planFor(
  site: MainSite,
  compiled: CompiledSite,
  partnership: Partnership,
  remote: RemoteState,
  termsDigest: string,
): Promise<ReleasePlan> {
  return planKnowing(site, partnership.id, {
    files: compiled.filesFor(await loadPartnerView(site, partnership)),
    base: remote.base?.release,
    number: remote.versions.targets + 1,
    termsDiffer: remote.base?.termsDigest !== termsDigest,
  });
}
