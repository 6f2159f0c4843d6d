/**
 * Publishing by overwriting: into the web root that is being served, file by file.
 *
 *     journal "stage"  content gathered and checked, old content kept: nothing live has changed
 *     journal "apply"  the commit point: from here a crash is finished by the next command
 *     files            each one whole at every moment: those in the way go first, then writes, then deletions
 *     live.json        the new ledger is in force
 *
 * A fault after the commit point is undone with the old content; when that fails too, the next command goes on undoing.
 */
import { TieupError } from '../errors.ts';
import { forEachFile } from '../io/together.ts';
import type { Bytes } from '../merge/plan.ts';
import { ancestors, indexOccupants } from '../merge/occupants.ts';
import { MAX_FILE_LENGTH } from '../protocol/release.ts';
import { type Applying, applySteps, driftError } from './apply.ts';
import { type Journal, removeJournal, type Step, writeJournal } from './journal.ts';
import { sameBytes, statHere, whatIsAt } from './look.ts';
import { checked, type ObjectStore } from './objects.ts';
import { permissions, readOriginal } from './originals.ts';
import { type Layout, type Ports, within } from './ports.ts';
import type { Done, Prepared } from './publication.ts';
import { removeRecord, writeHeld, writeLiveNumber, writeRecord } from './records.ts';
import { removeTree } from './remove-tree.ts';

type Changing = Extract<Journal, { readonly kind: 'apply' | 'undo' }>;

const STAGING = 'staging/publication';
const DEFAULT_MODE = 0o644;

export async function publishByOverwriting(
  ports: Ports,
  layout: Layout,
  prepared: Prepared,
  objects: ObjectStore,
): Promise<Done> {
  const { number } = prepared.record;
  await writeJournal(ports.state, { kind: 'stage', number });
  let journal: Changing;
  let record = prepared.record;
  try {
    const steps = await planSteps(ports, layout, prepared);
    const folders = await folderChanges(ports, layout, prepared, steps);
    await assertUnchanged(ports, layout, steps, folders.removable);
    await stageContent(ports, layout, steps, objects);
    record = { ...record, folders: folders.made };
    await writeRecord(ports.state, record, prepared);
    journal = { kind: 'apply', number, steps, folders: folders.removable, hold: prepared.hold };
    await writeJournal(ports.state, journal);
  } catch (error) {
    await quietly(async () => {
      // Whatever it says now: a crash from here on must not apply what is half forgotten.
      await writeJournal(ports.state, { kind: 'stage', number });
      await undoStage(ports, number);
    });
    throw error;
  }
  try {
    await applySteps(applyingOf(ports, layout, journal, objects), journal.steps, 'forwards', 'refuse');
  } catch (error) {
    await quietly(async () => {
      const undo: Changing = { ...journal, kind: 'undo' };
      await writeJournal(ports.state, undo);
      await resumeChanging(ports, layout, undo, objects);
    });
    throw error;
  }
  await finish(ports, journal);
  const written = journal.steps.filter((step) => step.new !== null).length;
  return { record, written, removed: journal.steps.length - written };
}

/** Goes on with what a journal says, in its direction; returns the paths that somebody else changed meanwhile. */
export async function resumeChanging(
  ports: Ports,
  layout: Layout,
  journal: Changing,
  objects: ObjectStore,
): Promise<readonly string[]> {
  const direction = journal.kind === 'apply' ? 'forwards' : 'backwards';
  const leftAlone = await applySteps(applyingOf(ports, layout, journal, objects), journal.steps, direction, 'leave');
  if (journal.kind === 'apply') await finish(ports, journal);
  else await undoStage(ports, journal.number);
  return leftAlone;
}

/** Forgets a publication of which nothing is live. */
export async function undoStage(ports: Ports, number: number): Promise<void> {
  await removeRecord(ports.state, number);
  await clearStaging(ports);
  await removeJournal(ports.state);
}

async function clearStaging({ state }: Ports): Promise<void> {
  await removeTree(state, STAGING);
}

async function finish(ports: Ports, { number, hold }: Changing): Promise<void> {
  await writeLiveNumber(ports.state, number);
  if (hold !== null) await writeHeld(ports.state, { publication: number, since: hold });
  await clearStaging(ports);
  await removeJournal(ports.state);
}

/** What must change, in the order in which it can: a file in the way of a folder, or spelt alike, goes before the writes. */
async function planSteps(ports: Ports, layout: Layout, { plan, owned }: Prepared): Promise<readonly Step[]> {
  const { web, original } = ports;
  const writes: Step[] = [];
  for (const { path, digest, length, before, from } of owned) {
    if (before?.digest === digest) continue;
    const newMode =
      from.kind === 'original' && original !== undefined ? await permissions(original, path) : DEFAULT_MODE;
    const oldMode = before === undefined ? DEFAULT_MODE : await permissions(web, within(layout.publicName, path));
    writes.push({ path, old: before ?? null, new: { length, digest }, oldMode, newMode });
  }
  const targets = indexOccupants(owned.map(({ path }) => ({ path, kind: 'file' as const })));
  const first: Step[] = [];
  const last: Step[] = [];
  for (const { path, before } of plan.removals) {
    const oldMode = await permissions(web, within(layout.publicName, path));
    const step: Step = { path, old: before, new: null, oldMode, newMode: DEFAULT_MODE };
    (targets.collidingWith(path).length > 0 ? first : last).push(step);
  }
  return [...first, ...writes, ...last];
}

/** Which folders the steps make, and which may go once they are empty. */
async function folderChanges(ports: Ports, layout: Layout, { plan, owned }: Prepared, steps: readonly Step[]) {
  const made = new Set(plan.folders);
  const checkedAlready = new Set<string>();
  const inTheWay = new Set<string>();
  const kindOf = async (path: string) => (await statHere(ports.web, within(layout.publicName, path)))?.kind;
  for (const step of steps) {
    if (step.new === null) continue;
    if (step.old === null && (await kindOf(step.path)) === 'folder') inTheWay.add(step.path);
    for (const folder of ancestors(step.path)) {
      if (checkedAlready.has(folder)) break;
      checkedAlready.add(folder);
      if ((await kindOf(folder)) !== 'folder') made.add(folder);
    }
  }
  const below = (await Promise.all([...inTheWay].map((folder) => foldersBelow(ports, layout, folder)))).flat();
  const needed = new Set(owned.flatMap(({ path }) => ancestors(path)));
  return { made: [...made].filter((folder) => needed.has(folder)).sort(), removable: [...made, ...inTheWay, ...below] };
}

async function foldersBelow(ports: Ports, layout: Layout, folder: string): Promise<readonly string[]> {
  const children = await ports.web.list(within(layout.publicName, folder));
  const found: string[] = [];
  for (const { name, kind } of children) {
    if (kind === 'folder')
      found.push(within(folder, name), ...(await foldersBelow(ports, layout, within(folder, name))));
  }
  return found;
}

/** @throws TIEUP_E_DRIFT with every file that is not what the plan was made for. */
async function assertUnchanged(
  ports: Ports,
  layout: Layout,
  steps: readonly Step[],
  removable: readonly string[],
): Promise<void> {
  const drifted: string[] = [];
  const folders = new Set(removable);
  for (const { path, old } of steps) {
    const place = within(layout.publicName, path);
    const now = await whatIsAt(ports.web, place);
    if (sameBytes(now, old)) continue;
    const emptied = old === null && folders.has(path) && (await statHere(ports.web, place))?.kind === 'folder';
    if (!emptied) drifted.push(path);
  }
  if (drifted.length > 0) throw driftError(drifted);
}

/**
 * Gathers in the state what neither way can do without: new originals (they may change again), old files that are no objects;
 * and all of it where whoever finishes this may have other objects.
 */
async function stageContent(ports: Ports, layout: Layout, steps: readonly Step[], objects: ObjectStore): Promise<void> {
  const { state, web, original, isShared } = ports;
  const staged = new Map<string, () => AsyncIterable<Uint8Array>>();
  const stage = ({ digest }: Bytes, content: () => AsyncIterable<Uint8Array>) => {
    const place = `${STAGING}/${digest}`;
    if (!staged.has(place)) staged.set(place, content);
  };
  const used: string[] = [];
  for (const { path, old, new: next } of steps) {
    for (const [bytes, live] of [
      [next, false],
      [old, true],
    ] as const) {
      if (bytes === null) continue;
      if (await objects.has(bytes.digest, bytes.length)) {
        used.push(bytes.digest);
        if (isShared === true) stage(bytes, () => objects.stream(bytes.digest, bytes.length));
      } else if (live) {
        const place = within(layout.publicName, path);
        stage(bytes, () => checked(web.stream(place, MAX_FILE_LENGTH), bytes, () => driftError([path])));
      } else if (original !== undefined) {
        stage(bytes, () => readOriginal(original, path, bytes));
      }
    }
  }
  await forEachFile([state, web], staged, ([place, content]) => state.write(place, content(), { durable: false }));
  await objects.flush(used);
  if (staged.size > 0) await state.sync([...staged.keys()]);
}

function applyingOf(ports: Ports, layout: Layout, { folders }: Changing, objects: ObjectStore): Applying {
  return {
    web: ports.web,
    base: layout.publicName,
    folders: new Set(folders),
    async content({ digest, length }) {
      if (await objects.has(digest, length)) return objects.stream(digest, length);
      const content = ports.state.stream(`${STAGING}/${digest}`, length);
      return checked(content, { digest, length }, () => damagedStaging(digest));
    },
  };
}

function damagedStaging(digest: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `what is kept to finish or undo a publication is damaged: ${digest}`, {
    hint: `run the command where the publication was begun; it has the content of its own`,
  });
}

/** On the way out of a failure: the journal stands, so that the next command goes on, and the first error matters more. */
async function quietly(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch {
    // See above.
  }
}
