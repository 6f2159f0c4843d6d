/** Builds the tree of a publication beside the one that is live, and makes sure that the plan was made for what is live still. */
import { isTieupError } from '../errors.ts';
import type { FileStat, FileTree } from '../io/file-tree.ts';
import { forEachFile } from '../io/together.ts';
import type { LedgerEntry } from '../merge/ledger.ts';
import type { Bytes, MergeEntry, MergePlan } from '../merge/plan.ts';
import { byteOrder } from '../protocol/byte-order.ts';
import { sha256Stream } from '../protocol/digest.ts';
import { MAX_FILE_LENGTH } from '../protocol/release.ts';
import { driftError } from './apply.ts';
import { linkBytes, lookAround, sameBytes, type Seen, statHere, whatIsAt } from './look.ts';
import type { ObjectStore } from './objects.ts';
import { permissions, readOriginal } from './originals.ts';
import { type Layout, type Ports, treePathOf, within } from './ports.ts';
import type { Prepared } from './publication.ts';
import { settledEntry } from './settled.ts';

interface Sources {
  /** The publication that is live; 0 when there is none. */
  readonly from: number;
  readonly objects: ObjectStore;
}

export interface Built {
  /** How many files have other bytes than at the same path of the tree before. */
  readonly written: number;
  /** The partner's own files that moved along from the tree before. */
  readonly carried: readonly LedgerEntry[];
}

interface Building {
  readonly before: string;
  readonly target: string;
  /** Paths that are a second name of the file in the tree before. */
  readonly linked: ReadonlySet<string>;
  readonly carried: ReadonlyMap<string, Carried>;
}

/** @throws TIEUP_E_DRIFT when an original or anything in the live tree is not what it was when the plan was made. */
export async function buildTree(
  ports: Ports,
  layout: Layout,
  { plan, owned, record }: Prepared,
  { from, objects }: Sources,
): Promise<Built> {
  const { web } = ports;
  const target = treePathOf(layout, record.number);
  const before = treePathOf(layout, from);
  const digests = new Map(owned.map(({ path, digest }) => [path, digest]));
  const paths = plan.entries.map((entry) => within(target, entry.path));
  const linked = new Set<string>();
  const carried = new Map<string, Carried>();
  let written = 0;
  await web.makeFolder(target);
  const build = async (entry: MergeEntry): Promise<void> => {
    const path = within(target, entry.path);
    const digest = digests.get(entry.path);
    if (entry.from.kind === 'live') {
      carried.set(entry.path, await carry(web, before, target, entry.path));
      return;
    }
    if (digest === undefined) throw new TypeError(`no digest for ${JSON.stringify(entry.path)}`);
    const unchanged = from > 0 && entry.before?.digest === digest;
    if (!unchanged) written += 1;
    if (entry.from.kind === 'original') await copyOriginal(ports, entry, digest, path);
    else if (unchanged && (await shared(web, within(before, entry.path), path))) linked.add(entry.path);
    else await web.write(path, objects.stream(digest, entry.length), { durable: false });
  };
  await forEachFile([web], plan.entries, build);
  await web.sync(paths.length > 0 ? paths : [target]);
  if (from > 0) await assertUnchanged(web, { before, target, linked, carried }, plan);
  const moved = plan.entries.flatMap(({ path }) => {
    const { bytes } = carried.get(path) ?? {};
    return bytes === undefined ? [] : [settledEntry(path, bytes)];
  });
  return { written, carried: moved };
}

/** An original is copied, never linked: an edit in place would change the trees that are kept. */
async function copyOriginal({ original, web }: Ports, entry: MergeEntry, digest: string, to: string): Promise<void> {
  if (original === undefined) throw new TypeError('in place there are no originals to copy');
  const content = readOriginal(original, entry.path, { digest, length: entry.length });
  await web.write(to, content, { durable: false, mode: await permissions(original, entry.path) });
}

interface Carried {
  readonly bytes: Bytes;
  /** Of the file in the tree before, from before it was read. */
  readonly seen: FileStat;
}

/** What the partner put into the live tree moves along; a link as the link it is. */
async function carry(web: FileTree, before: string, target: string, path: string): Promise<Carried> {
  const from = within(before, path);
  const to = within(target, path);
  const seen = await statHere(web, from);
  if (seen === undefined || (seen.kind !== 'file' && seen.kind !== 'link')) throw driftError([path]);
  if (seen.kind === 'link') {
    const link = await web.readLink(from);
    await web.makeFolder(to.slice(0, to.lastIndexOf('/')));
    await web.replaceLink(to, link);
    return { bytes: linkBytes(link), seen };
  }
  const hash = sha256Stream();
  let length = 0;
  async function* hashed(): AsyncIterable<Uint8Array> {
    for await (const chunk of web.stream(from, MAX_FILE_LENGTH)) {
      hash.update(chunk);
      length += chunk.length;
      yield chunk;
    }
  }
  await web.write(to, hashed(), { durable: false, mode: await permissions(web, from) });
  return { bytes: { length, digest: hash.digest() }, seen };
}

/** True when the file of the tree before could be given a second name; the bytes are then on disk once. */
async function shared(web: FileTree, from: string, to: string): Promise<boolean> {
  try {
    await web.makeFolder(to.slice(0, to.lastIndexOf('/')));
    await web.hardLink(from, to);
    return true;
  } catch (error) {
    // Gone, or no file any more: found out below.
    if (isTieupError(error, 'TIEUP_E_STORAGE', 'TIEUP_E_NOT_FOUND', 'TIEUP_E_UNSAFE_PATH')) return false;
    throw error;
  }
}

/**
 * Refuses rather than to put the planned bytes in the place of what somebody saved meanwhile: the next plan then shows it as
 * the conflict that it is. Hashes each file that the plan knows once; a second name must then be one of the very file that was
 * hashed. What moved along was read a moment ago, and is not read again.
 * @throws TIEUP_E_DRIFT with every path.
 */
async function assertUnchanged(web: FileTree, building: Building, { entries, removals }: MergePlan): Promise<void> {
  const { before, target, linked, carried } = building;
  const planned = new Map<string, Bytes>();
  for (const { path, before: bytes } of [...entries, ...removals]) if (bytes !== undefined) planned.set(path, bytes);
  const isAsPlanned = async (now: Seen): Promise<boolean> => {
    const { path } = now;
    const moved = carried.get(path);
    if (moved !== undefined) return isSameFile(now, moved.seen);
    const bytes = planned.get(path);
    if (bytes === undefined || bytes.length !== now.length) return false;
    if (linked.has(path) && !isSameFile(now, await statHere(web, within(target, path)))) return false;
    return sameBytes(await whatIsAt(web, within(before, path)), bytes);
  };
  const unseen = new Set([...planned.keys(), ...carried.keys()]);
  const drifted: string[] = [];
  await forEachFile([web], await lookAround(web, before), async (now) => {
    if (now.kind === 'folder') return;
    unseen.delete(now.path);
    if (!(await isAsPlanned(now))) drifted.push(now.path);
  });
  drifted.push(...unseen);
  if (drifted.length > 0) throw driftError(drifted.sort(byteOrder));
}

function isSameFile(a: Seen, b: FileStat | undefined): boolean {
  return a.kind === b?.kind && a.length === b.length && a.modified === b.modified;
}
