/**
 * Decides what of a source's log files was not read yet, across rotation by rename, by copy and by date, compression,
 * crashes and reboots. A line is read once: every file is either known, and read on, or new, and read from its start.
 *
 *   files → which known file each of them continues → the newest known one must be among them → oldest first
 *
 * Files that were read stay known as long as they are there: a server may write its last lines into a file that was renamed
 * already, and an old file must not be taken for a new one.
 */
import { basename } from 'node:path';
import { isTieupError, TieupError } from '../../errors.ts';
import type { LogFile } from '../../io/log-files.ts';
import { continues, isSameInode, isUntouched, type KnownFile, MARK } from './known-file.ts';
import { cannotRead, firstBytes, isCompressed, isUnreadable } from './log-content.ts';

export interface ReadingStep {
  readonly file: LogFile;
  /** What was read of it before; undefined for a new file. */
  readonly known: KnownFile | undefined;
  /** Nothing is written to it any more: a last line without an end is a line. */
  readonly isClosed: boolean;
}

export interface ReadingPlan {
  /** Oldest first. */
  readonly steps: readonly ReadingStep[];
  /** Known, and nothing to be read of them. */
  readonly untouched: readonly KnownFile[];
  /** The file that was being written at the last run and is nowhere now: what was added to it since cannot be read. */
  readonly lost: KnownFile | undefined;
}

/**
 * @param known of the last run, the one that was being written last
 * @throws TIEUP_E_STORAGE when a file that may hold unread lines is compressed in a way that tieup cannot read.
 */
export async function planReading(found: readonly LogFile[], known: readonly KnownFile[]): Promise<ReadingPlan> {
  const files = (await withoutTwins(found)).toSorted(byAge);
  const current = files.findLast(({ path }) => !isUnreadable(path));
  const free = new Set(known);
  const untouched: KnownFile[] = [];
  const steps: ReadingStep[] = [];
  const claim = (mine: KnownFile, file: LogFile) => {
    free.delete(mine);
    untouched.push({ ...mine, ...stateOf(file) });
  };
  const touched: LogFile[] = [];
  for (const file of files) {
    const same = known.find((each) => free.has(each) && isUntouched(each, file));
    if (same !== undefined && (same.isWhole || file === current)) claim(same, file);
    else touched.push(file);
  }
  for (const file of touched) {
    if (isUnreadable(file.path)) {
      const before = [...free].find((each) => each.isWhole && isOfSameTime(each, file));
      if (before === undefined) throw cannotRead(file);
      claim(before, file);
      continue;
    }
    const continued = await findContinued(file, free);
    if (continued !== undefined) free.delete(continued);
    steps.push({ file, known: continued, isClosed: file !== current || isCompressed(file.path) });
  }
  const last = known.at(-1);
  return { steps, untouched, lost: last !== undefined && free.has(last) && last.offset > 0 ? last : undefined };
}

/** A log that a server writes now: not compressed, and neither numbered nor dated by rotation. */
const LIVE_LOG = /^(?!.*\d{6})(?!.*\d{4}-\d{2}).*(?:\.log|[-_]log|^log)$/;

/**
 * The order of lines, and where a release went live among them, are known within one log only.
 * @throws TIEUP_E_CONFIG when the pattern of a source names logs that are written at the same time.
 */
export function assertOneLog(pattern: string, files: readonly LogFile[]): void {
  const live = files.map(({ path }) => basename(path)).filter((name) => LIVE_LOG.test(name));
  if (live.length < 2) return;
  const names = live.slice(0, 3).map((name) => JSON.stringify(name));
  throw new TieupError('TIEUP_E_CONFIG', `${JSON.stringify(pattern)} names ${live.length} logs: ${names.join(', ')}`, {
    hint: 'name each of them under logs.sources in tieup.yaml, with its rotated files: { files: /var/log/nginx/shop.log* }',
  });
}

/** While a file is being compressed it is there twice; the plain one is complete. */
async function withoutTwins(files: readonly LogFile[]): Promise<readonly LogFile[]> {
  const plain = new Map(files.map((file) => [file.path, file]));
  const kept: LogFile[] = [];
  for (const file of files) {
    const isPacked = isCompressed(file.path) || isUnreadable(file.path);
    const twin = isPacked ? plain.get(file.path.slice(0, file.path.lastIndexOf('.'))) : undefined;
    if (twin === undefined || !(await beginsLike(file, twin))) kept.push(file);
  }
  return kept;
}

/** Of one name are also files of before and after compression was switched on: they begin with other lines. */
async function beginsLike(packed: LogFile, plain: LogFile): Promise<boolean> {
  if (isUnreadable(packed.path)) return true;
  try {
    const first = await firstBytes(packed, MARK);
    return Buffer.compare(first, await plain.read(0, first.length)) === 0;
  } catch (error) {
    // Not complete yet.
    if (isTieupError(error, 'TIEUP_E_STORAGE')) return true;
    throw error;
  }
}

/** The one with the same inode first: it is found at once. Of an empty file nothing but the inode is known. */
async function findContinued(file: LogFile, free: ReadonlySet<KnownFile>): Promise<KnownFile | undefined> {
  const candidates = [...free].toSorted((a, b) => Number(isSameInode(b, file)) - Number(isSameInode(a, file)));
  for (const candidate of candidates) {
    if (candidate.offset === 0 ? isSameInode(candidate, file) : await continues(file, candidate)) return candidate;
  }
  return undefined;
}

function stateOf({
  path,
  device,
  inode,
  length,
  modifiedMs,
}: LogFile): Omit<KnownFile, 'offset' | 'isWhole' | 'head' | 'tail'> {
  return { path, device, inode, length, modifiedMs };
}

/** Compression keeps the time of the last line, some programs only its whole second. */
function isOfSameTime(a: { readonly modifiedMs: number }, b: { readonly modifiedMs: number }): boolean {
  return Math.floor(a.modifiedMs / 1000) === Math.floor(b.modifiedMs / 1000);
}

/** By the time of the last line. Where times say nothing, as after a copy, names do. */
function byAge(a: LogFile, b: LogFile): number {
  return a.modifiedMs - b.modifiedMs || byRotation(basename(a.path), basename(b.path));
}

/** `access.log-20260101` before `access.log-20260102`; `access.log.2` before `access.log.1` before `access.log`. */
function byRotation(a: string, b: string): number {
  const [dateA, dateB] = [dateIn(a), dateIn(b)];
  if (dateA !== undefined && dateB !== undefined) return dateA < dateB ? -1 : Number(dateA > dateB);
  return numberIn(b) - numberIn(a) || (a < b ? -1 : Number(a > b));
}

function dateIn(name: string): string | undefined {
  return /\d{4}-?\d{2}-?\d{2}(?:[-_T]?\d{2,6})?/.exec(name)?.[0].replace(/\D/g, '');
}

function numberIn(name: string): number {
  return Number(/\.(\d{1,5})(?:\.\w+)?$/.exec(name)?.[1] ?? -1);
}
