/**
 * Going back to an earlier publication, and staying there until `resume`.
 *
 * In link mode the old tree still stands: one switch. In overwrite mode (and when the tree is gone) the tie-up files of that
 * time are published again from their objects, beside the original pages as they are now.
 */
import { TieupError } from '../errors.ts';
import { type Choices, NO_CHOICES } from '../merge/choices.ts';
import { conflictError } from '../merge/conflict.ts';
import type { TieUpFile } from '../merge/merge-input.ts';
import { type MergePlan, planMerge } from '../merge/plan.ts';
import { instant } from '../protocol/instant.ts';
import { readJournal, writeJournal } from './journal.ts';
import { switchLink } from './link.ts';
import { objectStore } from './objects.ts';
import { type Layout, type Ports, treePathOf } from './ports.ts';
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

/**
 * Makes publication `number` live again and holds it.
 * @throws TIEUP_E_NOT_FOUND when there was no such publication or its files are no longer kept; else as `publish`.
 */
export async function rollbackTo(
  ports: Ports,
  layout: Layout,
  number: number,
  info: RollbackInfo,
): Promise<Publication> {
  const { record, plan } = await prepareRollback(ports, layout, number, info.choices);
  if (plan !== undefined) return publishAgain(ports, layout, { record, plan }, info);
  const hold = instant(info.now);
  await writeJournal(ports.state, { kind: 'switch', number, hold });
  await switchLink(ports, layout, number, hold);
  return { record, written: 0, removed: 0, changed: true, unpruned: [] };
}

export interface PreparedRollback {
  readonly record: PublicationRecord;
  /** What is to be published again; undefined when the tree of that time still stands. */
  readonly plan: MergePlan | undefined;
}

/** Finds out whether a rollback is possible, so that nobody decides on one that is not. Changes nothing. @throws like {@link rollbackTo}. */
export async function prepareRollback(
  ports: Ports,
  layout: Layout,
  number: number,
  choices: Choices = NO_CHOICES,
): Promise<PreparedRollback> {
  const record = await readRecord(ports.state, number);
  if (record === undefined) throw await unknownPublication(ports, number);
  if ((await readJournal(ports.state)) !== undefined) throw unfinished();
  const treeStands = layout.how === 'link' && (await ports.web.stat(treePathOf(layout, number)))?.kind === 'folder';
  if (treeStands) return { record, plan: undefined };
  const plan = await planAgain(ports, layout, record, choices);
  if (plan.conflicts.length > 0) throw conflictError(plan.conflicts);
  return { record, plan };
}

async function planAgain(
  ports: Ports,
  layout: Layout,
  record: PublicationRecord,
  { paths }: Choices,
): Promise<MergePlan> {
  const files = await tieUpFilesOf(ports, record);
  const found = await survey(ports, layout, { files });
  // Names are those of that time already; what is to be kept still is.
  const choices: Choices = {
    withheld: [],
    paths: Object.fromEntries(Object.entries(paths).filter(([, choice]) => typeof choice === 'string')),
  };
  return planMerge({ ...found, release: { files }, slots: [], choices });
}

async function publishAgain(
  ports: Ports,
  layout: Layout,
  { record, plan }: { readonly record: PublicationRecord; readonly plan: MergePlan },
  info: RollbackInfo,
): Promise<Publication> {
  return carryOut(
    ports,
    layout,
    plan,
    {
      release: record.release === null ? null : { number: record.release.number },
      releaseDigest: record.release?.digest ?? null,
      decisionDigest: info.decisionDigest,
      now: info.now,
    },
    { restores: record.number, hold: true },
  );
}

/** The tie-up files of a publication, slots filled as they were then. */
async function tieUpFilesOf(ports: Ports, record: PublicationRecord): Promise<readonly TieUpFile[]> {
  const objects = objectStore(ports.state);
  const redirects = new Set(record.redirects);
  const files: TieUpFile[] = [];
  const missing: string[] = [];
  for (const { path, length, digest, release } of (await readLedger(ports.state, record.number)).entries.values()) {
    if (release === 0) continue;
    if (!(await objects.has(digest, length))) missing.push(path);
    files.push({ path, length, digest, since: release, ...(redirects.has(path) ? {} : { page: { slots: [] } }) });
  }
  if (missing.length === 0) return files;
  throw new TieupError('TIEUP_E_NOT_FOUND', `the files of publication ${record.number} are no longer kept`, {
    problems: missing.map((file) => ({ message: 'its content is gone', file })),
    hint: 'choose a later publication; keep in tieup.yaml says how many are kept',
  });
}

async function unknownPublication({ state }: Ports, number: number): Promise<TieupError> {
  const numbers = await publicationNumbers(state);
  const known = numbers.length === 0 ? 'there is none yet' : `there are ${numbers.slice(-10).join(', ')}`;
  return new TieupError('TIEUP_E_NOT_FOUND', `there is no publication ${number}`, { hint: known });
}
