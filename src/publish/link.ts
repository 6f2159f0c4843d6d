/**
 * Publishing by link: a complete new tree beside the old one, then one atomic switch.
 *
 *     web/published/<n>/    built while web/published/<n-1>/ is served
 *     web/public            → published/<n>: the commit point
 *
 * Until the switch nothing that is served has changed; kill -9 at any moment leaves the old tree or the new one.
 */
import { buildTree, type Built } from './build-tree.ts';
import { removeJournal, writeJournal } from './journal.ts';
import type { ObjectStore } from './objects.ts';
import { type Layout, type Ports, treePathOf } from './ports.ts';
import type { Done, Prepared } from './publication.ts';
import { readLive, removeRecord, writeHeld, writeRecord } from './records.ts';
import { removeTree } from './remove-tree.ts';
import { givenUp } from './settled.ts';

export async function publishByLink(
  ports: Ports,
  layout: Layout,
  prepared: Prepared,
  objects: ObjectStore,
): Promise<Done> {
  const { record, plan } = prepared;
  const before = await readLive(ports, layout);
  await writeJournal(ports.state, { kind: 'build', number: record.number });
  let built: Built;
  try {
    built = await buildTree(ports, layout, prepared, { from: before.number, objects });
    await writeRecord(ports.state, record, prepared, [...built.carried, ...givenUp(plan, before.ledger)]);
    if (prepared.hold !== null) {
      await writeJournal(ports.state, { kind: 'switch', number: record.number, hold: prepared.hold });
    }
  } catch (error) {
    await undoQuietly(ports, layout, record.number);
    throw error;
  }
  await switchLink(ports, layout, record.number, prepared.hold);
  return { record, written: built.written, removed: plan.removals.length };
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
    // Whatever it says now: a crash from here on must not lead back to a tree that is half gone.
    await writeJournal(ports.state, { kind: 'build', number });
    await undoBuild(ports, layout, number);
  } catch {
    // The journal stands, so that the next command cleans up; why we are here matters more.
  }
}
