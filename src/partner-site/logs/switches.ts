/**
 * When another release went live, as seen from the access logs: how long each log file was at that moment. So the order of the
 * log decides which release a request met, and no clock.
 *
 *     logs/switches/<n>.json    one live switch each, n rising
 */
import { z } from 'zod';
import { TieupError } from '../../errors.ts';
import type { LogFileState } from '../../io/log-files.ts';
import { instant } from '../../protocol/instant.ts';
import { liveNumber, numbersIn, readJson, readRecord, writeJson } from '../../publish/records.ts';
import type { PartnerSite } from '../partner-site.ts';
import { ownPaths } from './own-paths.ts';

export interface Switch {
  /** 1 for the first. */
  readonly number: number;
  /** The publication that went live. */
  readonly publication: number;
  /** Its release; null when no tie-up page is live. */
  readonly release: { readonly number: number; readonly digest: string } | null;
  readonly time: string;
  /** The log files as they were; none when it was noticed only later, and its time has to do. */
  readonly files: readonly LogFileState[];
  /** True when the logs could not be read at that moment. */
  readonly unseen: boolean;
  /** Paths from the web root at which the partner has something of its own; see own-paths.ts. */
  readonly own: readonly string[];
}

const FOLDER = 'logs/switches';
const switchSchema: z.ZodType<Switch> = z.strictObject({
  number: z.int().min(1),
  publication: z.int().min(1),
  release: z.strictObject({ number: z.int().min(1), digest: z.string().regex(/^[0-9a-f]{64}$/) }).nullable(),
  time: z.string(),
  files: z.array(
    z.strictObject({ device: z.string(), inode: z.string(), length: z.int().min(0), modifiedMs: z.number() }),
  ),
  unseen: z.boolean().default(false),
  own: z.array(z.string()).default([]),
});

/** Ascending. */
export async function readSwitches(site: PartnerSite, after = 0): Promise<readonly Switch[]> {
  const found: Switch[] = [];
  for (const number of await switchNumbers(site)) {
    const each = number > after ? await readJson(site.state, `${FOLDER}/${number}.json`, switchSchema) : undefined;
    if (each !== undefined) found.push(each);
  }
  return found;
}

/**
 * Notes that another publication is live than at the last time. Called right after every switch, when the logs still end where
 * it happened; and before the logs are read, for a switch that a crash or an older tieup kept from being noted.
 */
export async function noteSwitch(site: PartnerSite, moment: 'now' | 'earlier'): Promise<void> {
  if (site.config.logs === undefined) return;
  const publication = await liveNumber(site.ports, site.layout);
  if (publication === 0) return;
  const last = (await switchNumbers(site)).at(-1) ?? 0;
  const known = last === 0 ? undefined : await readJson(site.state, `${FOLDER}/${last}.json`, switchSchema);
  if (known?.publication === publication) return;
  const record = await readRecord(site.ports.state, publication);
  if (record === undefined) return;
  const files = moment === 'now' ? await logFilesNow(site) : [];
  const noted: Switch = {
    number: last + 1,
    publication,
    release: record.release,
    time: moment === 'now' ? instant(site.clock.now()) : record.time,
    files: files ?? [],
    unseen: files === undefined,
    own: await ownPaths(site, publication, record.release),
  };
  await writeJson(site.state, `${FOLDER}/${noted.number}.json`, noted);
}

/** Undefined when they cannot be read. */
async function logFilesNow(site: PartnerSite): Promise<readonly LogFileState[] | undefined> {
  const states: LogFileState[] = [];
  try {
    for (const { files } of site.config.logs?.sources ?? []) {
      for (const file of await site.logFiles.open(files)) {
        const { device, inode, length, modifiedMs } = file;
        states.push({ device, inode, length, modifiedMs });
        await file.close();
      }
    }
  } catch (error) {
    // Whoever publishes need not be able to read the logs; whoever commits to them is told.
    if (!(error instanceof TieupError)) throw error;
    return undefined;
  }
  return states;
}

async function switchNumbers(site: PartnerSite): Promise<readonly number[]> {
  return numbersIn(await site.state.list(FOLDER), /^([1-9]\d{0,14})\.json$/);
}
