/**
 * The journal: what is under way, written before anything changes and removed when everything is done. A command that finds
 * one finishes what was begun, or undoes it; see recover.ts.
 */
import { z } from 'zod';
import type { FileTree } from '../io/file-tree.ts';
import type { Bytes } from '../merge/plan.ts';
import { readJson, writeJson } from './records.ts';

/** One file of the web root that changes; null: no file there. */
export interface Step {
  readonly path: string;
  readonly old: Bytes | null;
  readonly new: Bytes | null;
  /** Permission bits of the old and the new file. */
  readonly oldMode: number;
  readonly newMode: number;
}

/**
 * - `build` (link): a new tree is being built; live once the link points to it, otherwise to be removed.
 * - `switch` (link): the link is to point to a tree which is there already.
 * - `stage` (overwrite): content is being gathered; nothing live has changed.
 * - `apply`, `undo` (overwrite): the steps are being carried out, forwards or backwards; all content for either is there.
 *
 * `hold`: the instant from which the outcome is held, null when it is not.
 */
export type Journal =
  | { readonly kind: 'build'; readonly number: number }
  | { readonly kind: 'switch'; readonly number: number; readonly hold: string | null }
  | { readonly kind: 'stage'; readonly number: number }
  | {
      readonly kind: 'apply' | 'undo';
      readonly number: number;
      readonly steps: readonly Step[];
      /** Folders that may be removed once they are empty. */
      readonly folders: readonly string[];
      readonly hold: string | null;
    };

const number = z.number().int().min(1);
const bytes = z
  .strictObject({ length: z.number().int().min(0), digest: z.string().regex(/^[0-9a-f]{64}$/) })
  .nullable();
const mode = z.number().int().min(0).max(0o7777);
const step = z.strictObject({ path: z.string().min(1), old: bytes, new: bytes, oldMode: mode, newMode: mode });
const hold = z.string().nullable();
const changing = { number, steps: z.array(step), folders: z.array(z.string()), hold };

const journalSchema: z.ZodType<Journal> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('build'), number }),
  z.strictObject({ kind: z.literal('switch'), number, hold }),
  z.strictObject({ kind: z.literal('stage'), number }),
  z.strictObject({ kind: z.enum(['apply', 'undo']), ...changing }),
]);

/** In the state folder. */
export const JOURNAL = 'journal.json';
const MAX_JOURNAL = 256 * 1024 * 1024;

/** @throws TIEUP_E_VERIFY when it is damaged. */
export function readJournal(state: FileTree): Promise<Journal | undefined> {
  return readJson(state, JOURNAL, journalSchema, MAX_JOURNAL);
}

export async function writeJournal(state: FileTree, journal: Journal): Promise<void> {
  await writeJson(state, JOURNAL, journal);
}

export async function removeJournal(state: FileTree): Promise<void> {
  await state.remove(JOURNAL);
  await state.sync([JOURNAL]);
}
