/**
 * Which release was live from which line of a partner's log on, from the switch records of log T. With the main site's own list of
 * that release's files it decides what a request was for, without asking the partner.
 */
import { z } from 'zod';
import type { Partnership } from '../../config/partnership.ts';
import { isTieupError } from '../../errors.ts';
import { publishedFiles, type PublishedFiles } from '../../logs/published-files.ts';
import type { LogRecord } from '../../protocol/log-record.ts';
import { switchOf } from '../../protocol/log-record.ts';
import { recallRelease } from '../sent-releases.ts';
import type { MainSite } from '../main-site.ts';
import { openOutbox } from '../read-outbox.ts';
import type { LogExchange } from './fetch-part.ts';
import type { LogFinding } from './findings.ts';
import { epochPath, type Pins, readState, writeState } from './log-records.ts';

export interface KnownSwitch {
  /** Place in log T, from 0 on. */
  readonly index: number;
  /** Number of the line before it. */
  readonly seq: number;
  /** SHA-256 of the release's `N.targets.json`; null when no tie-up page was live any more. */
  readonly release: string | null;
  readonly time: string;
}

const schema: z.ZodType<KnownSwitch[]> = z.array(
  z.strictObject({
    index: z.int().min(0),
    seq: z.int().min(0),
    release: z.string().nullable(),
    time: z.string(),
  }),
);

export function knownSwitch(index: number, record: LogRecord): KnownSwitch | undefined {
  const live = switchOf(record);
  return live === undefined ? undefined : { index, seq: record.seq, release: live.releaseDigest, time: live.time };
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

/** The files of releases by digest, each read once; undefined for one that this machine never had. */
export function releaseFiles(
  site: MainSite,
  partner: string,
  siteUrl: string,
): (digest: string) => Promise<PublishedFiles | undefined> {
  const known = new Map<string, Promise<PublishedFiles | undefined>>();
  const prefix = new URL(siteUrl).pathname;
  const load = async (digest: string): Promise<PublishedFiles | undefined> => {
    const release = await recallRelease(site, partner, digest);
    if (release === undefined) return undefined;
    const paths = release.files.map(({ path, page }) => [path, page === undefined ? 'asset' : 'page'] as const);
    return publishedFiles(new Map(paths), { prefix });
  };
  return (digest) => {
    const found = known.get(digest) ?? load(digest);
    known.set(digest, found);
    return found;
  };
}

/** A release that is live by the partner's own receipt, and that log T does not know of: hits on its pages count as nobody's. */
export async function unknownRelease(
  site: MainSite,
  partnership: Partnership,
  exchange: LogExchange,
  { epoch, T, shownUntil }: Pins,
): Promise<readonly LogFinding[]> {
  if (shownUntil === null) return [];
  const receipt = await readReceipt(exchange, partnership);
  if (receipt === undefined || receipt.state === 'left' || receipt.time >= shownUntil) return [];
  const switches = await readSwitches(site, partnership.id, epoch, T.size);
  if (switches.some(({ release }) => release === receipt.releaseDigest)) return [];
  const message = `release ${receipt.release} is live since ${receipt.time} by the partner's receipt, but log T does not say so`;
  return [{ kind: 'switch-missing', epoch, message, records: [] }];
}

/** One that cannot be trusted says nothing here; `tieup status` tells of it. */
async function readReceipt(exchange: LogExchange, partnership: Partnership) {
  try {
    return (await openOutbox(exchange, partnership)).receipt?.statement;
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_VERIFY', 'TIEUP_E_TOO_LARGE')) return undefined;
    throw error;
  }
}
