/** Whether the tree of an earlier publication may be shown again as it stands on disk. Anybody may have been at it since. */
import type { FileTree } from '../io/file-tree.ts';
import type { Ledger } from '../merge/ledger.ts';
import type { Bytes, MergePlan } from '../merge/plan.ts';
import { byteOrder } from '../protocol/byte-order.ts';
import { identifyOwn, lookAround, sameBytes, statHere } from './look.ts';
import { type Layout, treePathOf, within } from './ports.ts';
import type { Live } from './records.ts';
import { givenUp } from './settled.ts';

export interface StandingTree {
  /** True when it has what the plan says and nothing else: switching to it and publishing the plan come to the same. */
  readonly asPlanned: boolean;
  /** Files that were published in it and have other bytes now, or are gone; sorted. */
  readonly altered: readonly string[];
}

export const NO_TREE: StandingTree = { asPlanned: false, altered: [] };

export interface Comparison {
  /** The publication whose tree it is, and its ledger. */
  readonly number: number;
  readonly ledger: Ledger;
  /** What is to be live. */
  readonly plan: MergePlan;
  /** What is live now, from which the partner's own files would move along. */
  readonly live: Live;
}

/** Hashes every file of the tree once. {@link NO_TREE} when it is not there. */
export async function compareTree(web: FileTree, layout: Layout, comparison: Comparison): Promise<StandingTree> {
  const { number, ledger, plan, live } = comparison;
  const base = treePathOf(layout, number);
  if ((await statHere(web, base))?.kind !== 'folder') return NO_TREE;
  const planned = new Map(plan.entries.map((entry) => [entry.path, entry]));
  const published = new Map(ledger.entries);
  const altered: string[] = [];
  // An edit that the manager let go is written down by a publication of its own; see settled.ts.
  let asPlanned = givenUp(plan, live.ledger).length === 0;
  for (const seen of await lookAround(web, base)) {
    const { path, kind } = seen;
    if (kind === 'folder') continue;
    const found = kind === 'file' || kind === 'link' ? await identifyOwn(web, within(base, path), seen) : 'something';
    const then = published.get(path);
    if (then !== undefined && !sameBytes(found, then)) altered.push(path);
    published.delete(path);
    const entry = planned.get(path);
    planned.delete(path);
    if (entry === undefined) asPlanned = false;
    else if (entry.from.kind === 'live') {
      const own = await identifyLive(web, within(treePathOf(layout, live.number), path));
      if (!sameBytes(found, own)) asPlanned = false;
    } else if (entry.digest === undefined || !sameBytes(found, { length: entry.length, digest: entry.digest })) {
      asPlanned = false;
    }
  }
  altered.push(...published.keys());
  return { asPlanned: asPlanned && planned.size === 0, altered: altered.sort(byteOrder) };
}

async function identifyLive(web: FileTree, path: string): Promise<Bytes | null> {
  const stat = await statHere(web, path);
  return stat?.kind === 'file' || stat?.kind === 'link'
    ? identifyOwn(web, path, { kind: stat.kind, length: stat.length })
    : null;
}
