/**
 * Looks at hits on tie-up pages that a partner has shown: they are counted by what is written in them, and the partner has written it. A
 * sample that nobody can foresee is judged by the release; all are looked at for their day.
 */
import type { Partnership } from '../../config/partnership.ts';
import { botOf } from '../../logs/bots.ts';
import { RULE_SET } from '../../logs/rules.ts';
import type { LogExport } from '../../protocol/log-export.ts';
import type { RecordBatch } from '../../protocol/log-part-body.ts';
import type { LogRecord } from '../../protocol/log-record.ts';
import { FIELD, FIELD_STRIDE, scannedClass } from '../../protocol/log-scan.ts';
import type { MainSite } from '../main-site.ts';
import { comingAgain } from './epoch-seam.ts';
import type { LogFinding } from './findings.ts';
import type { OpenedRecord } from './judge-records.ts';
import type { Pins } from './log-records.ts';
import { filesAfter, type KnownSwitch } from './switches.ts';
import { recordOf } from './take-records.ts';

const TIE_UP = 0x54;
const DAY_LENGTH = 10;
/** Of a short export most hits are looked at; of a long one so many of each batch of some thousand. */
const ENOUGH = 512;
const [FIRST, LATER] = [64, 2];
/** Hits that a finding names. */
const NAMED = 20;
/** A server holds lines back for hours at most. */
const LATE_MS = 2 * 24 * 60 * 60 * 1000;

/** Hits of log T, drawn by lot while they are verified. */
export class ShownSample {
  readonly hits: OpenedRecord[] = [];
  readonly #site: Pick<MainSite, 'random'>;

  constructor(site: Pick<MainSite, 'random'>) {
    this.#site = site;
  }

  take(batch: RecordBatch): void {
    const wanted = this.hits.length < ENOUGH ? FIRST : LATER;
    const drawn = new Set<number>();
    const lots = this.#site.random(2 * wanted);
    for (let lot = 0; lot < wanted; lot += 1)
      drawn.add(((lots[2 * lot] ?? 0) * 256 + (lots[2 * lot + 1] ?? 0)) % batch.count);
    for (const record of drawn) {
      if (scannedClass(batch.bytes, batch.offsets, record * FIELD_STRIDE) === TIE_UP)
        this.hits.push(recordOf(batch, record));
    }
  }
}

/** Hits of log T whose day is before the last export. */
export class LateDays {
  /** `2026-11-21`; empty when no day is too early. */
  readonly #earliest: string;
  #day = '';
  #isLate = false;
  count = 0;
  first = '';
  last = '';

  constructor({ seam, statedAt }: Pins) {
    // What a new epoch brings over came after the last export, unless the partner never saw that it was cosigned.
    const isKnown = statedAt !== null && comingAgain(seam, 'T') === 0;
    this.#earliest = isKnown ? new Date(Date.parse(statedAt) - LATE_MS).toISOString().slice(0, DAY_LENGTH) : '';
  }

  take({ bytes, count, offsets }: RecordBatch): void {
    if (this.#earliest === '') return;
    for (let record = 0; record < count; record += 1) {
      const at = record * FIELD_STRIDE;
      if (scannedClass(bytes, offsets, at) !== TIE_UP) continue;
      const start = offsets[at + FIELD.time.index] ?? 0;
      if (!isText(bytes, start, this.#day)) {
        this.#day = bytes.toString('latin1', start, start + DAY_LENGTH);
        this.#isLate = this.#day < this.#earliest;
        if (this.#isLate && (this.first === '' || this.#day < this.first)) this.first = this.#day;
        if (this.#isLate && this.#day > this.last) this.last = this.#day;
      }
      if (this.#isLate) this.count += 1;
    }
  }
}

/** The last characters of a day differ most. */
function isText(bytes: Buffer, start: number, text: string): boolean {
  for (let at = DAY_LENGTH - 1; at >= 0; at -= 1) if (bytes[start + at] !== text.charCodeAt(at)) return false;
  return true;
}

export function lateFindings({ epoch, seq }: LogExport, { statedAt }: Pins, late: LateDays): readonly LogFinding[] {
  if (late.count === 0) return [];
  const days = late.first === late.last ? late.first : `${late.first} to ${late.last}`;
  const message = `export ${seq} has ${late.count} new hits on tie-up pages that are said to be of ${days}, and the export before was made at ${statedAt}`;
  return [{ kind: 'late-hits', epoch, message, records: [] }];
}

/** Hits that count as less than what they ask for: a page as an asset or as another page, a browser as a program. */
export async function judgeShown(
  site: MainSite,
  partnership: Partnership,
  epoch: number,
  switches: readonly KnownSwitch[],
  { hits }: ShownSample,
): Promise<readonly LogFinding[]> {
  const filesOf = filesAfter(site, partnership.id, partnership.url);
  const findings: LogFinding[] = [];
  const told = (why: string, found: readonly OpenedRecord[]): void => {
    if (found.length === 0) return;
    const named = found.slice(0, NAMED);
    const lines = named.map(({ record: { seq, path } }) => `line ${seq} (${path})`).join(', ');
    const message = `${found.length} of ${hits.length} hits on tie-up pages that were looked at ${why}: ${lines}`;
    findings.push({ kind: 'hit-as-less', epoch, message, records: named.map(({ index }) => index) });
  };
  const otherPage: OpenedRecord[] = [];
  for (const hit of hits) {
    const live = switches.findLast(({ index }) => index < hit.index);
    const files = live?.release === null || live === undefined ? undefined : await filesOf(live);
    const at = files?.find(hit.record.path) ?? -1;
    if (files === undefined || files.isPage[at] !== 1 || isCut(hit.record)) continue;
    if (hit.record.page !== files.paths[at]) otherPage.push(hit);
  }
  told('name another page than they ask for, or none', otherPage);
  told(
    'are said to be of a program, and name a browser',
    hits.filter(({ record }) => isBrowserAsBot(record)),
  );
  return findings;
}

/** By the rule that it names itself, whatever other rules the partner's version has. */
function isBrowserAsBot(record: LogRecord): boolean {
  return record.bot.startsWith(`${RULE_SET}/`) && !isCut(record) && botOf(record.agent) === -1;
}

function isCut({ signals }: LogRecord): boolean {
  return signals.includes('cut');
}
