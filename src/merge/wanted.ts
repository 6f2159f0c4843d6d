/**
 * Which tie-up files are wanted in the merged tree, and under which names: the release, less what is withheld, kept out or
 * lacks a required slot, with slots filled.
 */
import { byteOrder } from '../protocol/byte-order.ts';
import { collisionKey, pathFault } from '../protocol/names.ts';
import { choiceFor, type SlotContent } from './choices.ts';
import type { Conflict } from './conflict.ts';
import type { MergeInput, TieUpFile } from './merge-input.ts';
import { type Splice, splicedLength } from './splice.ts';

export interface WantedFile {
  /** Where it is to be published. */
  readonly path: string;
  readonly file: TieUpFile;
  readonly splices: readonly Splice[];
  /** Bytes, slots filled. */
  readonly length: number;
}

export interface LeftOut {
  /** The path in the release. */
  readonly path: string;
  readonly reason: 'withheld' | 'slot-missing' | 'kept-mine';
  /** The required slots that nothing fills. */
  readonly slots?: readonly string[];
}

export interface SlotUse {
  readonly page: string;
  readonly slot: string;
}

export interface Wanted {
  readonly files: readonly WantedFile[];
  readonly leftOut: readonly LeftOut[];
  /** Slots that show the main site's fallback. */
  readonly fallbacks: readonly SlotUse[];
  /** Contents which fill no slot of the pages that are published. */
  readonly unusedSlots: readonly SlotUse[];
  readonly usedSlots: readonly SlotContent[];
  /** Names of the manager's choice that cannot be. */
  readonly conflicts: readonly Conflict[];
}

export function chooseWanted(input: MergeInput): Wanted {
  const withheld = new Set(input.choices.withheld);
  const contents = new Map(input.slots.map((content) => [slotKey(content), content]));
  const files: WantedFile[] = [];
  const leftOut: LeftOut[] = [];
  const fallbacks: SlotUse[] = [];
  const usedSlots: SlotContent[] = [];
  const conflicts: Conflict[] = [];

  for (const file of input.release?.files ?? []) {
    const { path } = file;
    const choice = choiceFor(input.choices, path);
    if (withheld.has(path) || choice === 'keep-mine') {
      leftOut.push({ path, reason: withheld.has(path) ? 'withheld' : 'kept-mine' });
      continue;
    }
    const filled = fillSlots(file, contents);
    if (filled.missing.length > 0) {
      leftOut.push({ path, reason: 'slot-missing', slots: filled.missing });
      continue;
    }
    const target = typeof choice === 'object' ? choice.rename : path;
    const fault = target === path ? undefined : renameFault(target, input.mount);
    if (fault !== undefined) conflicts.push(badName(path, target, fault));
    files.push({ path: target, file, splices: filled.splices, length: splicedLength(file.length, filled.splices) });
    fallbacks.push(...filled.fallbacks);
    usedSlots.push(...filled.used);
  }
  const used = new Set(usedSlots.map(slotKey));
  return {
    files,
    leftOut,
    fallbacks,
    unusedSlots: input.slots.filter((slot) => !used.has(slotKey(slot))).map(({ page, slot }) => ({ page, slot })),
    usedSlots,
    conflicts: [...conflicts, ...collidingNames(files)],
  };
}

function fillSlots(file: TieUpFile, contents: ReadonlyMap<string, SlotContent>) {
  const splices: Splice[] = [];
  const fallbacks: SlotUse[] = [];
  const used: SlotContent[] = [];
  const missing: string[] = [];
  for (const slot of file.page?.slots ?? []) {
    const use: SlotUse = { page: file.path, slot: slot.name };
    const content = contents.get(slotKey(use));
    if (content !== undefined) {
      splices.push({ offset: slot.offset, length: slot.length, digest: content.digest, contentLength: content.length });
      used.push(content);
    } else if (slot.required) missing.push(slot.name);
    else fallbacks.push(use);
  }
  return { splices, fallbacks, used, missing };
}

function slotKey({ page, slot }: SlotUse): string {
  return `${page}\0${slot}`;
}

function renameFault(target: string, mount: string): string | undefined {
  const fault = pathFault(target);
  if (fault !== undefined) return fault;
  return target.startsWith(mount.slice(1)) ? undefined : `lies outside the mount ${mount}`;
}

/** Two tie-up files that would share a name, or where one needs a folder at the other; only a rename can cause it. */
function collidingNames(files: readonly WantedFile[]): Conflict[] {
  const conflicts: Conflict[] = [];
  const owners = new Map<string, WantedFile>();
  const byName = files.toSorted((a, b) => Number(isRenamed(a)) - Number(isRenamed(b)) || byteOrder(a.path, b.path));
  for (const wanted of byName) {
    const key = collisionKey(wanted.path);
    const other = owners.get(key);
    if (other === undefined) owners.set(key, wanted);
    else
      conflicts.push(badName(wanted.file.path, wanted.path, `is also the name of ${JSON.stringify(other.file.path)}`));
  }
  for (const [key, wanted] of owners) {
    for (let slash = key.indexOf('/'); slash !== -1; slash = key.indexOf('/', slash + 1)) {
      const file = owners.get(key.slice(0, slash));
      if (file === undefined) continue;
      const [renamed, other] = isRenamed(wanted) ? [wanted, file] : [file, wanted];
      const why = `cannot stand beside ${JSON.stringify(other.path)}: one is a file where the other needs a folder`;
      conflicts.push(badName(renamed.file.path, renamed.path, why));
    }
  }
  return conflicts;
}

function isRenamed(wanted: WantedFile): boolean {
  return wanted.path !== wanted.file.path;
}

function badName(path: string, target: string, why: string): Conflict {
  return {
    kind: 'rename',
    path,
    other: target,
    message: `the name ${JSON.stringify(target)}, chosen for ${JSON.stringify(path)}, ${why}`,
    possible: ['keep-mine', 'rename'],
  };
}
