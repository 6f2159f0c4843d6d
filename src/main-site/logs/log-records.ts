/**
 * What the main site knows of a partner's logs, below `.tieup/logs/<partner>/`:
 *
 *     pins.json                                  the tree of each log that was verified last: the commit point
 *     <epoch>/pins.json                          the last pins of an epoch that is over
 *     <epoch>/epoch.note                         the manager's statement with which the epoch began
 *     <epoch>/<T|O>/<from>-<size>.part.gz        every exported log as it was pulled, verified
 *     <epoch>/statements/<seq>.note              what the partner said with each export
 *     <epoch>/commitments/<log>-<size>.note      checkpoints that were signed and not exported yet
 *     <epoch>/uncompared/<log>-<size>.note       checkpoints that no root was there to be held against: it lay within withheld records
 *     <epoch>/switches.json                      which release was live from which record on
 *     <epoch>/audits/<digest>/                   demands, and how they were answered
 *     <T|O>.cosigned                             what is in the inbox
 *     looked.json                                what was in the outbox when it was looked at last
 *     audit.json, canaries.jsonl, findings.json, imported.json
 *     evidence/<digest>/                         exports that were refused, and why
 *     incoming/                                  what is being pulled
 */
import { z } from 'zod';
import type { TreeHead } from '../../protocol/checkpoint.ts';
import { emptyRoot } from '../../protocol/merkle.ts';
import { readIfThere } from '../../io/read-if-there.ts';
import { TieupError } from '../../errors.ts';
import type { LineCounts } from '../../protocol/log-export.ts';
import type { MainSite } from '../main-site.ts';

export type TreeName = 'T' | 'O';
export const TREES: readonly TreeName[] = ['T', 'O'];

export interface Pins {
  /** From 1 on. */
  readonly epoch: number;
  /** The vkey that signs in this epoch; null before the first export. */
  readonly logKey: string | null;
  /** Of the statement that was verified last; null before the first of the epoch. */
  readonly statement: SeenStatement | null;
  /** The newest statement that was signed, pinned or not: what comes later must not contradict it. */
  readonly seen: SeenStatement | null;
  readonly T: PinnedTree;
  readonly O: PinnedTree;
  /** Lines by class as the last statement counts them; X decides how much of a log could not be read. */
  readonly lines: LineCounts;
  /** When the last export was made by the partner's clock; null before the first. */
  readonly statedAt: string | null;
  /** Until when every record of log T was shown, by the partner's clock; null before the first. */
  readonly shownUntil: string | null;
  /** The same by our own clock, which no partner can set back: see looked.ts. Null while nothing says so. */
  readonly certainUntil: string | null;
  /** What the first export of the epoch has to bring over from the one before; null when there is nothing, and after it. */
  readonly seam: Seam | null;
  /** Records that were cosigned at the end of the epoch before and came again in this one: they are imported once. */
  readonly again: Readonly<Record<TreeName, PartRange | null>>;
  /** Digest of the statement in the outbox when the epoch began: an export of an epoch before. Null when there was none. */
  readonly leftover: string | null;
  /** ISO 8601 UTC; null before the first pull. */
  readonly pulledAt: string | null;
}

/**
 * Where an epoch goes on from the one before. What was not cosigned there, as far as the partner knows, it brings over:
 *
 *     before    … named ) … cosigned ) … committed )
 *     now       what was live, said again ) named … cosigned ) … committed ) what is new …
 */
export interface Seam {
  /** The last epoch in which something was pinned or committed to. */
  readonly epoch: number;
  readonly T: SeamTree;
  readonly O: SeamTree;
  /** The last switch before the named records of T: an honest epoch begins with it. Null when none is known. */
  readonly live: { readonly release: string | null; readonly time: string; readonly own: number } | null;
}

/** Sizes of a tree of that epoch, ascending. */
export interface SeamTree {
  /** From where on the new epoch brings records over. */
  readonly named: number;
  /** What was pinned: the partner may not have seen its last cosignature. */
  readonly cosigned: number;
  /** The largest tree that the partner had signed, exported or not. */
  readonly committed: number;
}

export interface SeenStatement {
  readonly seq: number;
  /** SHA-256 of its text. */
  readonly digest: string;
}

export interface PinnedTree {
  readonly size: number;
  /** Hex. */
  readonly root: string;
  /** The checkpoint as the partner signed it, base64; null for an empty log. */
  readonly checkpoint: string | null;
}

const EMPTY: PinnedTree = { size: 0, root: Buffer.from(emptyRoot()).toString('hex'), checkpoint: null };

/** What is known at the beginning of an epoch. */
export function firstPins(epoch: number, logKey: string | null): Pins {
  return {
    epoch,
    logKey,
    statement: null,
    seen: null,
    T: EMPTY,
    O: EMPTY,
    lines: { T: 0, O: 0, X: 0, S: 0, G: 0 },
    statedAt: null,
    shownUntil: null,
    certainUntil: null,
    seam: null,
    again: { T: null, O: null },
    leftover: null,
    pulledAt: null,
  };
}

const MAX_STATE = 64 * 1024 * 1024;
const count = z.int().min(0);
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const tree = z.strictObject({ size: count, root: digest, checkpoint: z.string().nullable() });
const statement = z.strictObject({ seq: z.int().min(1), digest }).nullable();
const partRange = z.strictObject({ from: count, size: count }).nullable();
const seamTree = z.strictObject({ named: count, cosigned: count, committed: count });
const seam = z.strictObject({
  epoch: z.int().min(1),
  T: seamTree,
  O: seamTree,
  live: z.strictObject({ release: z.string().nullable(), time: z.string(), own: count }).nullable(),
});
export const pinsSchema: z.ZodType<Pins> = z.strictObject({
  epoch: z.int().min(1),
  logKey: z.string().nullable(),
  statement,
  seen: statement,
  T: tree,
  O: tree,
  lines: z.strictObject({ T: count, O: count, X: count, S: count, G: count }),
  statedAt: z.string().nullable().default(null),
  shownUntil: z.string().nullable(),
  certainUntil: z.string().nullable().default(null),
  seam: seam.nullable().default(null),
  again: z.strictObject({ T: partRange, O: partRange }).default({ T: null, O: null }),
  leftover: z.string().nullable().default(null),
  pulledAt: z.string().nullable(),
});

/** @throws TIEUP_E_FAILED when they are damaged: what was cosigned must not be forgotten silently. */
export async function readPins(site: MainSite, partner: string): Promise<Pins> {
  return (await readState(site, logPath(partner, 'pins.json'), pinsSchema)) ?? firstPins(1, null);
}

export async function writePins(site: MainSite, partner: string, pins: Pins): Promise<void> {
  await writeState(site, logPath(partner, 'pins.json'), pins);
}

/** Of an epoch that is over. */
export async function keepPins(site: MainSite, partner: string, pins: Pins): Promise<void> {
  await writeState(site, epochPath(partner, pins.epoch, 'pins.json'), pins);
}

/** A JSON file of this store; undefined when it is absent. @throws TIEUP_E_FAILED when it is damaged. */
export async function readState<State>(
  site: MainSite,
  path: string,
  shape: z.ZodType<State>,
): Promise<State | undefined> {
  const bytes = await readIfThere(site.files, path, MAX_STATE);
  if (bytes === undefined) return undefined;
  try {
    return shape.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw new TieupError('TIEUP_E_FAILED', `${path} is damaged`, { hint: 'restore it from a backup', cause });
  }
}

export async function writeState(site: MainSite, path: string, state: object): Promise<void> {
  await site.files.write(path, Buffer.from(`${JSON.stringify(state, undefined, 2)}\n`));
}

export function headOf({ size, root }: Pick<PinnedTree, 'size' | 'root'>): TreeHead {
  return { size, root: Buffer.from(root, 'hex') };
}

/** From the site folder. */
export function logPath(partner: string, name: string): string {
  return `.tieup/logs/${partner}/${name}`;
}

export function epochPath(partner: string, epoch: number, name: string): string {
  return logPath(partner, `${epoch}/${name}`);
}

export interface PartRange {
  readonly from: number;
  readonly size: number;
}

export function keptPartPath(partner: string, epoch: number, log: TreeName, { from, size }: PartRange): string {
  return epochPath(partner, epoch, `${log}/${from}-${size}.part.gz`);
}

/** Removes what interrupted pulls verified and did not pin: the partner may have exported something else since. */
export async function dropUnpinned(
  site: MainSite,
  partner: string,
  epoch: number,
  log: TreeName,
  pinned: number,
): Promise<void> {
  for (const range of await partsIn(site, partner, epoch, log)) {
    if (range.from >= pinned) await site.files.remove(keptPartPath(partner, epoch, log, range));
  }
}

async function partsIn(site: MainSite, partner: string, epoch: number, log: TreeName): Promise<readonly PartRange[]> {
  return (await site.files.list(epochPath(partner, epoch, log))).flatMap(({ name }) => {
    const [, start, size] = /^(\d{1,16})-(\d{1,16})\.part\.gz$/.exec(name) ?? [];
    return start === undefined ? [] : [{ from: Number(start), size: Number(size) }];
  });
}

/**
 * The exported logs that were pulled and pinned, from record `from` to record `to`, ascending.
 * @throws TIEUP_E_FAILED when one is missing.
 */
export async function keptParts(
  site: MainSite,
  partner: string,
  epoch: number,
  log: TreeName,
  { from, size: to }: PartRange,
): Promise<readonly PartRange[]> {
  const all = await partsIn(site, partner, epoch, log);
  const found: PartRange[] = [];
  for (let at = from; at < to;) {
    const next = all.find((each) => each.from === at && each.size <= to);
    if (next === undefined) {
      const where = epochPath(partner, epoch, log);
      throw new TieupError('TIEUP_E_FAILED', `the exported log that begins at record ${at} is missing in ${where}`, {
        hint: 'restore it from a backup',
      });
    }
    found.push(next);
    at = next.size;
  }
  return found;
}
