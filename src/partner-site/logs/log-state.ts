/**
 * What the partner keeps of its logs: files that never change, and one that says how far everything is.
 *
 *     logs/<epoch>/<T|O>/<first>-<next>-<raw length>.seg    records with their salts, the lines of a part, one gzip member
 *     logs/<epoch>/<T|O>/<first>-<next>.hashes              32 bytes for each of them
 *     logs/state.json                                       the commit point: trees, counts, and how far each log file was read
 *
 * Files beyond what `state.json` says are of a run that did not end; the next one removes them and reads the same lines again.
 */
import { z } from 'zod';
import { TieupError } from '../../errors.ts';
import type { LineCounts } from '../../logs/scanner.ts';
import { Frontier, HASH_LENGTH } from '../../protocol/merkle.ts';
import { readJson, writeJson } from '../../publish/records.ts';
import type { PartnerSite } from '../partner-site.ts';
import { type KnownFile, knownFileSchema } from './known-file.ts';

export type TreeName = 'T' | 'O';
export const TREES: readonly TreeName[] = ['T', 'O'];

export interface LogState {
  /** From 1 on; a new one begins when the manager says so. */
  readonly epoch: number;
  readonly counts: LineCounts;
  /** The publication that the last switch record in T names; null before the first. */
  readonly publication: number | null;
  /** Hashes of the perfect subtrees of each tree, the largest first, in hex. */
  readonly frontiers: Readonly<Record<TreeName, readonly string[]>>;
  readonly sources: readonly SourceState[];
}

/** How far one of the configured sources was read. */
export interface SourceState {
  /** As in tieup.yaml. */
  readonly files: string;
  /** The file that was being written, last. */
  readonly known: readonly KnownFile[];
  /** Number of the last live switch that was passed; 0 before the first. */
  readonly switchNumber: number;
}

const FILE = 'logs/state.json';
const count = z.int().min(0);
const hashes = z.array(z.string().regex(/^[0-9a-f]{64}$/)).max(53);

const schema: z.ZodType<LogState> = z.strictObject({
  epoch: z.int().min(1),
  counts: z.strictObject({ lines: count, T: count, O: count, X: count, S: count, G: count }),
  publication: count.nullable(),
  frontiers: z.strictObject({ T: hashes, O: hashes }),
  sources: z.array(z.strictObject({ files: z.string(), known: z.array(knownFileSchema), switchNumber: count })),
});

export function firstState(epoch: number): LogState {
  return {
    epoch,
    counts: { lines: 0, T: 0, O: 0, X: 0, S: 0, G: 0 },
    publication: null,
    frontiers: { T: [], O: [] },
    sources: [],
  };
}

/** @throws TIEUP_E_VERIFY when the state is damaged: then only the manager can begin a new epoch. */
export async function readLogState(site: PartnerSite): Promise<LogState | undefined> {
  return readJson(site.state, FILE, schema);
}

export async function writeLogState(site: PartnerSite, state: LogState): Promise<void> {
  await writeJson(site.state, FILE, state);
}

export function treeSize({ T, O, X, S, G }: LineCounts, tree: TreeName): number {
  return tree === 'T' ? T + S + G : O + X;
}

export function frontierOf({ counts, frontiers }: LogState, tree: TreeName): Frontier {
  return Frontier.of(
    treeSize(counts, tree),
    frontiers[tree].map((hex) => Buffer.from(hex, 'hex')),
  );
}

/** Consecutive records of one tree, as they are kept. */
export interface Segment {
  readonly tree: TreeName;
  readonly first: number;
  readonly next: number;
  /** Bytes of its lines before compression. */
  readonly rawLength: number;
  /** Paths in the state folder. */
  readonly lines: string;
  readonly hashes: string;
}

export function segmentAt(
  epoch: number,
  tree: TreeName,
  { first, next, rawLength }: { readonly first: number; readonly next: number; readonly rawLength: number },
): Segment {
  const base = `${folderOf(epoch, tree)}/${first}-${next}`;
  return { tree, first, next, rawLength, lines: `${base}-${rawLength}.seg`, hashes: `${base}.hashes` };
}

/**
 * The segments of a tree from record `from` to record `to`, ascending; both lie between segments.
 * @throws TIEUP_E_VERIFY when one is missing: what was committed can then not be shown any more.
 */
export async function segmentsOf(
  site: PartnerSite,
  epoch: number,
  tree: TreeName,
  from: number,
  to: number,
): Promise<readonly Segment[]> {
  const all = new Map((await allSegments(site, epoch, tree)).map((segment) => [segment.first, segment]));
  const found: Segment[] = [];
  for (let at = from; at < to;) {
    const segment = all.get(at);
    if (segment === undefined || segment.next > to) {
      throw new TieupError(
        'TIEUP_E_VERIFY',
        `records of log ${tree} are missing in the state folder, from number ${at} on`,
        {
          hint: 'restore the state folder from a backup; if there is none, begin a new epoch with tieup logs new-epoch',
        },
      );
    }
    found.push(segment);
    at = segment.next;
  }
  return found;
}

/** Removes what a run that did not end has left. */
export async function removeUncommitted(site: PartnerSite, { epoch, counts }: LogState): Promise<void> {
  const removed: string[] = [];
  for (const tree of TREES) {
    for (const { next, lines, hashes: leaves } of await allSegments(site, epoch, tree)) {
      if (next <= treeSize(counts, tree)) continue;
      for (const path of [lines, leaves]) await site.state.remove(path);
      removed.push(lines, leaves);
    }
  }
  if (removed.length > 0) await site.state.sync(removed);
}

/** The hashes of records `from` to `to`, 32 bytes each, segment by segment. */
export async function* leafHashes(
  site: PartnerSite,
  segments: readonly Segment[],
): AsyncIterable<{ readonly segment: Segment; readonly hashes: Uint8Array }> {
  for (const segment of segments) {
    const length = (segment.next - segment.first) * HASH_LENGTH;
    const bytes = await site.state.read(segment.hashes, length);
    if (bytes.length !== length) {
      throw new TieupError('TIEUP_E_VERIFY', `${segment.hashes} in the state folder is damaged`);
    }
    yield { segment, hashes: bytes };
  }
}

async function allSegments(site: PartnerSite, epoch: number, tree: TreeName): Promise<readonly Segment[]> {
  return (await site.state.list(folderOf(epoch, tree))).flatMap(({ name }) => {
    const [, first, next, rawLength] = /^(\d+)-(\d+)-(\d+)\.seg$/.exec(name) ?? [];
    if (first === undefined) return [];
    return [segmentAt(epoch, tree, { first: Number(first), next: Number(next), rawLength: Number(rawLength) })];
  });
}

function folderOf(epoch: number, tree: TreeName): string {
  return `logs/${epoch}/${tree}`;
}
