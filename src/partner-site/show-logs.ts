/** Shows what would leave with the next export, record by record, the answer to the main site's demand too, and what would only be counted. Nothing leaves. */
import { type LogRecord, parseRecord } from '../protocol/log-record.ts';
import { commitLocked, logVkey, requireLogs, withLogLock } from './commit-logs.ts';
import { type ExportRequest, selectionsOf } from './export-logs.ts';
import { type Answer, planAnswer } from './logs/answer.ts';
import { type DiskUse, diskUse } from './logs/disk-use.ts';
import { pastExports } from './logs/exports.ts';
import { firstState, type LogState, readLogState, treeSize, type TreeName } from './logs/log-state.ts';
import { recordIn, type Selection } from './logs/part-lines.ts';
import { updatePins } from './logs/pins.ts';
import { linesOf, stretchesOf } from './logs/segments.ts';
import type { PartnerSite } from './partner-site.ts';

export interface ShowRequest {
  /** Reads and commits to what is new first. */
  readonly commit: boolean;
  readonly disclose: ExportRequest['disclose'];
  /** How many records are given at most; all of them are counted. */
  readonly limit: number;
}

export interface ShownLogs {
  readonly epoch: number;
  readonly counts: LogState['counts'];
  readonly logs: Readonly<Record<TreeName, ShownLog>>;
  /** In the order of the log, the first ones. */
  readonly records: readonly LogRecord[];
  /** What the main site has demanded to see of log O; the next export answers it. */
  readonly sample: ShownSample;
  /** Of the reading, where that was asked for. */
  readonly warnings: readonly string[];
  readonly disk: DiskUse;
}

export type ShownSample =
  | Exclude<Answer, { kind: 'answered' }>
  /** The first ones of `leaving` records; `dropped` more are older than logs.keepDays and cannot leave. */
  | {
      readonly kind: 'demanded';
      readonly records: readonly LogRecord[];
      readonly leaving: number;
      readonly dropped: number;
    };

export interface ShownLog {
  /** Records that the main site has cosigned already. */
  readonly cosigned: number;
  /** Records that would leave, and those that would only be counted. */
  readonly leaving: number;
  readonly counted: number;
}

/** @throws TIEUP_E_CONFIG without `logs:` in tieup.yaml; TIEUP_E_LOCKED while another tieup is at the logs. */
export async function showLogs(site: PartnerSite, { commit, disclose, limit }: ShowRequest): Promise<ShownLogs> {
  const config = requireLogs(site);
  return withLogLock(site, async () => {
    const { state, warnings } = commit
      ? await commitLocked(site, { acceptGap: false })
      : { state: (await readLogState(site)) ?? firstState(1, await logVkey(site), site.clock), warnings: [] };
    const { pins } = await updatePins(site, state, await pastExports(site));
    const selections = selectionsOf(config, disclose);
    const look = (log: TreeName) =>
      lookAt(site, state, log, { from: pins[log].size, selection: selections[log], limit });
    const [T, O] = [await look('T'), await look('O')];
    const records = [...T.records, ...O.records].toSorted(byPlace).slice(0, limit);
    const { epoch, counts } = state;
    const sample = await lookAtSample(site, state, config.audit.perDay, limit);
    const disk = await diskUse(site, state.epoch);
    return { epoch, counts, logs: { T: T.shown, O: O.shown }, records, sample, warnings, disk };
  });
}

async function lookAtSample(site: PartnerSite, state: LogState, perDay: number, limit: number): Promise<ShownSample> {
  const plan = await planAnswer(site, state, perDay);
  if (plan.kind !== 'planned') return plan;
  const wanted = new Set(plan.indexes);
  const records: LogRecord[] = [];
  for (const stretch of await stretchesOf(site, state.epoch, 'O', 0, plan.demand.tree.size)) {
    if (!plan.indexes.some((index) => index >= stretch.from && index < stretch.to)) continue;
    for (const [at, line] of ((await linesOf(site, stretch)) ?? []).entries())
      if (wanted.has(stretch.from + at)) records.push(parseRecord(recordIn(line)));
  }
  const [leaving, dropped] = [records.length, wanted.size - records.length];
  return { kind: 'demanded', records: records.slice(0, limit), leaving, dropped };
}

async function lookAt(
  site: PartnerSite,
  state: LogState,
  log: TreeName,
  { from, selection, limit }: { readonly from: number; readonly selection: Selection; readonly limit: number },
): Promise<{ readonly shown: ShownLog; readonly records: readonly LogRecord[] }> {
  const size = treeSize(state.counts, log);
  const records: LogRecord[] = [];
  let leaving = selection.kind === 'whole' ? size - from : 0;
  if (selection.kind !== 'counted') {
    for (const stretch of await stretchesOf(site, state.epoch, log, from, size)) {
      if (selection.kind === 'whole' && records.length >= limit) break;
      let index = stretch.from;
      for (const line of (await linesOf(site, stretch)) ?? []) {
        const record = parseRecord(recordIn(line));
        const isLeaving =
          selection.kind === 'whole' || (selection.kind === 'records' && selection.isWanted(record, index));
        if (isLeaving && selection.kind === 'records') leaving += 1;
        if (isLeaving && records.length < limit) records.push(record);
        index += 1;
      }
    }
  }
  return { shown: { cosigned: from, leaving, counted: size - from - leaving }, records };
}

/** A switch or gap has the number of the line before it. */
function byPlace(a: LogRecord, b: LogRecord): number {
  const isEvent = ({ class: kind }: LogRecord) => Number(kind === 'S' || kind === 'G');
  return a.seq - b.seq || isEvent(a) - isEvent(b);
}
