/** Finds out of every log file whether it was read before, and how far: by itself, then beside all the others. */
import type { LogFile } from '../../io/log-files.ts';
import { FoundFile } from './found-file.ts';
import { isSameInode, isUntouched, type KnownFile, stateOf } from './known-file.ts';
import { cannotRead, isCompressed, isUnreadable } from './log-content.ts';
import { byAge, byName, inodeOf, isBegunAfter, isClosed, isLiveName, writtenLast } from './rotation.ts';

/** What a file is. `known` is what was read of it before, or of the log that it begins with, furthest. */
export type Place =
  /** Nothing is to be read; `now` is what stays known of it. */
  | { readonly kind: 'untouched'; readonly known: KnownFile; readonly now: KnownFile }
  | { readonly kind: 'read'; readonly found: FoundFile; readonly known: KnownFile | undefined }
  | {
      readonly kind: 'copy';
      readonly found: FoundFile;
      readonly known: KnownFile | undefined;
      readonly original: LogFile;
    }
  | { readonly kind: 'damaged' }
  /** It is being compressed, and the plain file is complete. */
  | { readonly kind: 'twin' }
  | { readonly kind: 'unreadable' };

export type Places = ReadonlyMap<LogFile, Place>;

/** What was read before of what it is. */
export function knownOf(place: Place | undefined): KnownFile | undefined {
  return place !== undefined && 'known' in place ? place.known : undefined;
}

/** The files of a source, each of them once, and what they may be. */
export interface Shelf {
  readonly files: readonly LogFile[];
  /** Of the source, and of those that are in tieup.yaml no more. */
  readonly known: readonly KnownFile[];
  /** Of the other sources. A file may have moved, but is not known by its content: logs of two hosts may begin alike. */
  readonly elsewhere: readonly KnownFile[];
}

/**
 * @throws TIEUP_E_STORAGE when a file that may hold unread lines is compressed in a way that tieup cannot read.
 */
export async function placeFiles(shelves: readonly Shelf[]): Promise<Places> {
  const all = new Map<LogFile, Place>();
  for (const { files, known, elsewhere } of shelves) {
    const places = new Map<LogFile, Place>();
    const current = writtenLast(files);
    const named = new Map(files.map((file) => [file.path, file]));
    const inodes = new Map(files.map((file) => [inodeOf(file), file]));
    for (const file of files) {
      const mine = [...known, ...elsewhere.filter((each) => isSameInode(each, file))];
      places.set(file, untouched(file, current, mine) ?? (await lookInto(file, { named, inodes }, mine)));
    }
    await findCopies(places);
    findCompressed(places, known);
    for (const [file, place] of places) all.set(file, place);
  }
  return all;
}

function untouched(file: LogFile, current: LogFile | undefined, all: readonly KnownFile[]): Place | undefined {
  const known = all.find((each) => isUntouched(each, file));
  if (known === undefined) return undefined;
  if (!known.isWhole && isClosed(file, current, known)) return undefined;
  return { kind: 'untouched', known, now: { ...known, ...stateOf(file) } };
}

/** The files of a source by their paths, and by {@link inodeOf}. */
interface Index {
  readonly named: ReadonlyMap<string, LogFile>;
  readonly inodes: ReadonlyMap<string, LogFile>;
}

async function lookInto(file: LogFile, { named, inodes }: Index, known: readonly KnownFile[]): Promise<Place> {
  const isPacked = isCompressed(file.path) || isUnreadable(file.path);
  const twin = isPacked ? named.get(file.path.slice(0, file.path.lastIndexOf('.'))) : undefined;
  if (isUnreadable(file.path)) return { kind: twin === undefined ? 'unreadable' : 'twin' };
  const found = new FoundFile(file);
  if (!(await found.isDamaged())) return { kind: 'read', found, known: await furthest(found, known, inodes) };
  return { kind: twin !== undefined && (await found.mayBecome(new FoundFile(twin))) ? 'twin' : 'damaged' };
}

/**
 * Of all that the file begins with, what was read furthest. What was read of an older log that is still there was not read of this one,
 * which only begins as that does.
 */
async function furthest(
  found: FoundFile,
  known: readonly KnownFile[],
  inodes: Index['inodes'],
): Promise<KnownFile | undefined> {
  const isSame = (each: KnownFile): number => Number(isSameInode(each, found.file));
  for (const each of known.toSorted((a, b) => b.offset - a.offset || isSame(b) - isSame(a))) {
    if (!(await found.continues(each))) continue;
    const holder = inodes.get(inodeOf(each));
    if (holder === undefined || !isUntouched(each, holder) || !isBegunAfter(found.file, holder)) return each;
  }
  return undefined;
}

/** Of files of one beginning the longest is read, or the one that was read already. */
async function findCopies(places: Map<LogFile, Place>): Promise<void> {
  const settled: Original[] = [];
  const reads: Original[] = [];
  for (const [file, place] of places) {
    if (place.kind === 'read') reads.push({ file, found: place.found, size: await place.found.size() });
    if (place.kind === 'untouched' && isLegible(file, place.known)) {
      const size = isCompressed(file.path) ? place.known.offset : file.length;
      settled.push({ file, found: new FoundFile(file), size, known: place.known });
    }
  }
  const before = settled.toSorted(longestFirst);
  const now: Original[] = [];
  for (const each of reads.toSorted(longestFirst)) {
    const place = places.get(each.file);
    if (place?.kind !== 'read') continue;
    const alike = [...(await thoseWithAllOf(each, now)), ...(await thoseWithAllOf(each, before))];
    const [original] = alike.filter((other) => !areTwoLogs(each, other)).toSorted(longestFirst);
    if (original !== undefined) {
      places.set(each.file, { ...place, kind: 'copy', original: original.file });
      continue;
    }
    now.push(each);
    // What was read of the log before it was not read of this one.
    if (alike.some(({ file }) => knownOf(places.get(file)) === place.known)) {
      places.set(each.file, { ...place, known: undefined });
    }
  }
}

/**
 * True when rotation began one after the other, and `file` is no copy of `other` although it holds nothing that the other one does not:
 * the same may be asked for twice within the second that stands in a line. What has the older name may still be a copy: one that was broken
 * off when it is shorter, and one that is being made when the other is live.
 */
function areTwoLogs(file: Original, other: Original): boolean {
  if (isBegunAfter(file.file, other.file)) return true;
  const isComplete = isCompressed(file.file.path) || !isLiveName(other.file.path);
  return isComplete && file.size === other.size && isBegunAfter(other.file, file.file);
}

/** A compressed file of which nothing was read may be a damaged one. */
function isLegible({ path }: LogFile, known: KnownFile): boolean {
  return !isUnreadable(path) && (known.offset > 0 || !isCompressed(path));
}

interface Original {
  readonly file: LogFile;
  readonly found: FoundFile;
  readonly size: number;
  /** Undefined when it is read now. */
  readonly known?: KnownFile;
}

/** Of two alike the one with the newer name is the original, before all the one that a server writes to. */
function longestFirst(a: Original, b: Original): number {
  return b.size - a.size || byName(b.file, a.file) || byAge(b.file, a.file);
}

/** Those that begin with all that the file holds. */
async function thoseWithAllOf({ found }: Original, others: readonly Original[]): Promise<readonly Original[]> {
  const { length } = await found.first();
  const alike: Original[] = [];
  for (const each of others) {
    // Spares a look into a file of which enough is known.
    const { known } = each;
    const isOther = known !== undefined && known.head.length <= length && !(await found.beginsLike(known.head));
    if (!isOther && (await found.isBeginningOf(each.found))) alike.push(each);
  }
  return alike;
}

/** What cannot be unpacked was read when it has the time of a file that was read to its end and is there no more. */
function findCompressed(places: Map<LogFile, Place>, known: readonly KnownFile[]): void {
  const there = new Set<string>();
  const taken = new Set<KnownFile>();
  for (const [file, place] of places) {
    there.add(inodeOf(file));
    const before = knownOf(place);
    if (before !== undefined) taken.add(before);
  }
  for (const [file, { kind }] of places) {
    if (kind !== 'unreadable' && kind !== 'damaged') continue;
    const before = known.find(
      (each) => each.isWhole && !taken.has(each) && !there.has(inodeOf(each)) && isOfSameTime(each, file),
    );
    if (before !== undefined) {
      taken.add(before);
      places.set(file, { kind: 'untouched', known: before, now: { ...before, ...stateOf(file) } });
    } else if (kind === 'unreadable') throw cannotRead(file);
  }
}

/** Compression keeps the time of the last line, some programs only its whole second. */
function isOfSameTime(a: { readonly modifiedMs: number }, b: { readonly modifiedMs: number }): boolean {
  return Math.floor(a.modifiedMs / 1000) === Math.floor(b.modifiedMs / 1000);
}
