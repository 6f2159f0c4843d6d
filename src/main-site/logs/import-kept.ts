/**
 * Brings verified records to where they can be queried. `imported.json` says up to which record of each log that was done; what an
 * interrupted run did half is done again and replaces itself.
 */
import { z } from 'zod';
import { TieupError } from '../../errors.ts';
import type { HitStore } from '../../io/hit-store.ts';
import { foldBeside } from '../../logs/fold-thread.ts';
import { gunzipped } from '../../logs/gunzipped.ts';
import { MAX_PART_FILE, MAX_PART_RAW } from '../../protocol/exchange.ts';
import { verifyPart } from '../../protocol/log-part.ts';
import { parseVkey } from '../../protocol/vkey.ts';
import type { MainSite } from '../main-site.ts';
import {
  epochPath,
  keptPartPath,
  keptParts,
  logPath,
  type PartRange,
  type Pins,
  pinsSchema,
  readState,
  TREES,
  type TreeName,
  writeState,
} from './log-records.ts';
import type { AsideHits } from './take-export.ts';
import { RecordTaker } from './take-records.ts';

/** By epoch and log, `1/T`, how many records of it were imported. */
type Imported = Readonly<Record<string, number>>;

const schema: z.ZodType<Imported> = z.record(z.string(), z.int().min(0));

/** Commits what was put aside while it was verified. @returns how many records can be queried now that could not before. */
export async function commitHits(
  site: MainSite,
  partner: string,
  epoch: number,
  hits: readonly AsideHits[],
): Promise<number> {
  let records = 0;
  for (const { log, from, size, import: aside } of hits) {
    // What came before is imported first, or this would hide that it is not.
    if ((await importedSize(site, partner, epoch, log)) !== from) await aside.discard();
    else {
      records += await aside.commit();
      await noteImported(site, partner, epoch, log, size);
    }
  }
  return records;
}

/** Imports everything that is pinned and was not imported yet, of all epochs. */
export async function importKept(site: MainSite, partner: string, pins: Pins, hits: HitStore): Promise<number> {
  let records = 0;
  for (let epoch = 1; epoch <= pins.epoch; epoch += 1) {
    const of = epoch === pins.epoch ? pins : await readState(site, epochPath(partner, epoch, 'pins.json'), pinsSchema);
    if (of === undefined) continue;
    for (const log of TREES) {
      const done = await importedSize(site, partner, epoch, log);
      for (const range of await keptParts(site, partner, epoch, log, { from: done, size: of[log].size })) {
        records += await importPart(site, partner, of, log, range, hits);
        await noteImported(site, partner, epoch, log, range.size);
      }
    }
  }
  return records;
}

/** Everything is to be imported again: the files of the hits are gone, or of an older tieup. */
export async function forgetImports(site: MainSite, partner: string): Promise<void> {
  await writeState(site, importedPath(partner), {});
}

/** Verified when it was pulled; verified again, because disks forget. */
async function importPart(
  site: MainSite,
  partner: string,
  { epoch, logKey, again }: Pins,
  log: TreeName,
  range: PartRange,
  hits: HitStore,
): Promise<number> {
  const path = keptPartPath(partner, epoch, log, range);
  if (logKey === null) throw new TieupError('TIEUP_E_FAILED', `nothing was pulled in epoch ${epoch}`);
  const aside = await hits.begin({ partner, log, epoch, ...range });
  try {
    const { checkpoint } = await verifyPart(
      gunzipped(site.files.stream(path, MAX_PART_FILE), MAX_PART_RAW, false),
      { keys: [parseVkey(logKey)] },
      new RecordTaker({ hits: aside, again: again[log] }).take,
      { plant: foldBeside(await site.folding()) },
    );
    const { origin, size } = checkpoint;
    if (origin.partner !== partner || origin.log !== log || origin.epoch !== epoch || size !== range.size) {
      throw new TieupError('TIEUP_E_VERIFY', `${path} is another log than its name says`);
    }
    return await aside.commit();
  } catch (error) {
    await aside.discard();
    throw error;
  }
}

async function importedSize(site: MainSite, partner: string, epoch: number, log: TreeName): Promise<number> {
  return (await readState(site, importedPath(partner), schema))?.[`${epoch}/${log}`] ?? 0;
}

async function noteImported(
  site: MainSite,
  partner: string,
  epoch: number,
  log: TreeName,
  size: number,
): Promise<void> {
  const before = (await readState(site, importedPath(partner), schema)) ?? {};
  await writeState(site, importedPath(partner), { ...before, [`${epoch}/${log}`]: size });
}

function importedPath(partner: string): string {
  return logPath(partner, 'imported.json');
}
