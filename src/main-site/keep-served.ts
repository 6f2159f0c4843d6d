/** Keeps which partners have everything that a push was made of, for the next one (last-push.ts). */
import type { Partnership } from '../config/partnership.ts';
import type { Problem } from '../errors.ts';
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
  type KnownPartnership,
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
  const { sources: read, own } = sortReadings(made.readings, config.folders.partners);
  const sources = [configReading(made.config), ...read];
  const partnerships: Record<string, KnownPartnership> = {};
  for (const partnership of made.partnerships) {
    const { id } = partnership;
    const file = (own.get(id) ?? []).find(({ path }) => path === `${config.folders.partners}/${id}.yaml`);
    if (file !== undefined) partnerships[id] = { file: file.found, partnership };
  }
  const served = await stillServed(site, made, { sources, partnerships });
  for (const [partner, { release, head, waiting }] of made.found) {
    const record = await readRawRecord(site, partner);
    if (record === undefined) continue;
    served[partner] = {
      release: release.release.release,
      releaseDigest: release.releaseDigest,
      head: sha256(head),
      waiting,
      freshUntil: halfOverAfter('timestamp', readMetadataVersion(head).expires).toISOString(),
      record: recordDigest(record),
      readings: (own.get(partner) ?? []).filter(({ path }) => path !== `${config.folders.partners}/${partner}.yaml`),
    };
  }
  const { tool, at, until, warnings } = made;
  await keepLastPush(files, { tool, from: at.toISOString(), until, config, sources, partnerships, served, warnings });
}

/** What an earlier push has kept of partners for whom this one was not, while it was made of the same. */
async function stillServed(
  { files }: MainSite,
  { tool, until, reached }: MadePush,
  now: Pick<LastPush, 'sources' | 'partnerships'>,
): Promise<Record<string, ServedPartner>> {
  const before = await readLastPush(files, tool);
  if (before === undefined || before.until !== until) return {};
  if (JSON.stringify(before.sources) !== JSON.stringify(now.sources)) return {};
  const others = new Set(Object.keys(before.served));
  for (const { partner } of reached) others.delete(partner);
  return Object.fromEntries(
    Object.entries(before.served).filter(
      ([id]) => others.has(id) && before.partnerships[id]?.file === now.partnerships[id]?.file,
    ),
  );
}
