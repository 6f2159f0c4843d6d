/** What the names of log files say: which one a server writes, and which of two is the older one. Pure. */
import { basename } from 'node:path';
import { TieupError } from '../../errors.ts';
import type { LogFile } from '../../io/log-files.ts';
import { isUntouched, type KnownFile } from './known-file.ts';
import { isCompressed, isUnreadable } from './log-content.ts';

type Named = Pick<LogFile, 'path' | 'modifiedMs'>;

/** A log that a server writes now: not compressed, and neither numbered nor dated by rotation. */
const LIVE_LOG = /^(?!.*\d{6})(?!.*\d{4}-\d{2}).*(?:\.log|[-_]log|^log)$/;

export function isLiveName(path: string): boolean {
  return LIVE_LOG.test(basename(path));
}

/**
 * The order of lines, and where a release went live among them, are known within one log only.
 * @throws TIEUP_E_CONFIG when the pattern of a source names logs that are written at the same time.
 */
export function assertOneLog(pattern: string, files: readonly LogFile[]): void {
  const live = withoutOtherNames(files)
    .map(({ path }) => basename(path))
    .filter((name) => LIVE_LOG.test(name));
  if (live.length < 2) return;
  const names = live.slice(0, 3).map((name) => JSON.stringify(name));
  throw new TieupError('TIEUP_E_CONFIG', `${JSON.stringify(pattern)} names ${live.length} logs: ${names.join(', ')}`, {
    hint: 'name each of them under logs.sources in tieup.yaml, with its rotated files: { files: /var/log/nginx/shop.log* }',
  });
}

/**
 * One file is one file under however many names: a hard link, a symbolic link, or a name that rotation gave it between two looks.
 * The name that a server writes to goes before the others.
 */
export function withoutOtherNames(files: readonly LogFile[]): readonly LogFile[] {
  const byInode = new Map<string, LogFile>();
  for (const file of files) {
    const inode = inodeOf(file);
    const other = byInode.get(inode);
    if (other === undefined || (isLiveName(file.path) && !isLiveName(other.path))) byInode.set(inode, file);
  }
  return [...byInode.values()];
}

export function inodeOf({ device, inode }: Pick<LogFile, 'device' | 'inode'>): string {
  return `${device}:${inode}`;
}

/**
 * The file that a server writes to, or wrote to last; undefined when all are compressed. The time of the last line alone does not tell:
 * an old worker of Apache still writes into the renamed file when the new ones have begun the next.
 */
export function writtenLast<File extends Named>(files: readonly File[]): File | undefined {
  const plain = files.filter(({ path }) => !isCompressed(path) && !isUnreadable(path));
  let last = plain[0];
  for (const file of plain) if (last !== undefined && isWrittenAfter(file, last)) last = file;
  return last;
}

/**
 * True when nothing is written to a file any more: it has an older name than the one that is written to, and was the same at the last run.
 * @param known of the last run
 */
export function isClosed(file: LogFile, current: LogFile | undefined, known: KnownFile | undefined): boolean {
  if (isCompressed(file.path)) return true;
  return file !== current && !isLiveName(file.path) && known !== undefined && isUntouched(known, file);
}

function isWrittenAfter(a: Named, b: Named): boolean {
  const order = byName(a, b);
  return order === 0 ? byAge(a, b) > 0 : order > 0;
}

/**
 * True when the names of two files and their times say alike that rotation began `a` when `b` was done with. A copy that rotation makes has an
 * older name than its original instead, and no earlier time unless the original has grown since.
 */
export function isBegunAfter(a: Named, b: Named): boolean {
  return isOfRotation(a) && isOfRotation(b) && byName(a, b) > 0 && a.modifiedMs > b.modifiedMs;
}

/** Above 0 when `a` has the name of a newer log; 0 when the names do not tell. */
export function byName(a: Named, b: Named): number {
  const live = Number(isLiveName(a.path)) - Number(isLiveName(b.path));
  if (live !== 0) return live;
  const [nameA, nameB] = [basename(a.path), basename(b.path)];
  const [dateA, dateB] = [dateIn(nameA), dateIn(nameB)];
  if (dateA === undefined && dateB === undefined) return numberIn(nameB) - numberIn(nameA);
  if (dateA === undefined || dateB === undefined || dateA === dateB) return 0;
  return dateA > dateB ? 1 : -1;
}

/** Of a name like `access.log.bak` nobody knows when it came. */
function isOfRotation({ path }: Named): boolean {
  const name = basename(path);
  return isLiveName(path) || dateIn(name) !== undefined || numberIn(name) >= 0;
}

/** By the time of the last line. Where times say nothing, as after a copy, names do. */
export function byAge(a: Named, b: Named): number {
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
