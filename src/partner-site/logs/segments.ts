/**
 * Records as they are kept: consecutive ones of a tree in two files that never change.
 *
 *     logs/<epoch>/<T|O>/<first>-<next>.hashes              32 bytes for each record
 *     logs/<epoch>/<T|O>/<first>-<next>-<raw length>.seg    the records with their salts, the lines of a part, gzip
 *
 * The hashes stay as long as the epoch can be asked about; the lines are dropped when they are old (compact.ts). Where several
 * segments begin at one record, an interrupted merge has left them: the longest says all that the others say.
 */
import { gunzipSync } from 'node:zlib';
import { TieupError } from '../../errors.ts';
import { Frontier, HASH_LENGTH } from '../../protocol/merkle.ts';
import type { PartnerSite } from '../partner-site.ts';
import { type LogState, TREES, treeSize, type TreeName } from './log-state.ts';

export interface SegmentPlace {
  readonly epoch: number;
  readonly tree: TreeName;
  readonly first: number;
  readonly next: number;
}

export interface Segment extends SegmentPlace {
  /** Path in the state folder. */
  readonly hashes: string;
  /** Undefined when the records were dropped and only their hashes are left. */
  readonly lines: SegmentLines | undefined;
}

export interface SegmentLines {
  readonly path: string;
  /** Bytes before compression. */
  readonly rawLength: number;
  /** Bytes on the disk. */
  readonly length: number;
}

/** Records `from` to `to` of a segment. */
export interface Stretch {
  readonly segment: Segment;
  readonly from: number;
  readonly to: number;
}

/** What lies in the folder of a tree. */
export interface Shelf {
  /** Ascending; of those with one start the longest first. */
  readonly segments: readonly Segment[];
  /** Files of lines whose hashes are not there: of a merge that did not end. */
  readonly strays: readonly { readonly path: string; readonly first: number; readonly next: number }[];
}

/** Compressed. */
export const MAX_SEGMENT = 64 * 1024 * 1024;
const LF = 0x0a;

export function hashesPath({ epoch, tree, first, next }: SegmentPlace): string {
  return `${folderOf(epoch, tree)}/${first}-${next}.hashes`;
}

export function linesPath({ epoch, tree, first, next }: SegmentPlace, rawLength: number): string {
  return `${folderOf(epoch, tree)}/${first}-${next}-${rawLength}.seg`;
}

export async function readShelf(site: PartnerSite, epoch: number, tree: TreeName): Promise<Shelf> {
  const leaves: SegmentPlace[] = [];
  const lines = new Map<string, SegmentLines & { readonly first: number; readonly next: number }>();
  for (const { name, length } of await site.state.list(folderOf(epoch, tree))) {
    const [, from, to, raw] = /^(\d{1,16})-(\d{1,16})(?:-(\d{1,16})\.seg|\.hashes)$/.exec(name) ?? [];
    if (from === undefined) continue;
    const [first, next] = [Number(from), Number(to)];
    if (raw === undefined) leaves.push({ epoch, tree, first, next });
    else
      lines.set(`${from}-${to}`, {
        path: `${folderOf(epoch, tree)}/${name}`,
        rawLength: Number(raw),
        length,
        first,
        next,
      });
  }
  const segments = leaves
    .map((place) => {
      const key = `${place.first}-${place.next}`;
      const own = lines.get(key);
      lines.delete(key);
      return { ...place, hashes: hashesPath(place), lines: own };
    })
    .toSorted((a, b) => a.first - b.first || b.next - a.next);
  return { segments, strays: [...lines.values()] };
}

/**
 * The records of a tree from `from` to `to`, ascending.
 * @throws TIEUP_E_VERIFY when some are missing: what was committed can then not be shown any more.
 */
export async function stretchesOf(
  site: PartnerSite,
  epoch: number,
  tree: TreeName,
  from: number,
  to: number,
): Promise<readonly Stretch[]> {
  const { segments } = await readShelf(site, epoch, tree);
  const found: Stretch[] = [];
  let at = from;
  for (const segment of segments) {
    if (at >= to) break;
    if (segment.next <= at) continue;
    if (segment.first > at) break;
    const end = Math.min(segment.next, to);
    found.push({ segment, from: at, to: end });
    at = end;
  }
  if (at >= to) return found;
  throw new TieupError(
    'TIEUP_E_VERIFY',
    `records of log ${tree} are missing in the state folder, from number ${at} on`,
    {
      hint: 'restore the state folder from a backup; if there is none, begin a new epoch with tieup logs new-epoch',
    },
  );
}

/** Removes what a run that did not end has left. */
export async function removeUncommitted(
  site: PartnerSite,
  { epoch, counts }: Pick<LogState, 'epoch' | 'counts'>,
): Promise<void> {
  const removed: string[] = [];
  for (const tree of TREES) {
    const { segments, strays } = await readShelf(site, epoch, tree);
    const size = treeSize(counts, tree);
    for (const { next, hashes, lines } of segments) {
      if (next > size) removed.push(hashes, ...(lines === undefined ? [] : [lines.path]));
    }
    for (const { next, path } of strays) if (next > size) removed.push(path);
  }
  for (const path of removed) await site.state.remove(path);
  if (removed.length > 0) await site.state.sync(removed);
}

/** The hashes of the records, 32 bytes each, stretch by stretch. @throws TIEUP_E_VERIFY when a file is damaged. */
export async function* leafHashes(
  site: PartnerSite,
  stretches: readonly Stretch[],
): AsyncIterable<{ readonly stretch: Stretch; readonly hashes: Uint8Array }> {
  for (const stretch of stretches) {
    const { segment, from, to } = stretch;
    const length = (segment.next - segment.first) * HASH_LENGTH;
    const bytes = await site.state.read(segment.hashes, length);
    if (bytes.length !== length) throw damaged(segment.hashes);
    yield {
      stretch,
      hashes: bytes.subarray((from - segment.first) * HASH_LENGTH, (to - segment.first) * HASH_LENGTH),
    };
  }
}

/** The tree of the first `size` records, from their hashes. */
export async function frontierAt(site: PartnerSite, epoch: number, tree: TreeName, size: number): Promise<Frontier> {
  const frontier = new Frontier();
  for await (const { hashes } of leafHashes(site, await stretchesOf(site, epoch, tree, 0, size))) {
    frontier.appendLeaves(hashes);
  }
  return frontier;
}

/** The lines of the records with their line ends; undefined when they were dropped. @throws TIEUP_E_VERIFY when they are damaged. */
export async function linesOf(
  site: PartnerSite,
  { segment, from, to }: Stretch,
): Promise<readonly Uint8Array[] | undefined> {
  if (segment.lines === undefined) return undefined;
  const raw = await rawLines(site, segment.lines);
  const found: Uint8Array[] = [];
  for (let start = 0; start < raw.length;) {
    const end = raw.indexOf(LF, start) + 1;
    if (end === 0) throw damaged(segment.lines.path);
    found.push(raw.subarray(start, end));
    start = end;
  }
  if (found.length !== segment.next - segment.first) throw damaged(segment.lines.path);
  return found.slice(from - segment.first, to - segment.first);
}

export async function rawLines(site: PartnerSite, { path, rawLength }: SegmentLines): Promise<Uint8Array> {
  const compressed = await site.state.read(path, MAX_SEGMENT);
  try {
    const raw = gunzipSync(compressed, { maxOutputLength: Math.max(1, rawLength) });
    if (raw.length === rawLength) return raw;
  } catch (cause) {
    throw damaged(path, cause);
  }
  throw damaged(path);
}

function damaged(path: string, cause?: unknown): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `${path} in the state folder is damaged`, {
    hint: 'restore the state folder from a backup; if there is none, begin a new epoch with tieup logs new-epoch',
    cause,
  });
}

function folderOf(epoch: number, tree: TreeName): string {
  return `logs/${epoch}/${tree}`;
}
