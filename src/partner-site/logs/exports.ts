/**
 * What was exported, so that the next export goes on where the main site has cosigned:
 *
 *     logs/exports/<seq>.json    the trees as they were, and the statement
 *
 * Kept until the main site has cosigned a later one.
 */
import { z } from 'zod';
import { TieupError } from '../../errors.ts';
import { readIfThere } from '../../io/read-if-there.ts';
import { MAX_CHECKPOINT_NOTE, openCheckpoint } from '../../protocol/checkpoint.ts';
import { openCosignature } from '../../protocol/cosignature.ts';
import { cosignedPath } from '../../protocol/exchange.ts';
import { Frontier, sameHash } from '../../protocol/merkle.ts';
import { parseVkey } from '../../protocol/vkey.ts';
import { numbersIn, readJson, writeJson } from '../../publish/records.ts';
import { ownKeysEver } from '../own-keys.ts';
import type { PartnerSite } from '../partner-site.ts';
import { type LogState, TREES, treeSize, type TreeName } from './log-state.ts';

export interface PastExport {
  readonly seq: number;
  readonly epoch: number;
  /** SHA-256 of the statement's text, and what of it says whether another export would say anything new. */
  readonly statement: string;
  readonly content: string;
  readonly trees: Readonly<Record<TreeName, PastTree>>;
}

export interface PastTree {
  readonly size: number;
  /** Hashes of its perfect subtrees, the largest first, in hex. */
  readonly frontier: readonly string[];
}

/** The tree that the main site has cosigned: the next export begins there. */
export type Pin = PastTree;

const NOTHING: Pin = { size: 0, frontier: [] };
const FOLDER = 'logs/exports';
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const tree = z.strictObject({ size: z.int().min(0), frontier: z.array(digest).max(53) });
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
export async function forgetExports(site: PartnerSite, all: readonly PastExport[], pins: Pins): Promise<void> {
  const over = all
    .slice(0, -1)
    .filter(({ trees }) => TREES.every((name) => trees[name].size < pins[name].size))
    .map(({ seq }) => pathOf(seq));
  for (const path of over) await site.state.remove(path);
  if (over.length > 0) await site.state.sync(over);
}

export type Pins = Readonly<Record<TreeName, Pin>>;

/**
 * What the main site has cosigned of this epoch.
 * @throws TIEUP_E_VERIFY when a cosigned checkpoint is not of the main site or not of this site; TIEUP_E_DRIFT when the main site
 * has seen more than this state knows of: it was lost or set back, and going on would contradict what was signed.
 */
export async function readPins(site: PartnerSite, state: LogState, past: readonly PastExport[]): Promise<Pins> {
  return { T: await readPin(site, 'T', state, past), O: await readPin(site, 'O', state, past) };
}

async function readPin(site: PartnerSite, log: TreeName, state: LogState, past: readonly PastExport[]): Promise<Pin> {
  const note = await readIfThere(site.exchange, cosignedPath(log), MAX_CHECKPOINT_NOTE);
  if (note === undefined) return NOTHING;
  const checkpoint = openCheckpoint(note, await ownKeysEver(site, 'log'));
  openCosignature(note, parseVkey(site.config.main.keys.document));
  const { origin, size, root } = checkpoint;
  if (origin.log !== log) {
    throw new TieupError('TIEUP_E_VERIFY', `the cosigned checkpoint of log ${log} is one of log ${origin.log}`);
  }
  // Of an epoch that is over nothing is exported any more.
  if (origin.epoch < state.epoch) return NOTHING;
  const known = past.find((each) => each.epoch === origin.epoch && each.trees[log].size === size)?.trees[log];
  if (origin.epoch > state.epoch || size > treeSize(state.counts, log) || known === undefined) throw setBack(log, size);
  const frontier = known.frontier.map((hex) => Buffer.from(hex, 'hex'));
  if (!sameHash(Frontier.of(size, frontier).root(), root)) throw setBack(log, size);
  return known;
}

function setBack(log: TreeName, size: number): TieupError {
  return new TieupError(
    'TIEUP_E_DRIFT',
    `the main site has cosigned ${size} records of log ${log} that this site does not know`,
    {
      hint: 'the state folder was lost or set back: restore the newest backup, or begin a new epoch with tieup logs new-epoch',
    },
  );
}

function pathOf(seq: number): string {
  return `${FOLDER}/${seq}.json`;
}
