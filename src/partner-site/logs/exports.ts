/**
 * What was exported, so that the next export can name the one before:
 *
 *     logs/exports/<seq>.json    the trees as they were, and the statement
 *
 * Kept until the main site has cosigned a later one.
 */
import { z } from 'zod';
import { readIfThere } from '../../io/read-if-there.ts';
import { sha256 } from '../../protocol/digest.ts';
import { OUTBOX_EXPORT } from '../../protocol/exchange.ts';
import { EXPORT_TYPE, type LogExport, MAX_EXPORT_NOTE, parseExport } from '../../protocol/log-export.ts';
import { openNote } from '../../protocol/note.ts';
import { numbersIn, readJson, writeJson } from '../../publish/records.ts';
import { ownKeysEver } from '../own-keys.ts';
import type { PartnerSite } from '../partner-site.ts';
import { TREES, type TreeName } from './log-state.ts';
import type { Pins } from './pins.ts';

export interface PastExport {
  readonly seq: number;
  readonly epoch: number;
  /** SHA-256 of the statement's text, and what of it says whether another export would say anything new. */
  readonly statement: string;
  readonly content: string;
  readonly trees: Readonly<Record<TreeName, PastTree>>;
}

export interface PastTree {
  /** The first record that the export was about. */
  readonly from: number;
  readonly size: number;
  /** True when every record from `from` on was shown. */
  readonly whole: boolean;
  /** Hashes of its perfect subtrees, the largest first, in hex. */
  readonly frontier: readonly string[];
}

const FOLDER = 'logs/exports';
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const tree = z.strictObject({
  from: z.int().min(0),
  size: z.int().min(0),
  whole: z.boolean(),
  frontier: z.array(digest).max(53),
});
const schema: z.ZodType<PastExport> = z.strictObject({
  seq: z.int().min(1),
  epoch: z.int().min(1),
  statement: digest,
  content: digest,
  trees: z.strictObject({ T: tree, O: tree }),
});

/** Ascending. */
export async function pastExports(site: PartnerSite): Promise<readonly PastExport[]> {
  const found: PastExport[] = [];
  for (const seq of numbersIn(await site.state.list(FOLDER), /^([1-9]\d{0,14})\.json$/)) {
    const each = await readJson(site.state, pathOf(seq), schema);
    if (each !== undefined) found.push(each);
  }
  return found;
}

export async function keepExport(site: PartnerSite, each: PastExport): Promise<void> {
  await writeJson(site.state, pathOf(each.seq), each);
}

/** The last one always stays: the next statement names it. */
export async function forgetExports(
  site: PartnerSite,
  all: readonly PastExport[],
  { epoch, pins }: Pins,
): Promise<void> {
  const over = all
    .slice(0, -1)
    .filter((each) => each.epoch < epoch || TREES.every((name) => each.trees[name].size < pins[name].size))
    .map(({ seq }) => pathOf(seq));
  for (const path of over) await site.state.remove(path);
  if (over.length > 0) await site.state.sync(over);
}

/** What an export is called by the one that follows it. */
export type SaidExport = Pick<PastExport, 'seq' | 'statement'>;

/**
 * The export in the outbox when this site has signed it, with whatever key; the state may have forgotten it. Undefined when there
 * is none that this site has signed.
 */
export async function shownExport(
  site: PartnerSite,
): Promise<(SaidExport & Pick<LogExport, 'time' | 'lines'>) | undefined> {
  const note = await readIfThere(site.exchange, OUTBOX_EXPORT, MAX_EXPORT_NOTE);
  if (note === undefined) return undefined;
  try {
    const { text } = openNote(note, await ownKeysEver(site, 'log'), { type: EXPORT_TYPE });
    const { seq, time, lines } = parseExport(text);
    return { seq, time, lines, statement: sha256(text) };
  } catch {
    return undefined;
  }
}

function pathOf(seq: number): string {
  return `${FOLDER}/${seq}.json`;
}
