/**
 * Publishing by link: a complete new tree beside the old one, then one atomic switch.
 *
 *     web/published/<n>/    built while web/published/<n-1>/ is served
 *     web/public            → published/<n>: the commit point
 *
 * Until the switch nothing that is served has changed; kill -9 at any moment leaves the old tree or the new one.
 */
import { isTieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import type { MergeEntry } from '../merge/plan.ts';
import { MAX_FILE_LENGTH } from '../protocol/release.ts';
import { removeJournal, writeJournal } from './journal.ts';
import type { ObjectStore } from './objects.ts';
import { permissions, readOriginal } from './originals.ts';
import { type Layout, type Ports, treePathOf, within } from './ports.ts';
import type { Done, Prepared } from './publication.ts';
import { liveNumber, removeRecord, writeHeld, writeRecord } from './records.ts';
import { removeTree } from './remove-tree.ts';

export async function publishByLink(
  ports: Ports,
  layout: Layout,
  prepared: Prepared,
  objects: ObjectStore,
): Promise<Done> {
  const { record, plan } = prepared;
  const from = await liveNumber(ports, layout);
  await writeJournal(ports.state, { kind: 'build', number: record.number });
  let written: number;
  try {
    written = await buildTree(ports, layout, prepared, { from, objects });
    await writeRecord(ports.state, record, prepared);
    if (prepared.hold !== null) {
      await writeJournal(ports.state, { kind: 'switch', number: record.number, hold: prepared.hold });
    }
  } catch (error) {
    await undoQuietly(ports, layout, record.number);
    throw error;
  }
  await switchLink(ports, layout, record.number, prepared.hold);
  return { record, written, removed: plan.removals.length };
}

/** Points the web root at a tree that is complete, and forgets the journal. */
export async function switchLink(ports: Ports, layout: Layout, number: number, hold: string | null): Promise<void> {
  await ports.web.replaceLink(layout.publicName, treePathOf(layout, number));
  if (hold !== null) await writeHeld(ports.state, { publication: number, since: hold });
  await removeJournal(ports.state);
}

/** Removes what was built of a tree that never went live. */
export async function undoBuild(ports: Ports, layout: Layout, number: number): Promise<void> {
  await removeRecord(ports.state, number);
  await removeTree(ports.web, treePathOf(layout, number));
  await removeJournal(ports.state);
}

async function undoQuietly(ports: Ports, layout: Layout, number: number): Promise<void> {
  try {
    await undoBuild(ports, layout, number);
  } catch {
    // The journal stands, so that the next command cleans up; why we are here matters more.
  }
}

interface Sources {
  /** The publication that is live; 0 when there is none. */
  readonly from: number;
  readonly objects: ObjectStore;
}

/** Returns how many files have other bytes than at the same path of the tree before. */
async function buildTree(
  ports: Ports,
  layout: Layout,
  { plan, owned, record }: Prepared,
  sources: Sources,
): Promise<number> {
  const { web } = ports;
  const target = treePathOf(layout, record.number);
  const before = treePathOf(layout, sources.from);
  const digests = new Map(owned.map(({ path, digest }) => [path, digest]));
  const paths: string[] = [];
  let written = 0;
  await web.makeFolder(target);
  for (const entry of plan.entries) {
    const path = within(target, entry.path);
    const digest = digests.get(entry.path);
    paths.push(path);
    if (entry.from.kind === 'live') {
      await carry(web, within(before, entry.path), path, entry.from.link);
      continue;
    }
    if (digest === undefined) throw new TypeError(`no digest for ${JSON.stringify(entry.path)}`);
    const unchanged = sources.from > 0 && entry.before?.digest === digest;
    if (!unchanged) written += 1;
    if (entry.from.kind === 'original') await copyOriginal(ports, entry, digest, path);
    else if (!(unchanged && (await shared(web, within(before, entry.path), path)))) {
      await web.write(path, sources.objects.stream(digest, entry.length), { durable: false });
    }
  }
  await web.sync(paths.length > 0 ? paths : [target]);
  return written;
}

/** An original is copied, never linked: an edit in place would change the trees that are kept. */
async function copyOriginal({ original, web }: Ports, entry: MergeEntry, digest: string, to: string): Promise<void> {
  if (original === undefined) throw new TypeError('in place there are no originals to copy');
  const content = readOriginal(original, entry.path, { digest, length: entry.length });
  await web.write(to, content, { durable: false, mode: await permissions(original, entry.path) });
}

/** What the partner put into the live tree moves along; a link as the link it is. */
async function carry(web: FileTree, from: string, to: string, link: boolean): Promise<void> {
  if (link) {
    await web.makeFolder(to.slice(0, to.lastIndexOf('/')));
    await web.replaceLink(to, await web.readLink(from));
    return;
  }
  await web.write(to, web.stream(from, MAX_FILE_LENGTH), { durable: false, mode: await permissions(web, from) });
}

/** True when the file of the tree before could be given a second name; the bytes are then on disk once. */
async function shared(web: FileTree, from: string, to: string): Promise<boolean> {
  try {
    await web.makeFolder(to.slice(0, to.lastIndexOf('/')));
    await web.hardLink(from, to);
    return true;
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_STORAGE', 'TIEUP_E_NOT_FOUND')) return false;
    throw error;
  }
}
