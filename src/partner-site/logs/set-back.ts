/**
 * Notices that the state folder is older than what this site has signed: after a lost disk or a restored backup the same lines would get
 * other salts, and two checkpoints that contradict each other would look like fraud.
 */
import { TieupError } from '../../errors.ts';
import { readIfThere } from '../../io/read-if-there.ts';
import { MAX_CHECKPOINT_NOTE, openCheckpoint, sameHead, type TreeHead } from '../../protocol/checkpoint.ts';
import { checkpointPath } from '../../protocol/exchange.ts';
import { ownKeysEver } from '../own-keys.ts';
import type { PartnerSite } from '../partner-site.ts';
import { frontierOf, type LogState, TREES, treeSize, type TreeName } from './log-state.ts';
import { lookAtCosigned } from './pins.ts';

interface SignedTree extends TreeHead {
  readonly log: TreeName;
  readonly epoch: number;
}

/** @throws TIEUP_E_DRIFT with what a manager can do; nothing was changed. */
export async function assertNotSetBack(site: PartnerSite, state: LogState): Promise<void> {
  const forgotten = await forgottenTree(site, state);
  if (forgotten === undefined) return;
  const { size, log, epoch } = forgotten;
  throw new TieupError(
    'TIEUP_E_DRIFT',
    `this site has signed ${size} records of log ${log} in epoch ${epoch}, and its state folder does not know them`,
    {
      hint: 'the state folder was lost or set back: restore the newest backup; without one begin a new epoch with tieup logs new-epoch',
    },
  );
}

/** A tree that this site has signed and `state` contradicts; undefined when there is none. */
export async function forgottenTree(site: PartnerSite, state: LogState): Promise<SignedTree | undefined> {
  for (const log of TREES) {
    const found = (await signedTrees(site, log)).find((signed) => contradicts(state, signed));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The newest epoch that this site is known to have signed anything in; 0 when it has not. */
export async function signedEpoch(site: PartnerSite): Promise<number> {
  const all = (await Promise.all(TREES.map((log) => signedTrees(site, log)))).flat();
  return Math.max(0, ...all.map(({ epoch }) => epoch));
}

/** In the outbox, and cosigned in the inbox. What is not signed by this site says nothing. */
async function signedTrees(site: PartnerSite, log: TreeName): Promise<readonly SignedTree[]> {
  const shown = await readIfThere(site.exchange, checkpointPath(log), MAX_CHECKPOINT_NOTE);
  const cosigned = await lookAtCosigned(site, log);
  return [
    ...(shown === undefined ? [] : await openShown(site, log, shown)),
    ...(cosigned.kind === 'cosigned' ? [{ ...cosigned, log }] : []),
  ];
}

async function openShown(site: PartnerSite, log: TreeName, note: Uint8Array): Promise<readonly SignedTree[]> {
  try {
    const { origin, size, root } = openCheckpoint(note, await ownKeysEver(site, 'log'));
    return origin.log === log && origin.partner === site.config.partner
      ? [{ log, epoch: origin.epoch, size, root }]
      : [];
  } catch {
    return [];
  }
}

function contradicts(state: LogState, signed: SignedTree): boolean {
  const { log } = signed;
  if (signed.epoch !== state.epoch) return signed.epoch > state.epoch;
  const size = treeSize(state.counts, log);
  if (signed.size !== size) return signed.size > size;
  return !sameHead(signed, { size, root: frontierOf(state, log).root() });
}
