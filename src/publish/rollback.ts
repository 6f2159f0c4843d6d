/**
 * Going back to an earlier publication, and staying there until `resume`.
 *
 * Its tie-up files are those of that time, by the digests in its ledger; original pages and whatever else is the partner's are as
 * they are now. In link mode the old tree may be just that, byte for byte: then one switch is all. Otherwise (and in overwrite
 * mode) the files are published again from their objects.
 */
import { isTieupError, TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { type Choices, NO_CHOICES } from '../merge/choices.ts';
import { conflictError } from '../merge/conflict.ts';
import type { Ledger } from '../merge/ledger.ts';
import type { TieUpFile } from '../merge/merge-input.ts';
import { type Bytes, type MergePlan, planMerge } from '../merge/plan.ts';
import { sha256 } from '../protocol/digest.ts';
import { instant } from '../protocol/instant.ts';
import { renderSums } from '../protocol/sums.ts';
import { compareTree, NO_TREE, type StandingTree } from './compare-tree.ts';
import { readJournal, writeJournal } from './journal.ts';
import { switchLink } from './link.ts';
import { objectsOf, type ObjectStore } from './objects.ts';
import { type Layout, type Ports, treePathOf, within } from './ports.ts';
import type { Publication } from './publication.ts';
import { carryOut, unfinished } from './publish.ts';
import { publicationNumbers, type PublicationRecord, readLedger, readRecord } from './records.ts';
import { survey } from './survey.ts';

export interface RollbackInfo {
  readonly decisionDigest: string | null;
  readonly now: Date;
  /** What the manager chose about single paths; they count where pages are published again. */
  readonly choices?: Choices;
}

export interface Restored extends Publication {
  /** Files of the old tree that somebody changed or removed since; they were not shown again as they are. */
  readonly altered: readonly string[];
}

/**
 * Makes the tie-up files of publication `number` live again and holds them; as publication `number`, or as a new one that restores it.
 * @throws TIEUP_E_NOT_FOUND when there was no such publication or its files are no longer kept; TIEUP_E_VERIFY when its
 * ledger is not what was published; else as `publish`.
 */
export async function rollbackTo(ports: Ports, layout: Layout, number: number, info: RollbackInfo): Promise<Restored> {
  const { record, plan, tree } = await prepareRollback(ports, layout, number, info.choices);
  const { altered } = tree;
  if (!tree.asPlanned) return { ...(await publishAgain(ports, layout, { record, plan }, info)), altered };
  const hold = instant(info.now);
  await writeJournal(ports.state, { kind: 'switch', number, hold });
  await switchLink(ports, layout, number, hold);
  return { record, written: 0, removed: 0, changed: true, unpruned: [], altered };
}

export interface PreparedRollback {
  readonly record: PublicationRecord;
  readonly plan: MergePlan;
  readonly tree: StandingTree;
}

/** Finds out whether a rollback is possible, so that nobody decides on one that is not. Changes nothing live. @throws like {@link rollbackTo}. */
export async function prepareRollback(
  ports: Ports,
  layout: Layout,
  number: number,
  choices: Choices = NO_CHOICES,
): Promise<PreparedRollback> {
  const record = await readRecord(ports.state, number);
  if (record === undefined) throw await unknownPublication(ports, number);
  if ((await readJournal(ports.state)) !== undefined) throw unfinished();
  const ledger = await ledgerOf(ports, record);
  const files = await tieUpFilesOf(ports, layout, record, ledger);
  const { plan, live } = await planAgain(ports, layoutThen(layout, record), files, choices);
  if (plan.conflicts.length > 0) throw conflictError(plan.conflicts);
  const tree = layout.how === 'link' ? await compareTree(ports.web, layout, { number, ledger, plan, live }) : NO_TREE;
  return { record, plan, tree };
}

/** The mount may have moved since. */
function layoutThen(layout: Layout, { mount }: PublicationRecord): Layout {
  return { ...layout, mount };
}

async function planAgain(ports: Ports, layout: Layout, files: readonly TieUpFile[], { paths }: Choices) {
  const found = await survey(ports, layout, { files });
  // Names are those of that time already; what is to be kept still is.
  const choices: Choices = {
    withheld: [],
    paths: Object.fromEntries(Object.entries(paths).filter(([, choice]) => typeof choice === 'string')),
  };
  return { plan: planMerge({ ...found, release: { files }, slots: [], choices }), live: found.publication };
}

async function publishAgain(
  ports: Ports,
  layout: Layout,
  { record, plan }: { readonly record: PublicationRecord; readonly plan: MergePlan },
  info: RollbackInfo,
): Promise<Publication> {
  return carryOut(
    ports,
    layoutThen(layout, record),
    // Its files are all of the release to this plan; which of them belong to the one before, the record knows.
    { ...plan, earlier: record.earlier.filter((path) => plan.entries.some((entry) => entry.path === path)) },
    {
      release: record.release === null ? null : { number: record.release.number },
      releaseDigest: record.release?.digest ?? null,
      decisionDigest: info.decisionDigest,
      now: info.now,
    },
    { restores: record.number, hold: true },
  );
}

/** Which files a publication had. @throws TIEUP_E_VERIFY when its ledger is lost or not the one that was published. */
async function ledgerOf({ state }: Ports, { number, sums }: PublicationRecord): Promise<Ledger> {
  const ledger = await readLedger(state, number);
  if (sha256(renderSums([...ledger.entries.values()])) === sums) return ledger;
  throw new TieupError('TIEUP_E_VERIFY', `the ledger of publication ${number} is lost or was changed`, {
    hint: 'choose another publication (tieup history), or restore the state folder from a backup',
  });
}

/** The tie-up files of a publication, slots filled as they were then. An object that is gone is taken from the tree, if it is there. */
async function tieUpFilesOf(
  ports: Ports,
  layout: Layout,
  record: PublicationRecord,
  { entries }: Ledger,
): Promise<readonly TieUpFile[]> {
  const objects = objectsOf(ports);
  const redirects = new Set(record.redirects);
  const files: TieUpFile[] = [];
  const missing: string[] = [];
  for (const { path, length, digest, release } of entries.values()) {
    if (release === 0) continue;
    const place = within(treePathOf(layout, record.number), path);
    if (!(await objects.has(digest, length)) && !(await takeBack(objects, ports.web, place, { digest, length })))
      missing.push(path);
    files.push({ path, length, digest, since: release, ...(redirects.has(path) ? {} : { page: { slots: [] } }) });
  }
  await objects.flush();
  if (missing.length === 0) return files;
  throw new TieupError('TIEUP_E_NOT_FOUND', `the files of publication ${record.number} are no longer kept`, {
    problems: missing.map((file) => ({ message: 'its content is gone', file })),
    hint: 'choose a later publication; keep in tieup.yaml says for how many releases they are kept',
  });
}

/** True when the file at `path` has these bytes still; they are then in the store. */
async function takeBack(
  objects: ObjectStore,
  web: FileTree,
  path: string,
  { digest, length }: Bytes,
): Promise<boolean> {
  try {
    await objects.add(digest, length, web.stream(path, length));
    return true;
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_NOT_FOUND', 'TIEUP_E_VERIFY', 'TIEUP_E_UNSAFE_PATH', 'TIEUP_E_TOO_LARGE'))
      return false;
    throw error;
  }
}

async function unknownPublication({ state }: Ports, number: number): Promise<TieupError> {
  const numbers = await publicationNumbers(state);
  const known = numbers.length === 0 ? 'there is none yet' : `there are ${numbers.slice(-10).join(', ')}`;
  return new TieupError('TIEUP_E_NOT_FOUND', `there is no publication ${number}`, { hint: known });
}
