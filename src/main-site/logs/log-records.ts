/**
 * What the main site knows of a partner's logs, below `.tieup/logs/<partner>/`:
 *
 *     pins.json                                  the tree of each log that was verified and cosigned last: the commit point
 *     <epoch>/<T|O>/<from>-<size>.part.gz        every exported log as it was pulled, verified
 *     statements/<seq>.note                      what the partner said with each export
 *     evidence/<digest>/                         exports that were refused, and why
 *     incoming/                                  what is being pulled
 */
import { z } from 'zod';
import type { TreeHead } from '../../protocol/checkpoint.ts';
import { emptyRoot } from '../../protocol/merkle.ts';
import { readIfThere } from '../../io/read-if-there.ts';
import { TieupError } from '../../errors.ts';
import type { MainSite } from '../main-site.ts';

export type TreeName = 'T' | 'O';
export const TREES: readonly TreeName[] = ['T', 'O'];

export interface Pins {
  /** From 1 on. */
  readonly epoch: number;
  /** Of the statement that was verified last; null before the first. */
  readonly statement: { readonly seq: number; readonly digest: string } | null;
  readonly T: PinnedTree;
  readonly O: PinnedTree;
  /** Lines by class as the last statement counts them; X decides how much of a log could not be read. */
  readonly lines: {
    readonly T: number;
    readonly O: number;
    readonly X: number;
    readonly S: number;
    readonly G: number;
  };
  /** ISO 8601 UTC; null before the first pull. */
  readonly pulledAt: string | null;
}

export interface PinnedTree {
  readonly size: number;
  /** Hex. */
  readonly root: string;
}

export const FIRST_PINS: Pins = {
  epoch: 1,
  statement: null,
  T: { size: 0, root: Buffer.from(emptyRoot()).toString('hex') },
  O: { size: 0, root: Buffer.from(emptyRoot()).toString('hex') },
  lines: { T: 0, O: 0, X: 0, S: 0, G: 0 },
  pulledAt: null,
};

const MAX_PINS = 64 * 1024;
const count = z.int().min(0);
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const tree = z.strictObject({ size: count, root: digest });
const schema: z.ZodType<Pins> = z.strictObject({
  epoch: z.int().min(1),
  statement: z.strictObject({ seq: z.int().min(1), digest }).nullable(),
  T: tree,
  O: tree,
  lines: z.strictObject({ T: count, O: count, X: count, S: count, G: count }),
  pulledAt: z.string().nullable(),
});

/** @throws TIEUP_E_FAILED when they are damaged: what was cosigned must not be forgotten silently. */
export async function readPins(site: MainSite, partner: string): Promise<Pins> {
  const path = logPath(partner, 'pins.json');
  const bytes = await readIfThere(site.files, path, MAX_PINS);
  if (bytes === undefined) return FIRST_PINS;
  try {
    return schema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw new TieupError('TIEUP_E_FAILED', `${path} is damaged`, { hint: 'restore it from a backup', cause });
  }
}

export async function writePins(site: MainSite, partner: string, pins: Pins): Promise<void> {
  await site.files.write(logPath(partner, 'pins.json'), Buffer.from(`${JSON.stringify(pins, undefined, 2)}\n`));
}

export function headOf({ size, root }: PinnedTree): TreeHead {
  return { size, root: Buffer.from(root, 'hex') };
}

export function pinnedTree({ size, root }: TreeHead): PinnedTree {
  return { size, root: Buffer.from(root).toString('hex') };
}

/** From the site folder. */
export function logPath(partner: string, name: string): string {
  return `.tieup/logs/${partner}/${name}`;
}

export function keptPartPath(
  partner: string,
  epoch: number,
  log: TreeName,
  range: { readonly from: number; readonly size: number },
): string {
  return logPath(partner, `${epoch}/${log}/${range.from}-${range.size}.part.gz`);
}
