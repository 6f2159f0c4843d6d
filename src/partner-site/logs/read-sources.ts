/**
 * Reads what is new of all access logs: all files are opened and looked at before one line is read, so that a refusal comes before
 * anything has happened.
 */
import type { LogSource } from '../../config/partner-logs.ts';
import { TieupError } from '../../errors.ts';
import type { LogFile } from '../../io/log-files.ts';
import type { Scanner } from '../../logs/scanner.ts';
import { instant } from '../../protocol/instant.ts';
import type { PartnerSite } from '../partner-site.ts';
import { knownAfter } from './known-after.ts';
import type { KnownFile } from './known-file.ts';
import type { SourceState } from './log-state.ts';
import { planReading, type ReadingPlan, type SourceFiles } from './plan-reading.ts';
import { readSource, type Take } from './read-source.ts';
import { assertOneLog, inodeOf } from './rotation.ts';
import type { Switch } from './switches.ts';

export interface SourcesReading {
  readonly before: readonly SourceState[];
  /** All of the site, ascending. */
  readonly switches: readonly Switch[];
  /** Lines that were lost are noted as lost. */
  readonly acceptGap: boolean;
  readonly take: Take;
}

export interface ReadSources {
  readonly sources: readonly SourceState[];
  /** What somebody should look at, as sentences. */
  readonly warnings: readonly string[];
}

/**
 * @throws TIEUP_E_DRIFT when lines were lost that nobody accepted as lost; TIEUP_E_CONFIG when the sources name one file twice, or
 * one source names several logs; then nothing was read.
 */
export async function readSources(
  site: PartnerSite,
  sources: readonly LogSource[],
  scanner: Scanner,
  { before, switches, acceptGap, take }: SourcesReading,
): Promise<ReadSources> {
  const opened: SourceFiles[] = [];
  try {
    for (const { files } of sources) opened.push({ pattern: files, files: await site.logFiles.open(files) });
    assertApart(opened);
    const plans = await planReading(opened, before);
    if (!acceptGap) for (const { lost } of plans) assertNotLost(lost);
    const read = new Map<string, KnownFile>();
    const numbers = new Map<ReadingPlan, number>();
    const warnings: string[] = [];
    for (const [index, source] of sources.entries()) {
      const plan = plans[index];
      if (plan === undefined) continue;
      noteGaps(site, plan, scanner, acceptGap);
      const after = await readSource(site, source, scanner, plan, { switches, take });
      for (const each of [...plan.untouched, ...after.known]) read.set(inodeOf(each), each);
      numbers.set(plan, after.switchNumber);
      warnings.push(...warningsOf(plan, opened[index]?.files ?? [], acceptGap, after.byTime));
    }
    const states: SourceState[] = [];
    for (const plan of plans) {
      const known = await knownAfter(plan, read, acceptGap ? plan.damaged : []);
      states.push({ files: plan.pattern, ...known, switchNumber: numbers.get(plan) ?? plan.before.switchNumber });
    }
    return { sources: [...states, ...unused(before, plans)], warnings };
  } finally {
    for (const { files } of opened) for (const file of files) await file.close();
  }
}

/** @throws TIEUP_E_CONFIG. */
export function assertApart(sources: readonly SourceFiles[]): void {
  const names = new Map<string, SourceFiles>();
  for (const source of sources) {
    assertOneLog(source.pattern, source.files);
    for (const file of source.files) {
      const other = names.get(inodeOf(file));
      if (other !== undefined && other !== source) {
        throw new TieupError(
          'TIEUP_E_CONFIG',
          `the log ${JSON.stringify(file.path)} is named by two sources, ${JSON.stringify(other.pattern)} and ${JSON.stringify(source.pattern)}`,
          { hint: 'its lines would count twice: under logs.sources in tieup.yaml, let one source alone name it' },
        );
      }
      names.set(inodeOf(file), source);
    }
  }
}

function assertNotLost(lost: KnownFile | undefined): void {
  if (lost === undefined) return;
  throw new TieupError(
    'TIEUP_E_DRIFT',
    `the log ${JSON.stringify(lost.path)} is gone, and what was added to it since it was read`,
    {
      hint: 'put it back from a backup; or say that these lines are lost with tieup logs commit --accept-gap, which the main site will see',
    },
  );
}

function noteGaps(
  site: PartnerSite,
  { pattern, lost, damaged }: ReadingPlan,
  scanner: Scanner,
  isAccepted: boolean,
): void {
  const time = instant(site.clock.now());
  if (lost !== undefined) scanner.gap(time, pattern, 'a log file was gone');
  if (isAccepted) for (const _ of damaged) scanner.gap(time, pattern, 'a compressed log file was damaged');
}

function warningsOf(
  { pattern, damaged }: ReadingPlan,
  files: readonly LogFile[],
  isAccepted: boolean,
  byTime: readonly Switch[],
): readonly string[] {
  const warnings: string[] = [];
  if (files.length === 0) {
    warnings.push(
      `no log file is there that ${JSON.stringify(pattern)} names, so nothing was read of it: correct logs.sources in tieup.yaml, unless the web server has not begun this log yet`,
    );
  }
  for (const { path } of isAccepted ? [] : damaged) {
    warnings.push(
      `the compressed log ${JSON.stringify(path)} cannot be read to its end, and nothing of it was read: put it back from a backup, or say that its lines are lost with tieup logs commit --accept-gap, which the main site will see`,
    );
  }
  for (const { release, time } of byTime.filter(({ unseen }) => unseen)) {
    const what = release === null ? 'that no tie-up page is live' : `release ${release.number}`;
    warnings.push(
      `the logs could not be seen when ${what} went live at ${time}: it counts from the first line with that time on, by the clock of the web server; let the user who publishes read the logs`,
    );
  }
  return warnings;
}

/** A source that was taken out of tieup.yaml stays known: put in again, it goes on where it was left. */
function unused(before: readonly SourceState[], plans: readonly ReadingPlan[]): readonly SourceState[] {
  const gone = new Set(plans.flatMap(({ inherited }) => inherited));
  return before.filter((each) => !gone.has(each) && plans.every(({ pattern }) => pattern !== each.files));
}
