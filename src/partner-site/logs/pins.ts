/**
 * How far the main site has cosigned the logs of this epoch: there the next export begins.
 *
 *     logs/pins.json    the largest trees with a cosignature that was verified here
 *
 * What lies in the inbox anybody may have put there who has the main site's login. A cosignature is taken only when it is the main
 * site's over a checkpoint of this site over a tree of this site; older ones, which the thief of a login may put back, change nothing.
 */
import { z } from 'zod';
import { isTieupError, TieupError } from '../../errors.ts';
import { readIfThere } from '../../io/read-if-there.ts';
import { MAX_CHECKPOINT_NOTE, openCheckpoint, type TreeHead } from '../../protocol/checkpoint.ts';
import { openCosignature } from '../../protocol/cosignature.ts';
import { sha256 } from '../../protocol/digest.ts';
import { cosignedPath } from '../../protocol/exchange.ts';
import { Frontier, sameHash } from '../../protocol/merkle.ts';
import { parseVkey } from '../../protocol/vkey.ts';
import { readJson, writeJson } from '../../publish/records.ts';
import { ownKeysEver } from '../own-keys.ts';
import type { PartnerSite } from '../partner-site.ts';
import type { PastExport } from './exports.ts';
import { type LogState, TREES, treeSize, type TreeName } from './log-state.ts';
import { frontierAt } from './segments.ts';

export interface Pin {
  readonly size: number;
  /** Hashes of its perfect subtrees, the largest first, in hex. */
  readonly frontier: readonly string[];
}

export interface Pins {
  readonly epoch: number;
  readonly pins: Readonly<Record<TreeName, Pin>>;
  /** The main site has seen every record of T before this one. */
  readonly shownT: number;
  /** SHA-256 of a cosigned checkpoint that the manager told this site to pass over; see {@link forgetPins}. */
  readonly ignored: Readonly<Record<TreeName, string | null>>;
}

/** What somebody with the login of the main site can do to a file in the inbox: none of it ends an export. */
export const OTHERS_FAULTS = ['TIEUP_E_VERIFY', 'TIEUP_E_UNSAFE_PATH', 'TIEUP_E_TOO_LARGE', 'TIEUP_E_STORAGE'] as const;

const FILE = 'logs/pins.json';
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const pin = z.strictObject({ size: z.int().min(0), frontier: z.array(digest).max(53) });
const schema: z.ZodType<Pins> = z.strictObject({
  epoch: z.int().min(1),
  pins: z.strictObject({ T: pin, O: pin }),
  shownT: z.int().min(0),
  ignored: z.strictObject({ T: digest.nullable(), O: digest.nullable() }),
});

/** What was verified up to now. */
export async function readPins(site: PartnerSite, epoch: number): Promise<Pins> {
  const known = await readJson(site.state, FILE, schema);
  if (known?.epoch === epoch) return known;
  const nothing: Pin = { size: 0, frontier: [] };
  return { epoch, pins: { T: nothing, O: nothing }, shownT: 0, ignored: { T: null, O: null } };
}

export interface SeenPins extends Pins {
  /** Why something in the inbox was passed over, in plain words. */
  readonly complaints: readonly string[];
}

/**
 * Looks for newer cosignatures in the inbox and remembers them.
 * @throws TIEUP_E_DRIFT when the main site has cosigned what this state does not know: it was lost or set back, and going on would
 * contradict what was signed.
 */
export async function updatePins(site: PartnerSite, state: LogState, past: readonly PastExport[]): Promise<SeenPins> {
  const before = await readPins(site, state.epoch);
  let now = before;
  const complaints: string[] = [];
  for (const log of TREES) {
    const found = await lookAtCosigned(site, log);
    if (found.kind === 'none') continue;
    if (found.kind === 'refused') {
      complaints.push(found.why);
      continue;
    }
    const known = now.pins[log];
    const isNew = found.epoch > state.epoch || (found.epoch === state.epoch && found.size >= known.size);
    if (!isNew || found.digest === now.ignored[log]) continue;
    if (found.epoch > state.epoch || found.size > treeSize(state.counts, log)) throw setBack(log, found.size);
    const tree = await treeAt(site, state.epoch, log, found.size, { known, past });
    if (!sameHash(tree.root(), found.root)) throw setBack(log, found.size);
    if (found.size === known.size) continue;
    const frontier = tree.hashes().map((each) => Buffer.from(each).toString('hex'));
    now = { ...now, pins: { ...now.pins, [log]: { size: found.size, frontier } } };
    if (log === 'T') now = { ...now, shownT: shownUpTo(now.shownT, found.size, past, state.epoch) };
  }
  if (now !== before) await writeJson(site.state, FILE, now);
  return { ...now, complaints };
}

/** For the first export after the main site has lost what it knew: begins again at record 0, whatever lies in the inbox now. */
export async function forgetPins(site: PartnerSite, epoch: number): Promise<void> {
  const { shownT } = await readPins(site, epoch);
  const digests = { T: await digestIn(site, 'T'), O: await digestIn(site, 'O') };
  const nothing: Pin = { size: 0, frontier: [] };
  await writeJson(site.state, FILE, { epoch, pins: { T: nothing, O: nothing }, shownT, ignored: digests });
}

async function digestIn(site: PartnerSite, log: TreeName): Promise<string | null> {
  const found = await lookAtCosigned(site, log);
  return found.kind === 'cosigned' ? found.digest : null;
}

export type Cosigned =
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly why: string }
  | (TreeHead & { readonly kind: 'cosigned'; readonly epoch: number; readonly digest: string });

/** What the inbox says of log `log`, when both this site and the main site have signed it. */
export async function lookAtCosigned(site: PartnerSite, log: TreeName): Promise<Cosigned> {
  const path = cosignedPath(log);
  try {
    const note = await readIfThere(site.exchange, path, MAX_CHECKPOINT_NOTE);
    if (note === undefined) return { kind: 'none' };
    const { origin, size, root } = openCheckpoint(note, await ownKeysEver(site, 'log'));
    openCosignature(note, parseVkey(site.config.main.keys.document));
    if (origin.partner !== site.config.partner || origin.log !== log) {
      return {
        kind: 'refused',
        why: `${path} is passed over: it is of log ${origin.log} of ${JSON.stringify(origin.partner)}`,
      };
    }
    return { kind: 'cosigned', epoch: origin.epoch, size, root, digest: sha256(note) };
  } catch (error) {
    if (!isTieupError(error, ...OTHERS_FAULTS)) throw error;
    return { kind: 'refused', why: `${path} is passed over: ${error.message}` };
  }
}

async function treeAt(
  site: PartnerSite,
  epoch: number,
  log: TreeName,
  size: number,
  { known, past }: { readonly known: Pin; readonly past: readonly PastExport[] },
): Promise<Frontier> {
  const exported = past.find((each) => each.epoch === epoch && each.trees[log].size === size)?.trees[log];
  const hashes = size === known.size ? known.frontier : exported?.frontier;
  if (hashes === undefined) return frontierAt(site, epoch, log, size);
  return Frontier.of(
    size,
    hashes.map((hex) => Buffer.from(hex, 'hex')),
  );
}

/** Every export that was cosigned shows records from where the one before ended; one that showed only some ends what was shown. */
function shownUpTo(shown: number, size: number, past: readonly PastExport[], epoch: number): number {
  const fits = past.some(
    ({ epoch: of, trees: { T } }) => of === epoch && T.size === size && T.whole && T.from <= shown,
  );
  return fits ? size : shown;
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
