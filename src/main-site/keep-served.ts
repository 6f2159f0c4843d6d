/** Keeps which partners have everything that a push was made of, for the next one (last-push.ts). */
import type { Partnership } from '../config/partnership.ts';
import type { Problem } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { Reading } from '../io/recorded-reads.ts';
import { sha256 } from '../protocol/digest.ts';
import { readMetadataVersion } from '../protocol/tuf-metadata.ts';
import { halfOverAfter } from '../protocol/tuf-repository.ts';
import { readRawRecord, recordDigest } from './contact.ts';
import {
  configReading,
  keepLastPush,
  readLastPush,
  sortReadings,
  type KnownPartner,
  type LastPush,
  type ServedPartner,
} from './last-push.ts';
import type { MainSite } from './main-site.ts';
import type { Served } from './push.ts';

export interface MadePush {
  readonly tool: string;
  /** SHA-256 of tieup.yaml. */
  readonly config: string;
  /** The moment for which pages were rendered, and when the next of them comes or goes; ISO 8601 UTC. */
  readonly at: Date;
  readonly until: string | null;
  readonly readings: readonly Reading[];
  readonly warnings: readonly Problem[];
  /** All that there are. */
  readonly partnerships: readonly Partnership[];
  /** Whom this push was for. */
  readonly reached: readonly { readonly partner: string }[];
  /** Those of them who have everything. */
  readonly found: ReadonlyMap<string, Served>;
}

export async function keepServed(site: MainSite, made: MadePush): Promise<void> {
  const { files, config } = site;
  const { tool, at, until, warnings } = made;
  const { sources: read, own } = sortReadings(made.readings, config.folders.partners);
  const sources = [configReading(made.config), ...read];
  const before = await lastOfTheSame(files, made, sources);
  const reached = new Set(made.reached.map(({ partner }) => partner));
  const partners: (readonly [string, KnownPartner])[] = [];
  for (const partnership of made.partnerships) {
    const { id } = partnership;
    const place = `${config.folders.partners}/${id}.yaml`;
    const readings = own.get(id) ?? [];
    const file = readings.find(({ path }) => path === place)?.found;
    if (file === undefined) continue;
    const found = made.found.get(id);
    const others = readings.filter(({ path }) => path !== place);
    const known = reached.has(id) ? undefined : before?.partner(id);
    const kept = known?.file === file ? known.served : null;
    partners.push([
      id,
      { file, partnership, served: found === undefined ? kept : await servedNow(site, id, found, others) },
    ]);
  }
  await keepLastPush(files, { tool, from: at.toISOString(), until, config, sources, warnings }, partners);
}

async function servedNow(
  site: MainSite,
  partner: string,
  { release, head, waiting }: Served,
  readings: readonly Reading[],
): Promise<ServedPartner | null> {
  const record = await readRawRecord(site, partner);
  if (record === undefined) return null;
  return {
    release: release.release.release,
    releaseDigest: release.releaseDigest,
    head: sha256(head),
    waiting,
    freshUntil: halfOverAfter('timestamp', readMetadataVersion(head).expires).toISOString(),
    record: recordDigest(record),
    readings,
  };
}

/** What an earlier push has kept, of partners for whom this one was not; undefined unless it was made of the same. */
async function lastOfTheSame(
  files: FileTree,
  { tool, until }: MadePush,
  sources: readonly Reading[],
): Promise<LastPush | undefined> {
  const before = await readLastPush(files, tool);
  const isSame = before?.until === until && JSON.stringify(before.sources) === JSON.stringify(sources);
  return isSame ? before : undefined;
}
