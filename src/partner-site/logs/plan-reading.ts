/**
 * Decides what of the log files was not read yet, across rotation by rename, by copy and by date, compression, other names, other
 * patterns in tieup.yaml, crashes and reboots. A line is read once: a file goes on where the log that it begins with was left, and one
 * that holds nothing beyond what another one holds is a copy of it, and not read.
 *
 *   files → each of them once → untouched, copy, or read from where → what was being written must be among them → oldest first
 *
 * What was read stays known for long after it is gone: a server may write its last lines into a file that was renamed already, and an
 * old file must not be taken for a new one.
 */
import type { LogFile } from '../../io/log-files.ts';
import { FoundFile } from './found-file.ts';
import { isSameInode, type KnownFile } from './known-file.ts';
import { isCompressed, isUnreadable } from './log-content.ts';
import type { SourceState } from './log-state.ts';
import { knownOf, placeFiles, type Place, type Places } from './place-files.ts';
import { byAge, isClosed, isLiveName, withoutOtherNames, writtenLast } from './rotation.ts';

/** What a source names now. */
export interface SourceFiles {
  /** As in tieup.yaml. */
  readonly pattern: string;
  readonly files: readonly LogFile[];
}

export interface ReadingStep {
  readonly file: LogFile;
  /** What was read of it before, under whatever name; undefined for a new file. */
  readonly known: KnownFile | undefined;
  /** Nothing is written to it any more: a last line without an end is a line. */
  readonly isClosed: boolean;
}

/** A file that holds nothing but what `original` holds, or its beginning. */
export interface Copy {
  readonly found: FoundFile;
  readonly known: KnownFile | undefined;
  readonly original: LogFile;
}

export interface ReadingPlan {
  readonly pattern: string;
  /** What was known of the source at the last run, or of those whose files it has taken over. */
  readonly before: SourceState;
  /** Sources that are in tieup.yaml no more: other patterns for the same files. */
  readonly inherited: readonly SourceState[];
  /** Oldest first, the one that is written to last. */
  readonly steps: readonly ReadingStep[];
  /** Known, and nothing to be read of them. */
  readonly untouched: readonly KnownFile[];
  readonly copies: readonly Copy[];
  /** Compressed, and damaged or not complete: not read. */
  readonly damaged: readonly LogFile[];
  /** The file that is written to. */
  readonly current: LogFile | undefined;
  /** The file that was being written at the last run and is nowhere now: what was added to it since cannot be read. */
  readonly lost: KnownFile | undefined;
}

/**
 * Sources are planned together: a file may have moved from one to another.
 * @param before of the last run, of sources too that are in tieup.yaml no more
 * @throws TIEUP_E_STORAGE when a file that may hold unread lines is compressed in a way that tieup cannot read.
 */
export async function planReading(
  sources: readonly SourceFiles[],
  before: readonly SourceState[],
): Promise<readonly ReadingPlan[]> {
  const unused = before.filter(({ files }) => sources.every(({ pattern }) => pattern !== files));
  const shelves = sources.map(({ pattern, files }) => {
    const isMine = (each: SourceState) => each.files === pattern || unused.includes(each);
    return {
      pattern,
      files: withoutOtherNames(files),
      known: before.filter(isMine).flatMap(({ known }) => known),
      elsewhere: before.filter((each) => !isMine(each)).flatMap(({ known }) => known),
    };
  });
  const places = await placeFiles(shelves);
  const plans: ReadingPlan[] = [];
  for (const { pattern, files } of shelves) {
    const own = before.find((each) => each.files === pattern);
    const inherited = own === undefined ? unused.filter((each) => isContinuedBy(each, files, places)) : [];
    const states = own === undefined ? inherited : [own];
    const lost = await lostOf(states, files, places);
    plans.push({ ...planOf(files, places), pattern, before: together(pattern, states), inherited, lost });
  }
  return plans;
}

function planOf(
  files: readonly LogFile[],
  places: Places,
): Pick<ReadingPlan, 'steps' | 'untouched' | 'copies' | 'damaged' | 'current'> {
  const current = writtenLast(files);
  const isLast = (file: LogFile): number => Number(file === current);
  const plan = {
    steps: [] as ReadingStep[],
    untouched: [] as KnownFile[],
    copies: [] as Copy[],
    damaged: [] as LogFile[],
  };
  for (const file of files.toSorted((a, b) => isLast(a) - isLast(b) || byAge(a, b))) {
    const place = places.get(file);
    if (place?.kind === 'untouched') plan.untouched.push(place.now);
    if (place?.kind === 'copy') plan.copies.push(place);
    if (place?.kind === 'damaged') plan.damaged.push(file);
    if (place?.kind === 'read') {
      const { known } = place;
      plan.steps.push({ file, known, isClosed: isClosed(file, current, known) });
    }
  }
  return { ...plan, current };
}

function isContinuedBy({ known }: SourceState, files: readonly LogFile[], places: Places): boolean {
  const all = new Set(known);
  return files.some((file) => {
    const base = knownOf(places.get(file));
    return base !== undefined && all.has(base);
  });
}

function together(pattern: string, states: readonly SourceState[]): SourceState {
  const [only] = states;
  if (states.length === 1 && only !== undefined) return { ...only, files: pattern };
  return {
    files: pattern,
    known: states.flatMap(({ known }) => known),
    current: null,
    switchNumber: Math.max(0, ...states.map(({ switchNumber }) => switchNumber)),
  };
}

/** A file may have gone to another source, or may be there as a copy alone. */
async function lostOf(
  states: readonly SourceState[],
  files: readonly LogFile[],
  places: Places,
): Promise<KnownFile | undefined> {
  for (const state of states) {
    const last = currentOf(state);
    if (last !== undefined && !(await isThere(last, state, files, places))) return last;
  }
  return undefined;
}

/** What was being written at the last run. Older versions kept it last. */
function currentOf({ known, current }: SourceState): KnownFile | undefined {
  const last = current === undefined ? known.at(-1) : known[current ?? -1];
  // Nothing is added to what is compressed.
  return last === undefined || isCompressed(last.path) || isUnreadable(last.path) ? undefined : last;
}

async function isThere(
  last: KnownFile,
  { known }: SourceState,
  files: readonly LogFile[],
  places: Places,
): Promise<boolean> {
  for (const place of places.values()) if (knownOf(place) === last) return true;
  for (const [file, { kind }] of places) {
    const isLegible = kind === 'untouched' ? !isUnreadable(file.path) : kind === 'read' || kind === 'copy';
    const isCandidate = isLegible && (files.includes(file) || isSameInode(file, last));
    if (isCandidate && (await new FoundFile(file).continues(last))) return true;
  }
  // An empty file that was renamed and compressed is known by nothing: one of the new files must be it.
  if (last.offset === 0) return files.some((file) => isNew(file, places.get(file)));
  // Cut short when the copy was complete, and its last lines had been read in between.
  return known.some(({ copyOf }) => copyOf === last.tail.sha256);
}

function isNew(file: LogFile, place: Place | undefined): boolean {
  if (isLiveName(file.path)) return false;
  return place?.kind === 'damaged' || (place?.kind === 'read' && place.known === undefined);
}
