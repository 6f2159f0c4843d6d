/**
 * Judges the live switches of log T: what they say decides which hits are on tie-up pages, and it is the partner that says it. The
 * releases are the main site's own, and so is the memory of the receipt that lay in the outbox.
 */
import type { Partnership } from '../../config/partnership.ts';
import { isTieupError } from '../../errors.ts';
import type { Receipt } from '../../protocol/receipt.ts';
import type { LineCounts } from '../../protocol/log-export.ts';
import { recallRelease } from '../sent-releases.ts';
import type { MainSite } from '../main-site.ts';
import { openOutbox } from '../read-outbox.ts';
import type { LogExchange } from './fetch-part.ts';
import type { LogFinding } from './findings.ts';
import type { Pins } from './log-records.ts';
import { type Looked, receiptDigest } from './looked.ts';
import { type KnownSwitch, readSwitches } from './switches.ts';

/** An export that was taken in. */
export interface JudgedExport {
  readonly before: Pins;
  readonly pins: Pins;
  /** What was in the outbox before it was made, where that is known. */
  readonly since: Looked | undefined;
  /** Whether every new record of log T was shown. */
  readonly isShown: boolean;
}

/** Switches of one export that are told of; who can write them can write many. */
const MAX_TOLD = 100;
/** No export takes longer from its last line to its statement: a switch in between is in the next one. */
const EXPORTING_MS = 60 * 60 * 1000;

export async function judgeSwitches(
  site: MainSite,
  partnership: Partnership,
  exchange: LogExchange,
  taken: JudgedExport,
): Promise<readonly LogFinding[]> {
  const { pins, before } = taken;
  const switches = await readSwitches(site, partnership.id, pins.epoch, pins.T.size);
  const recent = switches.filter(({ index }) => index >= before.T.size);
  const receipt = await readReceipt(exchange, partnership);
  return [
    ...(await unknownReleases(site, partnership.id, pins.epoch, recent)),
    ...(receipt?.state === 'left' ? [] : nothingLive(switches, recent, taken)),
    ...(await missingSwitch(exchange, switches, receipt, taken)),
  ];
}

/** One that this main site never signed says that hits on its pages are the partner's own. */
async function unknownReleases(
  site: MainSite,
  partner: string,
  epoch: number,
  recent: readonly KnownSwitch[],
): Promise<readonly LogFinding[]> {
  const named = new Map(recent.toReversed().map((each) => [each.release, each]));
  const findings: LogFinding[] = [];
  for (const [release, { index, time }] of [...named].slice(0, MAX_TOLD)) {
    if (release === null || (await recallRelease(site, partner, release)) !== undefined) continue;
    const message = `by log T the release ${release.slice(0, 12)} was live since ${time}, and nothing is known of it here: what is asked for from then on cannot be judged`;
    findings.push({ kind: 'switch-unknown', epoch, message, records: [index] });
  }
  return findings;
}

/**
 * Lines that were written while, by log T, no tie-up page was live: none of them is a hit on one. With the first export of an epoch
 * that may be so: of several logs one has older lines than the first switch.
 */
function nothingLive(
  switches: readonly KnownSwitch[],
  recent: readonly KnownSwitch[],
  { before, pins }: JudgedExport,
): readonly LogFinding[] {
  if (before.statement === null) return [];
  return switches
    .slice(-recent.length - 1)
    .filter((each, at, all) => {
      const end = all[at + 1]?.seq ?? linesOf(pins.lines);
      return each.release === null && end > Math.max(each.seq, linesOf(before.lines));
    })
    .slice(0, MAX_TOLD)
    .map(({ index, time }) => ({
      kind: 'nothing-live',
      epoch: pins.epoch,
      message: `by log T no tie-up page was live from ${time} on, and visits went on: they count as the partner's own`,
      records: [index],
    }));
}

/**
 * The last switch must be to what the receipt says is live. A log that got no new line has no place yet for a switch that has just
 * happened, and one that was not shown says nothing.
 */
async function missingSwitch(
  exchange: LogExchange,
  switches: readonly KnownSwitch[],
  receipt: Receipt | undefined,
  { before, pins, since, isShown }: JudgedExport,
): Promise<readonly LogFinding[]> {
  if (receipt === undefined || receipt.state === 'left') return [];
  if (!isShown || linesOf(pins.lines) === linesOf(before.lines)) return [];
  const last = switches.at(-1);
  if (last?.release === receipt.releaseDigest) return [];
  const isBefore = (time: string, later: string | null | undefined): boolean =>
    later !== null && later !== undefined && Date.parse(time) + EXPORTING_MS <= Date.parse(later);
  const seen = since?.receipt?.digest === (await receiptDigest(exchange)) ? since?.receipt?.since : undefined;
  if (!isBefore(receipt.time, pins.statedAt) && !(seen !== undefined && isBefore(seen, since?.at))) return [];
  const says =
    last === undefined
      ? 'does not say so'
      : `goes on with ${last.release === null ? 'none' : `release ${last.release.slice(0, 12)}`} since ${last.time}`;
  const message = `release ${receipt.release} is live since ${receipt.time} by the partner's receipt, but log T ${says}`;
  return [{ kind: 'switch-missing', epoch: pins.epoch, message, records: [] }];
}

function linesOf({ T, O, X }: LineCounts): number {
  return T + O + X;
}

/** One that cannot be trusted says nothing here; `tieup status` tells of it. */
async function readReceipt(exchange: LogExchange, partnership: Partnership): Promise<Receipt | undefined> {
  try {
    return (await openOutbox(exchange, partnership)).receipt?.statement;
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_VERIFY', 'TIEUP_E_TOO_LARGE')) return undefined;
    throw error;
  }
}
