/**
 * What the partner keeps of its logs: files that never change (segments.ts), and one that says how far everything is.
 *
 *     logs/state.json    the commit point: trees, counts, and how far each log file was read
 *
 * Files beyond what `state.json` says are of a run that did not end; the next one removes them and reads the same lines again.
 */
import { z } from 'zod';
import type { Clock } from '../../io/clock.ts';
import type { LineCounts } from '../../logs/scanner.ts';
import type { OtherHost } from '../../logs/site-hosts.ts';
import type { LogOrigin, TreeHead } from '../../protocol/checkpoint.ts';
import { instant } from '../../protocol/instant.ts';
import { Frontier } from '../../protocol/merkle.ts';
import { readJson, writeJson } from '../../publish/records.ts';
import type { PartnerSite } from '../partner-site.ts';
import { type KnownFile, knownFileSchema } from './known-file.ts';

export type TreeName = 'T' | 'O';
export const TREES: readonly TreeName[] = ['T', 'O'];

export interface LogState {
  /** From 1 on; a new one begins when the manager says so. */
  readonly epoch: number;
  /** Vkey line of the log key that signs this epoch: another key needs another epoch. */
  readonly key: string;
  /** When the logs were read last. */
  readonly time: string;
  readonly counts: LineCounts;
  /** The publication that the last switch record in T names; null before the first. */
  readonly publication: number | null;
  /** Hashes of the perfect subtrees of each tree, the largest first, in hex. */
  readonly frontiers: Readonly<Record<TreeName, readonly string[]>>;
  readonly sources: readonly SourceState[];
  /** Hosts that are not the site's by tieup.yaml, on which paths of tie-up files were asked for. */
  readonly otherHosts: readonly OtherHost[];
}

/** How far one of the configured sources was read. */
export interface SourceState {
  /** As in tieup.yaml. */
  readonly files: string;
  /** Files that are there, and files that are gone. */
  readonly known: readonly KnownFile[];
  /** Which of them is being written; null for none. Undefined in a state of an older version: the last one. */
  readonly current?: number | null | undefined;
  /** Number of the last live switch that was passed; 0 before the first. */
  readonly switchNumber: number;
}

const FILE = 'logs/state.json';
const count = z.int().min(0);
const hashes = z.array(z.string().regex(/^[0-9a-f]{64}$/)).max(53);

const schema: z.ZodType<LogState> = z.strictObject({
  epoch: z.int().min(1),
  key: z.string(),
  time: z.string(),
  counts: z.strictObject({ lines: count, T: count, O: count, X: count, S: count, G: count }),
  publication: count.nullable(),
  frontiers: z.strictObject({ T: hashes, O: hashes }),
  sources: z.array(
    z.strictObject({
      files: z.string(),
      known: z.array(knownFileSchema),
      current: count.nullable().optional(),
      switchNumber: count,
    }),
  ),
  otherHosts: z.array(z.strictObject({ host: z.string(), requests: count })).default([]),
});

/** Nothing is read yet. */
export function firstState(epoch: number, key: string, clock: Clock): LogState {
  return {
    epoch,
    key,
    time: instant(clock.now()),
    counts: { lines: 0, T: 0, O: 0, X: 0, S: 0, G: 0 },
    publication: null,
    frontiers: { T: [], O: [] },
    sources: [],
    otherHosts: [],
  };
}

/** @throws TIEUP_E_VERIFY when the state is damaged: then only the manager can begin a new epoch. */
export async function readLogState(site: PartnerSite): Promise<LogState | undefined> {
  return readJson(site.state, FILE, schema);
}

/** True when something was committed to, even if the state is damaged since. */
export async function hasLogState(site: PartnerSite): Promise<boolean> {
  return (await site.state.stat(FILE)) !== undefined;
}

export async function writeLogState(site: PartnerSite, state: LogState): Promise<void> {
  await writeJson(site.state, FILE, state);
}

export function treeSize({ T, O, X, S, G }: LineCounts, tree: TreeName): number {
  return tree === 'T' ? T + S + G : O + X;
}

export function frontierOf({ counts, frontiers }: Pick<LogState, 'counts' | 'frontiers'>, tree: TreeName): Frontier {
  return Frontier.of(
    treeSize(counts, tree),
    frontiers[tree].map((hex) => Buffer.from(hex, 'hex')),
  );
}

export function headsOf(state: LogState): Readonly<Record<TreeName, TreeHead>> {
  const head = (tree: TreeName): TreeHead => ({
    size: treeSize(state.counts, tree),
    root: frontierOf(state, tree).root(),
  });
  return { T: head('T'), O: head('O') };
}

export function originOf(site: PartnerSite, log: TreeName, epoch: number): LogOrigin {
  return { host: new URL(site.config.url).host, partner: site.config.partner, log, epoch };
}
