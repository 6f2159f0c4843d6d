/**
 * What every command does first: an interrupted publication is finished when it had reached its commit point, and undone
 * otherwise. Interrupting this is harmless: the journal goes last.
 */
import { type Journal, readJournal, removeJournal } from './journal.ts';
import { switchLink, undoBuild } from './link.ts';
import { statHere } from './look.ts';
import { objectsOf } from './objects.ts';
import { resumeChanging, undoStage } from './overwrite.ts';
import { type Layout, type Ports, within } from './ports.ts';
import { liveNumber } from './records.ts';
import { removeTemporary } from './remove-tree.ts';

export type Recovery =
  /** Nothing had been interrupted. */
  | { readonly kind: 'nothing' }
  /** The publication is live now, but for `leftAlone`: paths where somebody put other bytes meanwhile. */
  | { readonly kind: 'finished'; readonly number: number; readonly leftAlone: readonly string[] }
  /** As if it had never begun, but for `leftAlone`. */
  | { readonly kind: 'undone'; readonly number: number; readonly leftAlone: readonly string[] };

/** Call it with the lock held: what it finds belongs to nobody who is alive. */
export async function recover(ports: Ports, layout: Layout): Promise<Recovery> {
  const journal = await readJournal(ports.state);
  if (journal === undefined) return { kind: 'nothing' };
  // Before anything else: a folder with such a file in it is not empty.
  await clearTemporary(ports, layout, journal);
  return settle(ports, layout, journal);
}

async function settle(ports: Ports, layout: Layout, journal: Journal): Promise<Recovery> {
  const { number } = journal;
  const finished = { kind: 'finished', number, leftAlone: [] } as const;
  const undone = { kind: 'undone', number, leftAlone: [] } as const;
  if (journal.kind === 'build') {
    if ((await liveNumber(ports, layout)) !== number) {
      await undoBuild(ports, layout, number);
      return undone;
    }
    await removeJournal(ports.state);
    return finished;
  }
  if (journal.kind === 'switch') {
    await switchLink(ports, layout, number, journal.hold);
    return finished;
  }
  if (journal.kind === 'stage') {
    await undoStage(ports, number);
    return undone;
  }
  const leftAlone = await resumeChanging(ports, layout, journal, objectsOf(ports));
  return { ...(journal.kind === 'apply' ? finished : undone), leftAlone };
}

/** A killed process leaves the temporary file of its last write, which a web server would show to whoever guesses its name. */
async function clearTemporary({ web, state }: Ports, layout: Layout, journal: Journal): Promise<void> {
  for (const folder of ['', 'published', 'publications']) await removeTemporary(state, folder);
  await removeTemporary(web, '');
  if (journal.kind !== 'apply' && journal.kind !== 'undo') return;
  const folders = new Set(journal.steps.map(({ path }) => path.slice(0, Math.max(0, path.lastIndexOf('/')))));
  for (const folder of folders) {
    const place = within(layout.publicName, folder);
    if ((await statHere(web, place))?.kind === 'folder') await removeTemporary(web, place);
  }
}
