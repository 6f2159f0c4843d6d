/** Reads what is new of one source: its files are found again, the switches placed, and every line goes through the scanner once. */
import type { LogSource } from '../../config/partner-logs.ts';
import { TieupError } from '../../errors.ts';
import type { LogFile } from '../../io/log-files.ts';
import { compileFormat } from '../../logs/format.ts';
import type { ScannedBatch } from '../../logs/record-writer.ts';
import type { LiveFiles, Scanner } from '../../logs/scanner.ts';
import { instant } from '../../protocol/instant.ts';
import type { PartnerSite } from '../partner-site.ts';
import type { KnownFile } from './known-file.ts';
import { liveFiles } from './live-files.ts';
import type { SourceState } from './log-state.ts';
import { placeSwitches } from './place-switches.ts';
import { planReading } from './plan-reading.ts';
import { readFile } from './read-file.ts';
import type { Switch } from './switches.ts';

export interface SourceReading {
  /** The files of the source, opened. */
  readonly files: readonly LogFile[];
  readonly before: SourceState;
  /** All of the site, ascending. */
  readonly switches: readonly Switch[];
  readonly acceptGap: boolean;
  readonly take: (batches: readonly ScannedBatch[]) => Promise<void>;
}

/** @throws TIEUP_E_DRIFT when lines were lost that nobody accepted as lost; then nothing was read. */
export async function readSource(
  site: PartnerSite,
  source: LogSource,
  scanner: Scanner,
  { files, before, switches, acceptGap, take }: SourceReading,
): Promise<SourceState> {
  const plan = await planReading(files, before.known);
  noteGap(site, source.files, plan.lost, scanner, acceptGap);
  const live = liveFilesOf(site);
  const passed = switches.filter(({ number }) => number <= before.switchNumber).at(-1);
  const placed = placeSwitches(
    plan.steps,
    plan.untouched,
    switches.filter(({ number }) => number > before.switchNumber),
  );
  let inForce: Switch | undefined = passed;
  const known: KnownFile[] = [...plan.untouched];
  for (const [index, step] of plan.steps.entries()) {
    const here = placed.filter((each) => each.step === index);
    const points = [];
    for (const each of here) points.push({ at: each.at, files: await live(each.switch) });
    const after = await readFile(
      step,
      {
        format: compileFormat(source.format, source.forwarded),
        host: source.host ?? hostOf(site),
        zone: source.zone,
        prefix: new URL(site.config.url).pathname,
        liveAtStart: inForce === undefined ? nothingLive(site, scanner) : await live(inForce),
        switches: points,
      },
      scanner,
      take,
    );
    inForce = here.findLast(({ at }) => at <= after.offset)?.switch ?? inForce;
    known.push(after);
  }
  return { files: source.files, known, switchNumber: inForce?.number ?? before.switchNumber };
}

/** @throws TIEUP_E_DRIFT when something was lost, unless the manager has accepted that: then it is a record. */
export function noteGap(
  site: PartnerSite,
  files: string,
  lost: KnownFile | undefined,
  scanner: Scanner,
  isAccepted: boolean,
): void {
  if (lost === undefined) return;
  if (!isAccepted) {
    throw new TieupError(
      'TIEUP_E_DRIFT',
      `the log ${JSON.stringify(lost.path)} is gone, and what was added to it since it was read`,
      {
        hint: 'put it back from a backup; or say that these lines are lost with tieup logs commit --accept-gap, which the main site will see',
      },
    );
  }
  scanner.gap(instant(site.clock.now()), files, 'a log file was gone');
}

/** Files of a publication are read once a run. */
function liveFilesOf(site: PartnerSite): (each: Switch) => Promise<LiveFiles> {
  const known = new Map<number, Promise<LiveFiles>>();
  return (each) => {
    const found = known.get(each.number) ?? liveFiles(site, each);
    known.set(each.number, found);
    return found;
  };
}

/** Another source has passed a switch that this one has not: from here on its lines are judged by an empty tree again. */
function nothingLive(site: PartnerSite, scanner: Scanner): LiveFiles | undefined {
  if (scanner.publication === null) return undefined;
  const time = instant(site.clock.now());
  return { live: { time, publication: 0, release: 0, releaseDigest: null }, files: new Map() };
}

function hostOf(site: PartnerSite): string {
  return new URL(site.config.url).host;
}
