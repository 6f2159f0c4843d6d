/** Reads what is new of one source: the switches are placed, and every line goes through the scanner once. */
import type { LogSource } from '../../config/partner-logs.ts';
import { compileFormat } from '../../logs/format.ts';
import type { ScannedBatch } from '../../logs/record-writer.ts';
import type { LiveFiles, Scanner } from '../../logs/scanner.ts';
import { instant } from '../../protocol/instant.ts';
import type { PartnerSite } from '../partner-site.ts';
import type { KnownFile } from './known-file.ts';
import { liveFiles } from './live-files.ts';
import { type PlacedSwitch, placeSwitches } from './place-switches.ts';
import type { ReadingPlan } from './plan-reading.ts';
import { readFile } from './read-file.ts';
import type { Switch } from './switches.ts';

export interface ReadSource {
  /** Of each file that was read. */
  readonly known: readonly KnownFile[];
  /** Number of the last live switch that was passed. */
  readonly switchNumber: number;
  /** Switches of which only the time was known, and which were placed by the time of the lines. */
  readonly byTime: readonly Switch[];
}

/** @param switches all of the site, ascending */
export async function readSource(
  site: PartnerSite,
  source: LogSource,
  scanner: Scanner,
  plan: ReadingPlan,
  { switches, take }: { readonly switches: readonly Switch[]; readonly take: Take },
): Promise<ReadSource> {
  const live = liveFilesOf(site);
  const { switchNumber } = plan.before;
  let inForce = switches.findLast(({ number }) => number <= switchNumber);
  const placed = placeSwitches(
    plan.steps,
    [...plan.untouched, ...plan.before.known],
    switches.filter(({ number }) => number > switchNumber),
  );
  const known: KnownFile[] = [];
  const byTime: Switch[] = [];
  let waiting: readonly PlacedSwitch[] = [];
  for (const [index, step] of plan.steps.entries()) {
    const here = [...waiting.map((each) => ({ ...each, at: 0 })), ...placed.filter((each) => each.step === index)];
    const points = [];
    for (const { at, since, switch: each } of here) points.push({ at, since, files: await live(each) });
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
    const passed = here.slice(0, after.passed);
    inForce = passed.at(-1)?.switch ?? inForce;
    byTime.push(...passed.filter(({ since }) => since !== undefined).map((each) => each.switch));
    // What waits for its time goes on waiting; of the others those come back that lie behind what could be read.
    waiting = here.slice(after.passed).filter(({ since }) => since !== undefined);
    known.push(after.known);
  }
  return { known, switchNumber: inForce?.number ?? switchNumber, byTime };
}

export type Take = (batches: readonly ScannedBatch[]) => Promise<void>;

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
