/** What a verified export says that people should ask about: nothing of it refuses the export. */
import type { Partnership } from '../../config/partnership.ts';
import type { Clock } from '../../io/clock.ts';
import type { LogExport } from '../../protocol/log-export.ts';
import type { VerifiedPart } from '../../protocol/log-part.ts';
import type { MainSite } from '../main-site.ts';
import type { LogFinding } from './findings.ts';
import { type Pins, TREES, type TreeName } from './log-records.ts';
import type { Looked } from './looked.ts';
import type { RecordTaker } from './take-records.ts';

export interface VerifiedExport {
  /** Before it. */
  readonly pins: Pins;
  /** What was in the outbox before it was made, where that is known. */
  readonly since: Looked | undefined;
  readonly trees: ReadonlyMap<TreeName, VerifiedPart>;
  readonly taker: RecordTaker;
  /** Sizes of log T that were committed to and could not be held against what was shown. */
  readonly uncompared: readonly number[];
}

/** Paths that a finding names. */
const NAMED = 20;
/** Clocks are set, and set back by as much. */
const BACK_MS = 5 * 60 * 1000;
/** As for decisions: what is later was not said by a clock that is merely wrong. */
const AHEAD_MS = 24 * 60 * 60 * 1000;

export function exportFindings(
  site: Pick<MainSite, 'clock'>,
  partnership: Partnership,
  statement: LogExport,
  verified: VerifiedExport,
): readonly LogFinding[] {
  const { epoch } = statement;
  const { pins, since, taker } = verified;
  const findings: LogFinding[] = taker.gaps.map(({ index, record: { path, query, time } }) => ({
    kind: 'gap',
    epoch,
    message: `lines of ${JSON.stringify(path)} are lost at the partner (${time === '' ? 'at an unknown time' : time}: ${query})`,
    records: [index],
  }));
  for (const own of new Set(taker.switches.map((each) => each.own.join('\n')))) {
    if (own !== '') findings.push(leftOut(epoch, own.split('\n')));
  }
  return [
    ...findings,
    ...withheldOf(statement, verified),
    ...unreadableOf(partnership, statement, pins),
    ...clockOf(site, statement, pins),
    ...heldBack(statement, since),
  ];
}

/** Whether it is said to be made later than it can be. */
export function isAhead({ time }: LogExport, clock: Clock): boolean {
  return Date.parse(time) > clock.now().getTime() + AHEAD_MS;
}

function withheldOf({ epoch, seq }: LogExport, { trees, uncompared }: VerifiedExport): readonly LogFinding[] {
  const withheld = trees.get('T')?.withheld ?? 0;
  if (withheld === 0) return [];
  const lost =
    uncompared.length === 0
      ? ''
      : `, and what was committed to at ${uncompared.length} earlier sizes (${uncompared.slice(0, NAMED).join(', ')}) cannot be held against them`;
  const message = `export ${seq} only counts ${withheld} records of log T: they cannot be billed${lost}`;
  return [{ kind: 'tie-up-withheld', epoch, message, records: [] }];
}

function unreadableOf({ logs }: Partnership, { epoch, seq, lines }: LogExport, pins: Pins): readonly LogFinding[] {
  const unreadable = lines.X - pins.lines.X;
  const read = lines.T + lines.O + lines.X - pins.lines.T - pins.lines.O - pins.lines.X;
  if (unreadable <= Math.ceil((read * logs.maxUnreadablePercent) / 100)) return [];
  const message = `export ${seq} has ${unreadable} unreadable lines of ${read}, more than the ${logs.maxUnreadablePercent} % that are agreed`;
  return [{ kind: 'too-many-unreadable', epoch, message, records: [] }];
}

/** What an export is missed by is a matter of times: a partner that writes early ones would never miss anything. */
function clockOf(site: Pick<MainSite, 'clock'>, statement: LogExport, { statedAt }: Pins): readonly LogFinding[] {
  const { epoch, seq, time } = statement;
  const told = (why: string): LogFinding => ({
    kind: 'clock',
    epoch,
    message: `export ${seq} says that it was made at ${time}, ${why}`,
    records: [],
  });
  const findings: LogFinding[] = [];
  if (statedAt !== null && Date.parse(time) < Date.parse(statedAt) - BACK_MS)
    findings.push(told(`and the one before it at ${statedAt}`));
  if (isAhead(statement, site.clock)) findings.push(told('which is not yet'));
  return findings;
}

/** A partner commits to what there is before it exports: an export that was made later is no shorter. */
function heldBack(statement: LogExport, since: Looked | undefined): readonly LogFinding[] {
  const { epoch, seq } = statement;
  if (since?.epoch !== epoch) return [];
  return TREES.filter((log) => statement[log].size < since.committed[log]).map((log) => ({
    kind: 'records-held-back',
    epoch,
    message: `export ${seq} has ${statement[log].size} records of log ${log}, and ${since.committed[log]} had been signed before it was made`,
    records: [],
  }));
}

function leftOut(epoch: number, own: readonly string[]): LogFinding {
  const named = own.slice(0, NAMED).map((path) => JSON.stringify(path));
  const more = own.length > NAMED ? ` and ${own.length - NAMED} more` : '';
  const message = `hits at ${named.join(', ')}${more} count as the partner's own: by its account there is no tie-up page, or one of its own beside it`;
  return { kind: 'left-out', epoch, message, records: [] };
}
