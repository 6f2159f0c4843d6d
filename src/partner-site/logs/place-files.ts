/** Finds out of every log file whether it was read before, and how far: by itself, then beside all the others. */
import type { LogFile } from '../../io/log-files.ts';
import { FoundFile } from './found-file.ts';
import { isSameInode, isUntouched, type KnownFile, stateOf } from './known-file.ts';
import { cannotRead, isCompressed, isUnreadable } from './log-content.ts';
import { byAge, inodeOf, isClosed, isLiveName, writtenLast } from './rotation.ts';

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
    for (const file of files) {
      const mine = [...known, ...elsewhere.filter((each) => isSameInode(each, file))];
      places.set(file, untouched(file, current, mine) ?? (await lookInto(file, named, mine)));
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

async function lookInto(
  file: LogFile,
  named: ReadonlyMap<string, LogFile>,
  known: readonly KnownFile[],
): Promise<Place> {
  const isPacked = isCompressed(file.path) || isUnreadable(file.path);
  const twin = isPacked ? named.get(file.path.slice(0, file.path.lastIndexOf('.'))) : undefined;
  if (isUnreadable(file.path)) return { kind: twin === undefined ? 'unreadable' : 'twin' };
  const found = new FoundFile(file);
  if (!(await found.isDamaged())) return { kind: 'read', found, known: await furthest(found, known) };
  return { kind: twin !== undefined && (await found.mayBecome(new FoundFile(twin))) ? 'twin' : 'damaged' };
}

/** Of all that the file begins with, what was read furthest. */
async function furthest(found: FoundFile, known: readonly KnownFile[]): Promise<KnownFile | undefined> {
  const isSame = (each: KnownFile): number => Number(isSameInode(each, found.file));
  for (const each of known.toSorted((a, b) => b.offset - a.offset || isSame(b) - isSame(a))) {
    if (await found.continues(each)) return each;
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
    const originals = [await originalAmong(now, each), await originalAmong(before, each)];
    const [original] = originals.filter((one) => one !== undefined).toSorted(longestFirst);
    if (original === undefined) now.push(each);
    else places.set(each.file, { ...place, kind: 'copy', original: original.file });
  }
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

/** Of two alike the one that a server writes to is the original. */
function longestFirst(a: Original, b: Original): number {
  const live = ({ file }: Original): number => Number(isLiveName(file.path));
  return b.size - a.size || live(b) - live(a) || byAge(b.file, a.file);
}

async function originalAmong(originals: readonly Original[], { found }: Original): Promise<Original | undefined> {
  const { length } = await found.first();
  for (const each of originals) {
    // Spares a look into a file of which enough is known.
    const { known } = each;
    const isOther = known !== undefined && known.head.length <= length && !(await found.beginsLike(known.head));
    if (!isOther && (await found.isBeginningOf(each.found))) return each;
  }
  return undefined;
}

/** What cannot be unpacked was read when it has the time of a file that was read to its end and is there no more. */
function findCompressed(places: Map<LogFile, Place>, known: readonly KnownFile[]): void {
  const there = new Set<string>();
  const taken = new Set<KnownFile>();
  for (const [file, place] of places) {
    there.add(inodeOf(file));
    if ('known' in place && place.known !== undefined) taken.add(place.known);
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
