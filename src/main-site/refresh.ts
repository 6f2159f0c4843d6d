/**
 * Signs snapshot and timestamp of every partner's repository anew, so that partners can tell "nothing new" from "somebody
 * holds the news back". A daily cron job; needs the online key alone.
 *
 *   inbox → versions → snapshot, timestamp signed over the same release → commit
 */
import pLimit from 'p-limit';
import type { Partnership } from '../config/partnership.ts';
import { TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { acquireLock } from '../io/lock.ts';
import { sha256 } from '../protocol/digest.ts';
import { INBOX_LOCK, INBOX_METADATA } from '../protocol/exchange.ts';
import { renderRelease } from '../protocol/release.ts';
import { readMetadataVersion } from '../protocol/tuf-metadata.ts';
import { expiryAfter, LIFETIME_DAYS, signFreshness } from '../protocol/tuf-repository.ts';
import { learnRemote, remember } from './learn-remote.ts';
import type { MainSite } from './main-site.ts';
import { onlineSeed } from './partner-keys.ts';
import { assertInForce, loadPartnerships } from './partnerships.ts';
import { recordContact, recordFailure } from './record.ts';

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

const MAX_TARGETS = 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;

/** A partner that cannot be reached is reported, the others are done. */
export async function refresh(
  site: MainSite,
  partners: readonly string[],
  concurrency: number,
): Promise<readonly RefreshResult[]> {
  const partnerships = await loadPartnerships(site, partners);
  const limit = pLimit(concurrency);
  return Promise.all(partnerships.map((partnership) => limit(() => refreshOrReport(site, partnership))));
}

async function refreshOrReport(site: MainSite, partnership: Partnership): Promise<RefreshResult> {
  const partner = partnership.id;
  try {
    assertInForce(partnership, site.clock.now());
  } catch (error) {
    if (!(error instanceof TieupError)) throw error;
    return { kind: 'skipped', partner, why: error.message };
  }
  try {
    const exchange = await site.connect(partnership);
    try {
      const lock = await acquireLock(exchange, INBOX_LOCK, site.owner, site.clock, undefined, site);
      try {
        return await refreshLocked(site, partnership, exchange);
      } finally {
        await lock.release();
      }
    } finally {
      await exchange.close();
    }
  } catch (error) {
    if (!(error instanceof TieupError)) throw error;
    await recordFailure(site, partner, error);
    return { kind: 'failed', partner, error };
  }
}

async function refreshLocked(site: MainSite, partnership: Partnership, exchange: FileTree): Promise<RefreshResult> {
  const { id: partner, epoch } = partnership;
  const { base, versions: before, hasObjects } = await learnRemote(site, partnership, exchange);
  if (base === undefined) return { kind: 'skipped', partner, why: 'nothing has been pushed yet' };
  if (!hasObjects) {
    throw new TieupError('TIEUP_E_VERIFY', `the inbox of ${partner} does not hold what was pushed last`, {
      hint: `push again: tieup push ${partner}`,
    });
  }
  const targets = await exchange.read(`${INBOX_METADATA}/${before.targets}.targets.json`, MAX_TARGETS);
  if (sha256(targets) !== base.releaseDigest) {
    throw new TieupError('TIEUP_E_VERIFY', `the inbox of ${partner} holds another release than was pushed`, {
      hint: `push again: tieup push --full ${partner}`,
    });
  }
  const now = site.clock.now();
  const versions = { ...before, snapshot: before.snapshot + 1, timestamp: before.timestamp + 1 };
  const { snapshot, timestamp } = signFreshness({
    online: await onlineSeed(site.keys, { partner, epoch }),
    versions,
    now,
    targets: { version: before.targets, bytes: targets },
  });
  await exchange.write(`${INBOX_METADATA}/${snapshot.name}`, snapshot.bytes);
  await exchange.write(`${INBOX_METADATA}/${timestamp.name}`, timestamp.bytes);
  await remember(site, partner, { base, releaseBytes: renderRelease(base.release) }, versions, sha256(timestamp.bytes));
  await recordContact(site, partner, base);
  await exchange.remove(`${INBOX_METADATA}/${before.snapshot - 1}.snapshot.json`);
  const releaseUntil = readMetadataVersion(targets).expires;
  const halfLife = (LIFETIME_DAYS.targets / 2) * DAY_MS;
  return {
    kind: 'refreshed',
    partner,
    release: base.release.release,
    until: expiryAfter(now, 'timestamp').toISOString(),
    releaseUntil: new Date(releaseUntil).toISOString(),
    releaseHalfOver: new Date(releaseUntil).getTime() - now.getTime() < halfLife,
  };
}
