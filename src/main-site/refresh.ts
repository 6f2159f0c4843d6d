/**
 * Signs snapshot and timestamp of every partner's repository anew, so that partners can tell "nothing new" from "somebody
 * holds the news back". A daily cron job; needs the online key alone.
 *
 *   inbox → versions → snapshot, timestamp signed over the same release → commit
 */
import pLimit from 'p-limit';
import type { Partnership } from '../config/partnership.ts';
import { asTieupError, isTieupError, TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { acquireLock, type Lock } from '../io/lock.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { together } from '../io/together.ts';
import { sha256 } from '../protocol/digest.ts';
import { INBOX_LOCK, INBOX_METADATA } from '../protocol/exchange.ts';
import { renderRelease } from '../protocol/release.ts';
import { isSignedUnder, readMetadataVersion } from '../protocol/tuf-metadata.ts';
import { expiryAfter, isHalfOver, signFreshness } from '../protocol/tuf-repository.ts';
import { inAttempts } from './attempts.ts';
import { withDeadline } from './deadline.ts';
import { learnRemote, remember, type RemoteState } from './learn-remote.ts';
import type { MainSite } from './main-site.ts';
import { onlineSeed } from './partner-keys.ts';
import { assertInForce } from './in-force.ts';
import { loadPartnerships } from './partnerships.ts';
import { recordContact, recordFailure } from './record.ts';
import { readHead } from './read-head.ts';
import { newestRoot, rootsForInbox } from './root-store.ts';
import type { PushedRelease, SentRelease } from './sent-releases.ts';
import { commitNumbered } from './upload.ts';
import { pastTaken, watchHead } from './watched-head.ts';

export type RefreshResult =
  | {
      readonly kind: 'refreshed';
      readonly partner: string;
      readonly release: number;
      /** Until when the partner takes it for fresh. */
      readonly until: string;
      /** The release itself lives on until then; past half of its life, push again with the release key. */
      readonly releaseUntil: string;
      readonly releaseHalfOver: boolean;
    }
  /** Nothing was pushed yet, or the contract is not in force. */
  | { readonly kind: 'skipped'; readonly partner: string; readonly why: string }
  | { readonly kind: 'failed'; readonly partner: string; readonly error: TieupError };

export const MAX_TARGETS = 1024 * 1024;

export interface RefreshBounds {
  /** What is done for one partner is cut off after this; undefined: never. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A partner that cannot be reached is reported, the others are done. */
export async function refresh(
  site: MainSite,
  partners: readonly string[],
  concurrency: number,
  bounds: RefreshBounds = {},
): Promise<readonly RefreshResult[]> {
  const partnerships = await loadPartnerships(site, partners);
  const limit = pLimit(concurrency);
  const results = await Promise.all(
    partnerships.map((partnership) => limit(() => refreshOrReport(site, partnership, bounds))),
  );
  // One line a run: it is a daily matter, and there may be thousands of partners.
  const number = (kind: RefreshResult['kind']): string =>
    `${results.filter((each) => each.kind === kind).length} ${kind}`;
  await site.history.add({
    action: 'refresh',
    detail: `${number('refreshed')}, ${number('skipped')}, ${number('failed')}`,
  });
  return results;
}

async function refreshOrReport(
  site: MainSite,
  partnership: Partnership,
  { deadlineMs, signal }: RefreshBounds,
): Promise<RefreshResult> {
  const partner = partnership.id;
  try {
    assertInForce(partnership, site.clock.now());
  } catch (error) {
    if (!(error instanceof TieupError)) throw error;
    return { kind: 'skipped', partner, why: error.message };
  }
  try {
    return await withDeadline(site, partner, deadlineMs, (limited) =>
      inAttempts(limited.clock, (isAgain) => refreshAt(limited, partnership, isAgain), { signal }),
    );
  } catch (error) {
    const fault = asTieupError(error);
    await recordFailure(site, partner, fault);
    return { kind: 'failed', partner, error: fault };
  }
}

async function refreshAt(site: MainSite, partnership: Partnership, isAgain: boolean): Promise<RefreshResult> {
  const exchange = await site.connect(partnership);
  try {
    const lock = await acquireLock(exchange, INBOX_LOCK, site.owner, site.clock, undefined, { ...site, isAgain });
    try {
      return await refreshLocked(site, partnership, exchange, lock);
    } finally {
      await lock.release();
    }
  } finally {
    await exchange.close();
  }
}

async function refreshLocked(
  site: MainSite,
  partnership: Partnership,
  exchange: FileTree,
  lock: Lock,
): Promise<RefreshResult> {
  const partner = partnership.id;
  const watched = await watchHead(exchange, partner, await readHead(exchange));
  const remote = await learnRemote(site, partnership, exchange);
  if (remote.base === undefined) return { kind: 'skipped', partner, why: 'nothing has been pushed yet' };
  const targets = await targetsThere(site, partnership, exchange, remote.base, remote);
  const assertOurs = async (): Promise<void> => {
    await together([lock.assertHeld(), watched.assertUnmoved()]);
  };
  const until = await signFreshInto(site, partnership, exchange, { ...remote, base: remote.base }, targets, assertOurs);
  await recordContact(site, partner, remote.base);
  const releaseUntil = readMetadataVersion(targets).expires;
  return {
    kind: 'refreshed',
    partner,
    release: remote.base.release.release,
    until,
    releaseUntil: new Date(releaseUntil).toISOString(),
    releaseHalfOver: isHalfOver('targets', releaseUntil, site.clock.now()),
  };
}

/** The release in the inbox, which must be the one that was pushed and be signed with the release key of the newest root. */
async function targetsThere(
  site: MainSite,
  { id: partner }: Partnership,
  exchange: FileTree,
  base: PushedRelease,
  { versions, hasObjects, isRekeyed }: RemoteState,
): Promise<Uint8Array> {
  const refuse = (message: string, command: string) =>
    new TieupError('TIEUP_E_VERIFY', message, { hint: `push again: ${command} ${partner}` });
  if (!hasObjects) {
    throw isRekeyed
      ? refuse(`what the inbox of ${partner} holds was signed with keys that were replaced`, 'tieup push --full')
      : refuse(`the inbox of ${partner} does not hold what was pushed last`, 'tieup push');
  }
  const targets = await exchange.read(`${INBOX_METADATA}/${versions.targets}.targets.json`, MAX_TARGETS);
  if (sha256(targets) !== base.releaseDigest)
    throw refuse(`the inbox of ${partner} holds another release than was pushed`, 'tieup push --full');
  if (isRekeyed && !isSignedUnder((await newestRoot(site, partner)).bytes, targets)) {
    throw refuse(
      `the release key was replaced since release ${versions.targets} of ${partner} was pushed`,
      'tieup push',
    );
  }
  return targets;
}

/**
 * Signs snapshot and timestamp over the release that is in the inbox, sends the roots first when their keys are new, and
 * commits. Returns until when the partner takes it for fresh.
 * @param assertOurs asked in the round trip before the commit: what it throws keeps it from happening
 */
export async function signFreshInto(
  site: MainSite,
  { id: partner, epoch }: Partnership,
  exchange: FileTree,
  remote: RemoteState & { readonly base: SentRelease },
  targets: Uint8Array,
  assertOurs: () => Promise<void>,
): Promise<string> {
  const { base } = remote;
  const before = await pastTaken(exchange, remote.versions);
  const now = site.clock.now();
  const versions = { ...remote.versions, snapshot: before.snapshot + 1, timestamp: before.timestamp + 1 };
  const { snapshot, timestamp } = signFreshness({
    online: await onlineSeed(site, { partner, epoch }),
    versions,
    now,
    targets: { version: remote.versions.targets, bytes: targets },
  });
  const place = `${INBOX_METADATA}/${snapshot.name}`;
  const [fresh, head] = await together([
    exchange.stage(place, snapshot.bytes, { isNew: true }),
    exchange.stage(`${INBOX_METADATA}/${timestamp.name}`, timestamp.bytes),
  ]);
  try {
    await commitNumbered(exchange, [{ ...fresh, path: place }], assertOurs);
  } catch (error) {
    await together([fresh.discard(), head.discard()]);
    // The number was free a moment ago.
    if (isTieupError(error, 'TIEUP_E_EXISTS')) await assertOurs();
    throw error;
  }
  // Right before the commit: a partner that looks in between finds a timestamp which the new root does not name.
  if (remote.isRekeyed) {
    for (const { path, bytes } of await rootsForInbox(site, partner)) await exchange.write(path, bytes);
  }
  await head.commit();
  const { version: root } = await newestRoot(site, partner);
  // What was found under replaced keys has not been kept yet.
  const pushed = { base, releaseBytes: remote.isRekeyed ? renderRelease(base.release) : undefined };
  await remember(site, partner, pushed, versions, sha256(timestamp.bytes), root);
  await exchange.remove(`${INBOX_METADATA}/${remote.versions.snapshot - 1}.snapshot.json`);
  return expiryAfter(now, 'timestamp').toISOString();
}

/**
 * Whether the release that is in the inbox is signed with the keys of the newest root. When the online key alone is new, or
 * its signatures are past half of their life, it signs here and now: the release stays what it is, and nobody is asked again.
 * @param found with `timestamp.json`, where it was read already
 */
export async function isSignedNow(
  site: MainSite,
  partnership: Partnership,
  exchange: FileTree,
  {
    remote,
    head,
    assertOurs,
  }: {
    readonly remote: RemoteState;
    readonly head: Uint8Array | undefined;
    readonly assertOurs: () => Promise<void>;
  },
): Promise<boolean> {
  const { base, versions, isRekeyed } = remote;
  if (base === undefined) return false;
  const timestamp = head ?? (await exchange.read(`${INBOX_METADATA}/timestamp.json`, MAX_TARGETS));
  const isFresh = !isHalfOver('timestamp', readMetadataVersion(timestamp).expires, site.clock.now());
  if (!isRekeyed && isFresh) return true;
  const targets = await readIfThere(exchange, `${INBOX_METADATA}/${versions.targets}.targets.json`, MAX_TARGETS);
  const { bytes: root } = await newestRoot(site, partnership.id);
  if (targets === undefined || sha256(targets) !== base.releaseDigest || !isSignedUnder(root, targets)) return false;
  await signFreshInto(site, partnership, exchange, { ...remote, base }, targets, assertOurs);
  return true;
}
