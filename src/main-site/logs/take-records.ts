/** What is taken from an exported log while it is verified: switches, canaries, gaps and the hits themselves. Believed only when it is pinned. */
import { TieupError } from '../../errors.ts';
import type { HitImport } from '../../io/hit-store.ts';
import type { TakeRecords } from '../../protocol/log-part.ts';
import type { RecordBatch } from '../../protocol/log-part-body.ts';
import { type LogRecord, parseRecord } from '../../protocol/log-record.ts';
import { FIELD, FIELD_STRIDE, scannedClass } from '../../protocol/log-scan.ts';
import type { CanaryWatch } from './canaries.ts';
import type { PartRange } from './log-records.ts';
import { knownSwitch, type KnownSwitch, takeOwnPath } from './switches.ts';

export interface Gap {
  readonly index: number;
  readonly record: LogRecord;
}

const [TIE_UP, SWITCH, GAP] = [0x54, 0x53, 0x47];
const DAY_LENGTH = 10;
const NO_DAY = '1970-01-01';
/** Of one export. They are kept in memory, with every page that the partner calls its own; no honest log comes near. */
const MAX_EVENTS = 1_000_000;
const MAX_GAPS = 10_000;

/** Who is interested in records; nobody unless given. */
export interface Takers {
  readonly canaries?: CanaryWatch;
  readonly hits?: HitImport | undefined;
  /** Records that are no hits to be imported: they were, in the epoch before. */
  readonly again?: PartRange | null;
  /** See every batch. */
  readonly others?: readonly { take(batch: RecordBatch): void }[];
}

export class RecordTaker {
  readonly switches: KnownSwitch[] = [];
  readonly gaps: Gap[] = [];
  readonly #takers: Takers;
  #day = NO_DAY;
  #events = 0;

  constructor(takers: Takers) {
    this.#takers = takers;
  }

  readonly take: TakeRecords = async (batch) => {
    const { bytes, count, offsets, indexes } = batch;
    const { canaries, hits, again, others = [] } = this.#takers;
    for (const other of others) other.take(batch);
    for (let record = 0; record < count; record += 1) {
      const at = record * FIELD_STRIDE;
      const recordClass = scannedClass(bytes, offsets, at);
      if (recordClass === SWITCH || recordClass === GAP) this.#takeEvent(batch, record);
      else if (recordClass === TIE_UP && canaries !== undefined) this.#lookForCanary(batch, record, canaries);
      if (hits === undefined || (again && isWithin(again, indexes[record] ?? 0))) continue;
      const end = offsets[at + FIELD_STRIDE - 1] ?? 0;
      hits.add(this.#dayOf(bytes, offsets[at + FIELD.time.index] ?? 0), bytes, offsets[at] ?? 0, end);
    }
    await hits?.settle();
  };

  #takeEvent(batch: RecordBatch, number: number): void {
    if ((this.#events += 1) > MAX_EVENTS)
      throw new TieupError('TIEUP_E_VERIFY', `the exported log has more than ${MAX_EVENTS} switches and gaps`);
    const { record, index } = recordOf(batch, number);
    if (takeOwnPath(this.switches, record)) return;
    const found = knownSwitch(index, record);
    if (found === undefined) this.#takeGap({ index, record });
    else this.switches.push(found);
  }

  #takeGap(gap: Gap): void {
    if (this.gaps.length === MAX_GAPS)
      throw new TieupError('TIEUP_E_VERIFY', `the exported log has more than ${MAX_GAPS} gaps`);
    this.gaps.push(gap);
  }

  /** Most records are of pages that no canary was sent to: their page is all that is looked at. */
  #lookForCanary(batch: RecordBatch, number: number, canaries: CanaryWatch): void {
    const { bytes, offsets } = batch;
    const at = number * FIELD_STRIDE + FIELD.page.index;
    const page = bytes.toString('utf8', offsets[at], (offsets[at + 1] ?? 0) - 1);
    if (!canaries.isWatched(page)) return;
    const { record, index } = recordOf(batch, number);
    canaries.see(index, record);
  }

  /** A record without a time is of the day of the one before it. */
  #dayOf(bytes: Buffer, start: number): string {
    if (bytes[start + 1] === 0x09) return this.#day;
    for (let digit = DAY_LENGTH - 1; digit >= 0; digit -= 1) {
      if (bytes[start + digit] === this.#day.charCodeAt(digit)) continue;
      this.#day = bytes.toString('latin1', start, start + DAY_LENGTH);
      break;
    }
    return this.#day;
  }
}

function isWithin({ from, size }: PartRange, index: number): boolean {
  return index >= from && index < size;
}

/** One record of a batch, parsed: slow, for the few that matter. */
export function recordOf(
  { bytes, indexes, offsets }: RecordBatch,
  number: number,
): { readonly index: number; readonly record: LogRecord } {
  const at = number * FIELD_STRIDE;
  const end = (offsets[at + FIELD_STRIDE - 1] ?? 0) - 1;
  return { index: indexes[number] ?? 0, record: parseRecord(bytes.subarray(offsets[at], end)) };
}
