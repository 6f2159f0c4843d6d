/**
 * What shows a machine that remembers nothing of a partner, as a fresh checkout does, that more was sent there than the head of the
 * inbox says: metadata under higher numbers, and what the partner has answered. A head that is gone, or an older one that was put
 * back, must not make it sign a number a second time.
 */
import type { Partnership } from '../config/partnership.ts';
import { isTieupError, TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { together } from '../io/together.ts';
import { INBOX_METADATA } from '../protocol/exchange.ts';
import { isSignedUnder, MAX_HONEST_VERSION } from '../protocol/tuf-metadata.ts';
import type { Versions } from './learn-remote.ts';
import type { MainSite } from './main-site.ts';
import { openOutbox } from './read-outbox.ts';
import { newestRoot } from './root-store.ts';
import { NUMBERED } from './watched-head.ts';

export interface Traces {
  /** The highest number of a release that is signed with the keys of the newest root and lies in the inbox; 0 for none. */
  readonly sent: number;
  /** The highest that the partner has signed an answer to; 0 for none. */
  readonly answered: number;
  /** The highest of a snapshot that lies there. */
  readonly snapshot: number;
}

const MAX_TARGETS = 1024 * 1024;
/** Pushes remove what is older than the release before; the rest may be anybody's. */
const MAX_LOOKED_AT = 64;

/** @param own numbers that this process has used itself, in an attempt that was cut off: another one takes them again */
export async function readTraces(
  site: MainSite,
  partnership: Partnership,
  exchange: FileTree,
  own?: Versions,
): Promise<Traces> {
  const [listed, answered] = await together([exchange.list(INBOX_METADATA), readAnswered(exchange, partnership)]);
  const numbers = (wanted: 'targets' | 'snapshot'): readonly number[] =>
    listed.flatMap(({ name }) => {
      const [, number, role] = NUMBERED.exec(name) ?? [];
      const isMeant = role === wanted && Number(number) !== own?.[wanted];
      return isMeant && Number(number) <= MAX_HONEST_VERSION ? [Number(number)] : [];
    });
  const { bytes: root } = await newestRoot(site, partnership.id);
  const isSigned = async (number: number): Promise<boolean> => {
    const bytes = await readIfThere(exchange, `${INBOX_METADATA}/${number}.targets.json`, MAX_TARGETS);
    return bytes !== undefined && isSignedUnderOrNone(root, bytes);
  };
  const looked = numbers('targets')
    .toSorted((a, b) => a - b)
    .slice(0, MAX_LOOKED_AT);
  const signed = await together(looked.map(isSigned));
  return {
    sent: Math.max(0, ...looked.filter((_, index) => signed[index] === true)),
    answered,
    snapshot: Math.max(0, ...numbers('snapshot')),
  };
}

function isSignedUnderOrNone(root: Uint8Array, targets: Uint8Array): boolean {
  try {
    return isSignedUnder(root, targets);
  } catch (error) {
    // What is no metadata at all is nobody's release.
    if (isTieupError(error, 'TIEUP_E_VERIFY')) return false;
    throw error;
  }
}

/** Of what cannot be believed nothing follows here: that is told where answers are taken in. */
async function readAnswered(exchange: FileTree, partnership: Partnership): Promise<number> {
  if (partnership.keys === null) return 0;
  try {
    const { decision, receipt } = await openOutbox(exchange, partnership);
    const named = [decision?.statement.release ?? 0, receipt?.statement.release ?? 0];
    return Math.max(...named.filter((number) => number <= MAX_HONEST_VERSION), 0);
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_VERIFY', 'TIEUP_E_TOO_LARGE', 'TIEUP_E_UNSAFE_PATH')) return 0;
    throw error;
  }
}

/**
 * The versions to go on from, where the traces are above `head`; undefined where they are not. One number above it is what a push
 * that died right before its end leaves, and means nothing while nobody has answered to it.
 * @param isSaid the manager wants to go on
 * @throws TIEUP_E_VERIFY when the head was taken away or set back, unless that is said
 */
export function pastTraces(partner: string, traces: Traces, head: Versions, isSaid: boolean): Versions | undefined {
  const { sent, answered } = traces;
  const highest = Math.max(sent, answered);
  if (highest <= head.targets) return undefined;
  const snapshot = Math.max(head.snapshot, traces.snapshot, highest);
  // The version of a timestamp is never above that of its snapshot.
  const versions = { targets: highest, snapshot, timestamp: Math.max(head.timestamp, snapshot) };
  if (isSaid) return versions;
  if (answered <= head.targets && sent === head.targets + 1) return head.targets === 0 ? versions : undefined;
  const shown = head.targets === 0 ? 'no release' : `release ${head.targets}`;
  throw new TieupError(
    'TIEUP_E_VERIFY',
    `the inbox of ${partner} shows ${shown}, but release ${highest} was there, and this machine remembers nothing of it`,
    {
      hint: `a restored backup does this, and so does a thief; push from the machine that has pushed before, or, once you know why, run tieup push --full ${partner}`,
    },
  );
}
