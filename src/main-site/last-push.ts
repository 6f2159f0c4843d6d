/**
 * What the last push was made of, and which partners had everything of it: `.tieup/last-push`. While that is as it was,
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

/** What is known of one partner. */
export interface KnownPartner {
  /** SHA-256 of `partners/<id>.yaml`. */
  readonly file: string;
  readonly partnership: Partnership;
  /** Null for one that may lack something. */
  readonly served: ServedPartner | null;
}

/** A partner to whose release nothing was to be added. */
export interface ServedPartner {
  readonly release: number;
  readonly releaseDigest: string;
  /** SHA-256 of the `timestamp.json` in its inbox. */
  readonly head: string;
  /** What lay in its inbox and outbox while it had not confirmed the release, see `Served` in push.ts. */
  readonly waiting: string | null;
  /** From then on it has to be signed anew; ISO 8601 UTC. */
  readonly freshUntil: string;
  /** Digest of what is known of the partner, as of {@link recordDigest}. */
  readonly record: string;
  /** Its roots and pictures. */
  readonly readings: readonly Reading[];
}

export interface LastPushHead {
  /** Differs with every version of tieup. */
  readonly tool: string;
  /** ISO 8601 UTC: it holds from here on, and up to the moment at which a page comes or goes by its date. */
  readonly from: string;
  readonly until: string | null;
  readonly config: MainSiteConfig;
  /** What is the same for all partners: tieup.yaml, pages, templates, assets, data, tariffs. */
  readonly sources: readonly Reading[];
  readonly warnings: readonly Problem[];
}

export interface LastPush extends LastPushHead {
  /** Of thousands of partners each is decoded when it is asked for; undefined for one that nothing is known of. */
  readonly partner: (id: string) => KnownPartner | undefined;
}

const PLACE = '.tieup/last-push';
const SCHEMA = 'tieup-last-push/1';
const MAX_LENGTH = 256 * 1024 * 1024;
const LINE_FEED = 0x0a;
const SPACE = 0x20;

/** A line of JSON that counts for all, then one for each partner: its id, a blank, JSON. */
export async function keepLastPush(
  files: FileTree,
  head: LastPushHead,
  partners: Iterable<readonly [id: string, KnownPartner]>,
): Promise<void> {
  const lines = [JSON.stringify({ schema: SCHEMA, ...head })];
  for (const [id, known] of partners) lines.push(`${id} ${JSON.stringify(known)}`);
  await files.write(PLACE, Buffer.from(`${lines.join('\n')}\n`), { durable: false });
}

/** Undefined for what was edited or written by another version: then everything is looked at, as is a partner whose line is cut short. */
export async function readLastPush(files: FileTree, tool: string): Promise<LastPush | undefined> {
  const bytes = await readIfThere(files, PLACE, MAX_LENGTH);
  if (bytes === undefined) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const headEnd = text.indexOf(LINE_FEED);
  const head = headEnd === -1 ? undefined : decode(text.subarray(0, headEnd));
  if (!isHead(head) || head.tool !== tool) return undefined;
  const lines = new Map<string, Buffer>();
  for (let start = headEnd + 1; start < text.length;) {
    const end = text.indexOf(LINE_FEED, start);
    const blank = text.indexOf(SPACE, start);
    if (end === -1 || blank === -1 || blank > end) break;
    lines.set(text.toString('latin1', start, blank), text.subarray(blank + 1, end));
    start = end + 1;
  }
  return {
    ...head,
    partner: (id) => {
      const line = lines.get(id);
      const known = line && decode(line);
      return isKnown(known) && known.partnership.id === id ? known : undefined;
    },
  };
}

function decode(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString());
  } catch {
    return undefined;
  }
}

// Written by keepLastPush alone, which was given what the schemas had let through.
function isHead(value: unknown): value is LastPushHead {
  if (!isObject(value)) return false;
  const { schema, tool, from, until, config, sources, warnings }: Record<string, unknown> = value;
  return (
    schema === SCHEMA &&
    typeof tool === 'string' &&
    typeof from === 'string' &&
    (until === null || typeof until === 'string') &&
    isObject(config) &&
    [sources, warnings].every(Array.isArray)
  );
}

function isKnown(value: unknown): value is KnownPartner {
  if (!isObject(value)) return false;
  const { file, partnership, served }: Record<string, unknown> = value;
  return typeof file === 'string' && isObject(partnership) && (served === null || isObject(served));
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
