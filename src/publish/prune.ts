/** Making room: trees that are no longer kept, and objects that nothing needs. */
import { isTieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { forEachFile } from '../io/together.ts';
import type { Bytes } from '../merge/plan.ts';
import { byteOrder } from '../protocol/byte-order.ts';
import { identifyOwn, lookAround, sameBytes, type Seen } from './look.ts';
import { DEFAULT_KEEP, type Layout, type Ports, treePathOf, within } from './ports.ts';
import type { Unpruned } from './publication.ts';
import { liveNumber, publicationNumbers, readHeld, readLedger, readRecord, treeNumbers } from './records.ts';
import { removeTemporary } from './remove-tree.ts';
import { whatMayGo } from './settled.ts';

const REMOVING = /^([1-9]\d{0,14})\.removing$/;

/** What keeps a tree from being removed. */
const STUCK = ['TIEUP_E_STORAGE', 'TIEUP_E_UNSAFE_PATH', 'TIEUP_E_EXISTS', 'TIEUP_E_NOT_FOUND'] as const;

/**
 * Removes trees that are not among {@link keptPublications}. A tree loses its number first, so that nobody can go back to one that
 * is half removed. Only files that are tieup's own go, or that live on in a later tree: what somebody put into an old tree by
 * hand stays in `<n>.removing`, alone. Returns what is still there; it is tried again the next time.
 */
export async function pruneTrees(ports: Ports, layout: Layout): Promise<readonly Unpruned[]> {
  if (layout.how !== 'link') return [];
  const { web, state } = ports;
  const recorded = new Set(await publicationNumbers(state));
  const kept = await keptPublications(ports, layout);
  const unpruned: Unpruned[] = [];
  const attempt = async (path: string, work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      // The publication is live; a tree too many is no reason to call it failed.
      if (!isTieupError(error, ...STUCK)) throw error;
      unpruned.push({ path, why: 'stuck' });
    }
  };
  for (const number of await treeNumbers(web, layout)) {
    // Without a record it is no tree of tieup's.
    if (kept.has(number) || !recorded.has(number)) continue;
    const tree = treePathOf(layout, number);
    await attempt(tree, () => web.rename(tree, `${tree}.removing`));
  }
  for (const { name, kind } of await web.list(layout.treesName)) {
    const number = REMOVING.exec(name)?.[1];
    if (number === undefined || kind !== 'folder') continue;
    const path = within(layout.treesName, name);
    await attempt(path, async () => {
      const left = await removeOwn(web, path, await whatMayGo(ports, Number(number)));
      unpruned.push(...left.map((each): Unpruned => ({ path: within(path, each), why: 'not-ours' })));
    });
  }
  return unpruned;
}

type MayGo = Awaited<ReturnType<typeof whatMayGo>>;

/** Removes the files that may go and every folder that is empty then; returns the paths that stay. */
async function removeOwn(web: FileTree, base: string, mayGo: MayGo): Promise<readonly string[]> {
  const left: string[] = [];
  const folders = [''];
  const all = await lookAround(web, base);
  for (const { kind, path } of all) if (kind === 'folder') folders.push(path);
  await forEachFile([web], all, async (seen) => {
    if (seen.kind === 'folder') return;
    if (await isAmong(mayGo.get(seen.path) ?? [], web, base, seen)) await web.remove(within(base, seen.path));
    else left.push(seen.path);
  });
  for (const folder of folders.toReversed()) {
    const place = within(base, folder);
    if (!(await web.removeFolder(place)) && (await removeTemporary(web, place)) > 0) await web.removeFolder(place);
  }
  return left.sort(byteOrder);
}

async function isAmong(versions: readonly Bytes[], web: FileTree, base: string, seen: Seen): Promise<boolean> {
  if (versions.length === 0 || (seen.kind !== 'file' && seen.kind !== 'link')) return false;
  const found = await identifyOwn(web, within(base, seen.path), seen);
  return versions.some((version) => sameBytes(found, version));
}

/**
 * The publications to which a rollback is possible: the newest one of each of the last {@link Layout.keep} releases, the one
 * before the live one (so that a merge can be taken back), the live one and one that is held. One whose record is damaged may
 * be any of these, and is kept too.
 */
export async function keptPublications(ports: Ports, layout: Layout): Promise<ReadonlySet<number>> {
  const live = await liveNumber(ports, layout);
  const held = (await readHeld(ports.state))?.publication;
  const numbers = (await publicationNumbers(ports.state)).toReversed();
  const before = numbers.find((number) => number < live);
  const kept = new Set([live, held ?? live, before ?? live]);
  const releases = new Set<string>();
  for (const number of numbers) {
    if (releases.size === (layout.keep ?? DEFAULT_KEEP)) break;
    const release = await releaseOf(ports, number);
    if (release === null || releases.has(release)) continue;
    if (release !== 'damaged') releases.add(release);
    kept.add(number);
  }
  return kept;
}

async function releaseOf({ state }: Ports, number: number): Promise<string | null> {
  try {
    return (await readRecord(state, number))?.release?.digest ?? null;
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_VERIFY')) return 'damaged';
    throw error;
  }
}

/**
 * The digests which {@link keptPublications} are made of, for a rollback. What the accepted release and the slots need for the
 * next merge comes on top before `ObjectStore.prune` is called. @throws TIEUP_E_VERIFY when a ledger is damaged.
 */
export async function objectsInUse(ports: Ports, layout: Layout): Promise<ReadonlySet<string>> {
  const digests = new Set<string>();
  for (const number of await keptPublications(ports, layout)) {
    if (number === 0) continue;
    for (const { digest, release } of (await readLedger(ports.state, number)).entries.values()) {
      if (release > 0) digests.add(digest);
    }
  }
  return digests;
}
