/**
 * The merge: tie-up release + original pages + slot contents → what the published tree shall consist of. A pure decision.
 *
 * tieup changes and deletes only what the ledger says is its own and what still has the bytes the ledger says. Everything else
 * that stands in the way is a conflict; all of them are found before anything is done, and each one needs a choice.
 */
import { TieupError } from '../errors.ts';
import { byteOrder } from '../protocol/byte-order.ts';
import { sha256 } from '../protocol/digest.ts';
import { pathFault } from '../protocol/names.ts';
import type { PageCounts } from '../protocol/receipt.ts';
import { choiceFor, renderMerge, type SharedFile } from './choices.ts';
import type { Conflict } from './conflict.ts';
import {
  drifted,
  driftConflict,
  isKept,
  originalConflict,
  originalsConflict,
  sharedConflicts,
  tieUpConflicts,
} from './find-conflicts.ts';
import { isHtml } from './file-nature.ts';
import type { LiveFile, MergeInput, OriginalFile } from './merge-input.ts';
import { ancestors, indexOccupants, type Occupant } from './occupants.ts';
import type { Splice } from './splice.ts';
import { chooseWanted, type LeftOut, type SlotUse, type WantedFile } from './wanted.ts';

export type EntrySource =
  /** An object of the release, its slots filled. */
  | { readonly kind: 'object'; readonly digest: string; readonly length: number; readonly splices: readonly Splice[] }
  /** A copy of the file at the same path in the original folder. */
  | { readonly kind: 'original' }
  /** The partner's own file (or link) in the live tree, which moves along to the next tree (link mode alone). */
  | { readonly kind: 'live'; readonly link: boolean };

export interface MergeEntry {
  /** From the web root. */
  readonly path: string;
  /** Bytes. */
  readonly length: number;
  /** SHA-256; undefined until the slots are filled, and for what is not tieup's. */
  readonly digest: string | undefined;
  /** For the ledger: the release in which the bytes first stood here; 0 for what comes from the partner. */
  readonly release: number;
  readonly from: EntrySource;
  /** What stood there when the plan was made; undefined when nothing did. */
  readonly before: Bytes | undefined;
}

export interface Bytes {
  readonly length: number;
  /** SHA-256, lower-case hex. */
  readonly digest: string;
}

export interface Removal {
  readonly path: string;
  /** True for a copy of an original page, false for a tie-up file. */
  readonly original: boolean;
  /** What stood there when the plan was made. */
  readonly before: Bytes;
}

export interface MergePlan {
  /** Sorted by path in byte order. */
  readonly entries: readonly MergeEntry[];
  /** Files of tieup's own that go, sorted likewise. */
  readonly removals: readonly Removal[];
  /** All of them; a plan with conflicts cannot be published. */
  readonly conflicts: readonly Conflict[];
  readonly leftOut: readonly LeftOut[];
  readonly fallbacks: readonly SlotUse[];
  readonly unusedSlots: readonly SlotUse[];
  /** Originals which the manager let tie-up pages replace; they stay in the original folder. */
  readonly replaced: readonly string[];
  /** Files under the mount in the live tree that are neither tieup's nor in the original folder. */
  readonly foreign: readonly string[];
  /** Files of type HTML in the published tree: pages of the release, and all others; redirects count as neither. */
  readonly counts: PageCounts;
  /** Redirects of the release, by their published paths: HTML files which are no pages. */
  readonly redirects: readonly string[];
  /** Files of the release before that stay for those who still have a page of it; see earlier-assets.ts. */
  readonly earlier: readonly string[];
  /** For the line `merge` of the decision; see choices.ts. */
  readonly mergeDigest: string;
  /** The text with that digest. */
  readonly mergeText: string;
  /** Folders of the live tree which tieup made; they go when they are empty. */
  readonly folders: readonly string[];
}

/** @throws TIEUP_E_UNSAFE_PATH when the release has a path that can never be published; a verified one has none. */
export function planMerge(input: MergeInput): MergePlan {
  refuseUnsafePaths(input);
  const wanted = chooseWanted(input);
  const originals = input.originals === 'in-place' ? [] : input.originals;
  const owned = ownedFiles(input, originals);
  const live = indexOccupants(partnersOwn(input, owned));
  const files = wanted.files.filter(({ path, file }) => path === file.path || !isKept(input, path));
  const lost = wanted.files.filter((each) => !files.includes(each));

  const conflicts: Conflict[] = [...wanted.conflicts];
  const replaced = new Set<string>();
  const originalIndex = indexOccupants(originals);
  for (const each of files) {
    const colliding = originalIndex.collidingWith(each.path);
    if (choiceFor(input.choices, each.file.path) === 'take-theirs')
      for (const { path } of colliding) replaced.add(path);
    else conflicts.push(...originalsConflict(each, colliding));
    conflicts.push(...tieUpConflicts(input, each, live.collidingWith(each.path)));
  }
  const copies: OriginalFile[] = [];
  for (const original of originals) {
    if (replaced.has(original.path)) continue;
    const colliding = live.collidingWith(original.path);
    if (colliding.length > 0 && choiceFor(input.choices, original.path) === 'keep-mine') continue;
    const conflict = originalConflict(original, colliding);
    if (conflict === undefined) copies.push(original);
    else conflicts.push(conflict);
  }
  const shared = input.shared ?? [];
  for (const file of shared) {
    const tieUp = indexOccupants(files.map(({ path }): Occupant => ({ path, kind: 'file' })));
    const colliding = [tieUp, originalIndex, live].flatMap((each) => each.collidingWith(file.path));
    conflicts.push(...sharedConflicts(file.path, colliding));
  }
  const entries: MergeEntry[] = [
    ...shared.map((each) => sharedEntry(input, each)),
    ...files.map((each) => tieUpEntry(input, each)),
    ...copies.map((each) => originalEntry(input, each)),
  ];
  const earlier = earlierEntries(input, entries);
  entries.push(...earlier);
  if (input.how === 'link') entries.push(...carriedEntries(input, owned, new Set(entries.map(({ path }) => path))));
  entries.sort((a, b) => byteOrder(a.path, b.path));

  const outputs = new Map(entries.map((entry) => [entry.path, entry]));
  for (const path of owned) {
    const output = outputs.get(path);
    if (drifted(input, path) && (output === undefined || output.digest !== input.live.get(path)?.digest)) {
      conflicts.push(...driftConflict(input, path, output?.from.kind === 'object'));
    }
  }
  if (input.how === 'link') conflicts.push(...notCarried(input));
  const mergeText = renderMerge(input.choices, wanted.usedSlots, input.shared);
  const own = partnersOwn(input, owned).filter(({ kind }) => kind !== 'folder');
  return {
    entries,
    removals: [...owned]
      .filter((path) => !outputs.has(path))
      .sort(byteOrder)
      .flatMap((path) => removal(input, path)),
    conflicts: conflicts.sort((a, b) => byteOrder(a.path, b.path)),
    leftOut: [...wanted.leftOut, ...lost.map(({ file }): LeftOut => ({ path: file.path, reason: 'kept-mine' }))],
    fallbacks: wanted.fallbacks,
    unusedSlots: wanted.unusedSlots,
    replaced: [...replaced].sort(byteOrder),
    foreign: own
      .map(({ path }) => path)
      .filter((path) => path.startsWith(input.mount.slice(1)))
      .sort(byteOrder),
    counts: {
      tieUp: files.filter(({ path, file }) => isHtml(path) && file.page !== undefined).length,
      original: [...copies, ...own].filter(({ path }) => isHtml(path)).length,
    },
    redirects: files.filter(({ path, file }) => isHtml(path) && file.page === undefined).map(({ path }) => path),
    earlier: earlier.map(({ path }) => path),
    mergeDigest: sha256(mergeText),
    mergeText,
    folders: [...input.folders].sort(byteOrder),
  };
}

/**
 * Live files that tieup may change: those of the ledger which are files still and which the manager did not keep, and live
 * files with the very bytes of the original at their path (a copy by hand is as good as one of ours).
 */
function ownedFiles(input: MergeInput, originals: readonly OriginalFile[]): ReadonlySet<string> {
  const owned = new Set<string>();
  for (const path of input.ledger.entries.keys()) {
    if (input.live.get(path)?.kind === 'file' && !(drifted(input, path) && isKept(input, path))) owned.add(path);
  }
  for (const { path, kind, digest } of originals) {
    const live = input.live.get(path);
    if (kind === 'file' && live?.kind === 'file' && digest !== undefined && live.digest === digest) owned.add(path);
  }
  return owned;
}

function partnersOwn(input: MergeInput, owned: ReadonlySet<string>): Occupant[] {
  const holdOurs = new Set([...owned].flatMap(ancestors));
  const found: Occupant[] = [];
  for (const [path, { kind }] of input.live) {
    if (owned.has(path)) continue;
    if (kind === 'folder' && (holdOurs.has(path) || input.folders.has(path) || input.how === 'link')) continue;
    found.push({ path, kind });
  }
  return found;
}

function tieUpEntry(input: MergeInput, { path, file, splices, length }: WantedFile): MergeEntry {
  return {
    path,
    length,
    digest: splices.length === 0 ? file.digest : undefined,
    release: file.since,
    from: { kind: 'object', digest: file.digest, length: file.length, splices },
    before: before(input.live.get(path)),
  };
}

/** Only what is as it was published, and in nobody's way. */
function earlierEntries(input: MergeInput, entries: readonly MergeEntry[]): MergeEntry[] {
  if (input.earlier === undefined || input.earlier.length === 0) return [];
  const taken = indexOccupants(entries.map(({ path }): Occupant => ({ path, kind: 'file' })));
  return input.earlier.flatMap(({ path, length, digest, release }): MergeEntry[] => {
    const found = before(input.live.get(path));
    if (found?.digest !== digest || taken.collidingWith(path).length > 0) return [];
    return [{ path, length, digest, release, from: { kind: 'object', digest, length, splices: [] }, before: found }];
  });
}

/** Nobody's page, and in no release: hits on it are the partner's own. */
function sharedEntry(input: MergeInput, { path, length, digest }: SharedFile): MergeEntry {
  const from = { kind: 'object', digest, length, splices: [] } as const;
  return { path, length, digest, release: 0, from, before: before(input.live.get(path)) };
}

function originalEntry(input: MergeInput, { path, length, digest }: OriginalFile): MergeEntry {
  return { path, length, digest, release: 0, from: { kind: 'original' }, before: before(input.live.get(path)) };
}

/** A new tree would lose what the partner put into the old one by hand; so it moves along. */
function carriedEntries(input: MergeInput, owned: ReadonlySet<string>, taken: ReadonlySet<string>): MergeEntry[] {
  const found: MergeEntry[] = [];
  for (const [path, { kind, length }] of input.live) {
    if (owned.has(path) || taken.has(path) || (kind !== 'file' && kind !== 'link')) continue;
    const from = { kind: 'live', link: kind === 'link' } as const;
    found.push({ path, length, digest: undefined, release: 0, from, before: undefined });
  }
  return found;
}

function notCarried(input: MergeInput): Conflict[] {
  return [...input.live]
    .filter(([, { kind }]) => kind === 'other' || kind === 'unnamable')
    .map(([path]) => ({
      kind: 'not-a-file',
      path,
      other: path,
      message: `${JSON.stringify(path)} in the live tree is neither file nor link, or has a name that cannot be copied: it would be lost`,
      possible: [],
    }));
}

function removal(input: MergeInput, path: string): Removal[] {
  const bytes = before(input.live.get(path));
  if (bytes === undefined) return [];
  return [{ path, original: (input.ledger.entries.get(path)?.release ?? 0) === 0, before: bytes }];
}

function before(live: LiveFile | undefined): Bytes | undefined {
  if (live?.kind !== 'file' || live.digest === undefined) return undefined;
  return { length: live.length, digest: live.digest };
}

function refuseUnsafePaths({ release }: MergeInput): void {
  const problems = (release?.files ?? []).flatMap(({ path }) => {
    const fault = pathFault(path);
    return fault === undefined ? [] : [{ message: `the path ${JSON.stringify(path)} ${fault}` }];
  });
  if (problems.length > 0) {
    throw new TieupError('TIEUP_E_UNSAFE_PATH', 'the release has paths that cannot be published', { problems });
  }
}
