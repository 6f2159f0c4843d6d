/**
 * What the last push was made of, and which partners had everything of it: `.tieup/last-push.json`. While that is as it was,
 * there is nothing to send to them.
 *
 * Everything that was read is kept by its digest, never by its time: a fresh checkout has fresh times. Loads neither schemas nor
 * YAML. Like the rest of `.tieup/` it is this machine's own memory; a lie in it can keep a release back, and send none.
 */
import type { MainSiteConfig } from '../config/main-site.ts';
import type { Partnership } from '../config/partnership.ts';
import { CONFIG_FILE } from '../config/config-file.ts';
import type { Problem } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { readIfThere } from '../io/read-if-there.ts';
import type { Reading } from '../io/recorded-reads.ts';
import type { Served } from './push.ts';

/** A partnership as its file said it. */
export interface KnownPartnership {
  /** SHA-256 of `partners/<id>.yaml`. */
  readonly file: string;
  readonly partnership: Partnership;
}

/** A partner to whose release nothing was to be added. */
export interface ServedPartner {
  readonly release: number;
  readonly releaseDigest: string;
  /** SHA-256 of the `timestamp.json` in its inbox. */
  readonly head: string;
  /** What lay in its inbox and outbox while it had not confirmed the release, as of {@link Served}. */
  readonly waiting: string | null;
  /** From then on it has to be signed anew; ISO 8601 UTC. */
  readonly freshUntil: string;
  /** Digest of what is known of the partner, as of {@link recordDigest}. */
  readonly record: string;
  /** Its roots and pictures. */
  readonly readings: readonly Reading[];
}

export interface LastPush {
  /** Differs with every version of tieup. */
  readonly tool: string;
  /** ISO 8601 UTC: it holds from here on, and up to the moment at which a page comes or goes by its date. */
  readonly from: string;
  readonly until: string | null;
  readonly config: MainSiteConfig;
  /** What is the same for all partners: tieup.yaml, pages, templates, assets, data, tariffs. */
  readonly sources: readonly Reading[];
  /** All that there are, by id. */
  readonly partnerships: Readonly<Record<string, KnownPartnership>>;
  /** By id. */
  readonly served: Readonly<Record<string, ServedPartner>>;
  readonly warnings: readonly Problem[];
}

const PLACE = '.tieup/last-push.json';
const SCHEMA = 'tieup-last-push/1';
const MAX_LENGTH = 256 * 1024 * 1024;

export async function keepLastPush(files: FileTree, last: LastPush): Promise<void> {
  await files.write(PLACE, Buffer.from(`${JSON.stringify({ schema: SCHEMA, ...last })}\n`), { durable: false });
}

/** Undefined for what was cut short by a crash, edited, or written by another version: then everything is looked at. */
export async function readLastPush(files: FileTree, tool: string): Promise<LastPush | undefined> {
  const bytes = await readIfThere(files, PLACE, MAX_LENGTH);
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isLastPush(value) && value.tool === tool ? value : undefined;
  } catch {
    return undefined;
  }
}

// Written by keepLastPush alone, which was given what the schemas had let through.
function isLastPush(value: unknown): value is LastPush {
  if (!isObject(value)) return false;
  const { schema, tool, from, until, config, sources, partnerships, served, warnings }: Record<string, unknown> = value;
  return (
    schema === SCHEMA &&
    typeof tool === 'string' &&
    typeof from === 'string' &&
    (until === null || typeof until === 'string') &&
    [config, partnerships, served].every(isObject) &&
    [sources, warnings].every(Array.isArray)
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a push reads of the folder of the main site that says what it sends; the rest is what this machine remembers. */
export function isInput(path: string): boolean {
  return path !== '.tieup' && !path.startsWith('.tieup/');
}

/** Those of the readings that are one partner's own, by its id, and those that count for all. */
export function sortReadings(
  readings: readonly Reading[],
  folder: string,
): { readonly sources: readonly Reading[]; readonly own: ReadonlyMap<string, readonly Reading[]> } {
  const sources: Reading[] = [];
  const own = new Map<string, Reading[]>();
  for (const reading of readings) {
    const { kind, path } = reading;
    // Which partners there are is looked at by each push.
    if (path === folder && kind === 'folder') continue;
    const [id = ''] = path.startsWith(`${folder}/`) ? path.slice(folder.length + 1).split('/', 1) : [''];
    if (id === '') {
      sources.push(reading);
      continue;
    }
    const partner = kind === 'file' && path === `${folder}/${id}` ? id.replace(/\.yaml$/, '') : id;
    const before = own.get(partner);
    if (before === undefined) own.set(partner, [reading]);
    else before.push(reading);
  }
  return { sources, own };
}

export function configReading(found: string): Reading {
  return { kind: 'file', path: CONFIG_FILE, found };
}
