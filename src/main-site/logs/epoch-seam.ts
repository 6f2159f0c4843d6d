/**
 * The seam between two epochs of a partner's logs: what was committed to and not cosigned, as far as the partner knows, has to come over,
 * and what comes over although it was cosigned is imported once. Numbers of lines begin anew and salts are others: records are
 * compared by what they say.
 */
import { isTieupError } from '../../errors.ts';
import type { Partnership } from '../../config/partnership.ts';
import { gunzipped } from '../../logs/gunzipped.ts';
import { sha256Stream } from '../../protocol/digest.ts';
import { MAX_PART_FILE, MAX_PART_RAW } from '../../protocol/exchange.ts';
import { EXPORT_TYPE, type LogExport, parseExport } from '../../protocol/log-export.ts';
import { verifyPart } from '../../protocol/log-part.ts';
import type { RecordBatch } from '../../protocol/log-part-body.ts';
import { type LogRecord, ownPathOf, switchOf } from '../../protocol/log-record.ts';
import { FIELD_STRIDE, scannedClass } from '../../protocol/log-scan.ts';
import { openNote } from '../../protocol/note.ts';
import { parseVkey } from '../../protocol/vkey.ts';
import type { MainSite } from '../main-site.ts';
import { readCommitments } from './commitments.ts';
import type { LogFinding } from './findings.ts';
import {
  epochPath,
  firstPins,
  keptPartPath,
  keptParts,
  type PartRange,
  type Pins,
  pinsSchema,
  readState,
  type Seam,
  type SeamTree,
  TREES,
  type TreeName,
} from './log-records.ts';
import { readSwitches } from './switches.ts';
import { recordOf } from './take-records.ts';

type Sizes = Readonly<Record<TreeName, number>>;

const SWITCH = 0x53;

/**
 * What a new epoch has to bring over, when the one of `pins` is over.
 * @param named the records that it goes on from by its statement
 * @param leftover the export that lies in the outbox, pulled or not: its trees were committed to as well
 */
export async function seamAfter(
  site: MainSite,
  partnership: Partnership,
  pins: Pins,
  named: Sizes,
  leftover: Uint8Array | undefined,
): Promise<Seam> {
  const shown = leftover && statementIn(leftover, partnership, pins);
  const committedTo = async (log: TreeName): Promise<number> => {
    const largest = (await readCommitments(site, partnership.id, log, pins)).at(-1)?.size ?? 0;
    return Math.max(pins[log].size, largest, shown?.[log].size ?? 0);
  };
  const committed = { T: await committedTo('T'), O: await committedTo('O') };
  if (pins.statement === null && pins.seam !== null) return longerSeam(pins.seam, committed);
  const tree = (log: TreeName): SeamTree => ({
    named: named[log],
    cosigned: pins[log].size,
    committed: committed[log],
  });
  const live = (await readSwitches(site, partnership.id, pins.epoch, named.T)).at(-1);
  return {
    epoch: pins.epoch,
    T: tree('T'),
    O: tree('O'),
    live: live === undefined ? null : { release: live.release, time: live.time, own: live.own.length },
  };
}

/** Of an epoch that ended before anything of it was pulled: what it committed to comes over too. */
function longerSeam(seam: Seam, committed: Sizes): Seam {
  const { T, O, live } = seam;
  // Its log T began with what was live, which the next epoch says again.
  const said = live === null ? 0 : 1 + live.own;
  return {
    ...seam,
    T: { ...T, committed: Math.max(T.committed, T.named + committed.T - said) },
    O: { ...O, committed: Math.max(O.committed, O.named + committed.O) },
  };
}

/** Undefined when it is not of this epoch, or nobody who could has signed it: the key may have changed since. */
function statementIn(note: Uint8Array, { id, keys }: Partnership, { epoch, logKey }: Pins): LogExport | undefined {
  return [logKey, keys?.log ?? null]
    .flatMap((key) => (key === null ? [] : (openedBy(note, key) ?? [])))
    .find((statement) => statement.partner === id && statement.epoch === epoch);
}

function openedBy(note: Uint8Array, key: string): LogExport | undefined {
  try {
    return parseExport(openNote(note, [parseVkey(key)], { type: EXPORT_TYPE }).text);
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_VERIFY')) return undefined;
    throw error;
  }
}

/** Looks at the first export of an epoch while it is verified: where what comes over begins, and whether it is what was cosigned. */
export class SeamWatch {
  readonly #live: Seam['live'];
  /** How many records were cosigned and are expected to come again. */
  readonly #count: number;
  readonly #hash = sha256Stream();
  #led = 0;
  #hasBegun = false;
  #seen = 0;

  constructor(live: Seam['live'], count: number) {
    this.#live = live;
    this.#count = count;
  }

  take(batch: RecordBatch): void {
    const { bytes, count, indexes, offsets } = batch;
    for (let record = 0; record < count; record += 1) {
      if (this.#hasBegun && this.#seen >= this.#count) return;
      const at = record * FIELD_STRIDE;
      if (!this.#hasBegun) {
        const isSwitch = scannedClass(bytes, offsets, at) === SWITCH;
        if (isSwitch && this.#leads(recordOf(batch, record).record)) {
          this.#led += 1;
          continue;
        }
        this.#hasBegun = true;
        if (this.#count === 0) return;
      }
      // One that is withheld in between leaves it incomplete.
      if (indexes[record] !== this.#led + this.#seen) return;
      this.#hash.update(bytes.subarray(offsets[at + 1], offsets[at + FIELD_STRIDE - 1]));
      this.#seen += 1;
    }
  }

  /** What was live where the epoch before was cosigned is said again, with the partner's own paths. */
  #leads(record: LogRecord): boolean {
    if (this.#live === null) return false;
    if (this.#led > 0) return this.#led <= this.#live.own && ownPathOf(record) !== undefined;
    const live = switchOf(record);
    return live !== undefined && live.releaseDigest === this.#live.release && live.time === this.#live.time;
  }

  /** How many records of log T say again what was live. */
  get led(): number {
    return this.#led;
  }

  /** Undefined when not all of them were shown. */
  digest(): string | undefined {
    return this.#count > 0 && this.#seen === this.#count ? this.#hash.digest() : undefined;
  }
}

/** How many records of a log were cosigned and are to come again. */
export function comingAgain(seam: Seam | null, log: TreeName): number {
  return seam === null ? 0 : Math.max(0, seam[log].cosigned - seam[log].named);
}

export interface SeamJudged {
  readonly again: Pins['again'];
  readonly findings: readonly LogFinding[];
}

/** Judges the first export of an epoch by what it had to bring over. */
export async function judgeSeam(
  site: MainSite,
  partner: string,
  { epoch, seam, again }: Pins,
  statement: LogExport,
  watches: ReadonlyMap<TreeName, SeamWatch>,
): Promise<SeamJudged> {
  if (seam === null) return { again, findings: [] };
  const findings: LogFinding[] = [];
  const found: Record<TreeName, PartRange | null> = { T: null, O: null };
  for (const log of TREES) {
    const { named, committed } = seam[log];
    const watch = watches.get(log);
    const led = log === 'T' ? (watch?.led ?? 0) : 0;
    const [owed, brought, cosigned] = [committed - named, statement[log].size - led, comingAgain(seam, log)];
    if (brought < owed) {
      const kept = cosigned > 0 ? `; ${cosigned} of them were cosigned and stay kept here` : '';
      const message = `epoch ${epoch} brings over ${brought} of the ${owed} records of log ${log} that were signed in epoch ${seam.epoch} after the ${named} that it goes on from${kept}`;
      findings.push({ kind: 'records-abandoned', epoch, message, records: [] });
      continue;
    }
    const now = watch?.digest();
    const before = now && (await digestBefore(site, partner, seam, log));
    if (before === undefined || now === undefined) continue;
    if (now === before) found[log] = { from: led, size: led + cosigned };
    else {
      const message = `epoch ${epoch} does not begin with the ${cosigned} records of log ${log} that were cosigned at the end of epoch ${seam.epoch} and that it does not go on from: the same hits may be in both`;
      findings.push({ kind: 'records-again', epoch, message, records: [] });
    }
  }
  return { again: found, findings };
}

/** Of what was cosigned and not named; undefined when not all of it was shown. */
async function digestBefore(
  site: MainSite,
  partner: string,
  { epoch, ...trees }: Seam,
  log: TreeName,
): Promise<string | undefined> {
  const { named, cosigned } = trees[log];
  const hash = sha256Stream();
  let seen = 0;
  const keys = [await keyOf(site, partner, epoch)].filter((each) => each !== null).map(parseVkey);
  for (const range of await keptParts(site, partner, epoch, log, { from: 0, size: cosigned })) {
    if (range.size <= named) continue;
    const path = keptPartPath(partner, epoch, log, range);
    const chunks = gunzipped(site.files.stream(path, MAX_PART_FILE), MAX_PART_RAW, false);
    await verifyPart(chunks, { keys }, ({ bytes, count, indexes, offsets }) => {
      for (let record = 0; record < count; record += 1) {
        if ((indexes[record] ?? 0) < named) continue;
        const at = record * FIELD_STRIDE;
        hash.update(bytes.subarray(offsets[at + 1], offsets[at + FIELD_STRIDE - 1]));
        seen += 1;
      }
    });
  }
  return seen === cosigned - named ? hash.digest() : undefined;
}

async function keyOf(site: MainSite, partner: string, epoch: number): Promise<string | null> {
  return ((await readState(site, epochPath(partner, epoch, 'pins.json'), pinsSchema)) ?? firstPins(epoch, null)).logKey;
}
