/**
 * Which release was live from which line of a partner's log on, from the switch records of log T. With the main site's own list of
 * that release's files it decides what a request was for, without asking the partner.
 */
import { z } from 'zod';
import { publishedFiles, type PublishedFiles } from '../../logs/published-files.ts';
import type { LogRecord } from '../../protocol/log-record.ts';
import { ownPathOf, switchOf } from '../../protocol/log-record.ts';
import { recallRelease } from '../sent-releases.ts';
import type { MainSite } from '../main-site.ts';
import { epochPath, type Pins, readState, writeState } from './log-records.ts';

export interface KnownSwitch {
  /** Place in log T, from 0 on. */
  readonly index: number;
  /** Number of the line before it. */
  readonly seq: number;
  /** SHA-256 of the release's `N.targets.json`; null when no tie-up page was live any more. */
  readonly release: string | null;
  readonly time: string;
  /** Paths that are the partner's own from here on, by its own account. */
  readonly own: readonly string[];
}

/** More for one switch are not believed: hits on them count as hidden ones. */
const MAX_OWN = 10_000;

const schema: z.ZodType<KnownSwitch[]> = z.array(
  z.strictObject({
    index: z.int().min(0),
    seq: z.int().min(0),
    release: z.string().nullable(),
    time: z.string(),
    own: z.array(z.string()).default([]),
  }),
);

export function knownSwitch(index: number, record: LogRecord): KnownSwitch | undefined {
  const live = switchOf(record);
  return live === undefined
    ? undefined
    : { index, seq: record.seq, release: live.releaseDigest, time: live.time, own: [] };
}

/** Adds what a record says of the switch before it; false when it says nothing, or no switch came before. */
export function takeOwnPath(switches: KnownSwitch[], record: LogRecord): boolean {
  const path = ownPathOf(record);
  if (path === undefined) return false;
  const last = switches.pop();
  if (last === undefined) return true;
  switches.push(last.own.length < MAX_OWN ? { ...last, own: [...last.own, path] } : last);
  return true;
}

/** Those of the first `size` records of log T, in their order. What was read and not pinned lies behind them. */
export async function readSwitches(
  site: MainSite,
  partner: string,
  epoch: number,
  size: number,
): Promise<readonly KnownSwitch[]> {
  const all = (await readState(site, epochPath(partner, epoch, 'switches.json'), schema)) ?? [];
  return all.filter(({ index }) => index < size);
}

/** Those of the records from `from` on; called before these are pinned. */
export async function keepSwitches(
  site: MainSite,
  partner: string,
  epoch: number,
  from: number,
  found: readonly KnownSwitch[],
): Promise<void> {
  const before = await readSwitches(site, partner, epoch, from);
  await writeState(site, epochPath(partner, epoch, 'switches.json'), [...before, ...found]);
}

/** The release that was live when the line with number `seq` was written. Undefined before the first switch. */
export function releaseAt(switches: readonly KnownSwitch[], seq: number): KnownSwitch | undefined {
  return switches.findLast((each) => each.seq < seq);
}

/**
 * What a request is judged by that was made when, by log T, no tie-up page was live: the release before that, whose pages would not
 * have been there. Undefined before the first release.
 */
export function releaseBefore(switches: readonly KnownSwitch[], live: KnownSwitch): KnownSwitch | undefined {
  return switches.findLast((each) => each.index < live.index && each.release !== null);
}

/** The tie-up files that were live after a switch, each list read once; undefined for a release that this machine never had. */
export function filesAfter(
  site: MainSite,
  partner: string,
  siteUrl: string,
): (live: KnownSwitch) => Promise<PublishedFiles | undefined> {
  const known = new Map<number, Promise<PublishedFiles | undefined>>();
  const prefix = new URL(siteUrl).pathname;
  const load = async ({ release: digest, own }: KnownSwitch): Promise<PublishedFiles | undefined> => {
    const release = digest === null ? undefined : await recallRelease(site, partner, digest);
    if (release === undefined) return undefined;
    const isOwn = new Set(own);
    const paths = release.files
      .filter(({ path }) => !isOwn.has(path))
      .map(({ path, page }) => [path, page === undefined ? 'asset' : 'page'] as const);
    return publishedFiles(new Map(paths), { prefix, own });
  };
  return (live) => {
    const found = known.get(live.index) ?? load(live);
    known.set(live.index, found);
    return found;
  };
}

/** Paths that are the partner's own now, by the last switch that is known. */
export async function ownPathsNow(site: MainSite, partner: string, { epoch, T }: Pins): Promise<ReadonlySet<string>> {
  return new Set((await readSwitches(site, partner, epoch, T.size)).at(-1)?.own);
}
