/** Sealing on a thread of its own, so that one core reads and judges while the other hashes and compresses. */
import { TieupError } from '../errors.ts';
import { Frontier } from '../protocol/merkle.ts';
import type { ScannedBatch, TreeName } from './record-writer.ts';
import { type Frontiers, type RandomSource, saltsFor, sealBatch, type Sealer, type Segment } from './seal.ts';
import { has } from './thread-message.ts';

/** The one thing that is asked of a thread: io's `Thread`, told as this layer needs it. */
export interface SealingThread {
  ask(parcel: { readonly message: unknown; readonly transfer: readonly ArrayBuffer[] }): Promise<unknown>;
  stop(): Promise<void>;
}

/** What the thread starts with: plain data, as it is copied. */
interface SavedTree {
  readonly size: number;
  readonly hashes: readonly Uint8Array[];
}
export type SavedTrees = Readonly<Record<TreeName, SavedTree>>;

interface Order {
  readonly batch: ScannedBatch;
  readonly salts: Uint8Array<ArrayBuffer>;
}

export function savedTrees({ T, O }: Frontiers): SavedTrees {
  return { T: { size: T.size, hashes: T.hashes() }, O: { size: O.size, hashes: O.hashes() } };
}

/** Seals on a thread that runs {@link serve} with {@link savedTrees}. Salts are drawn here: the thread has no source of its own. */
export function createThreadSealer(thread: SealingThread, random: RandomSource): Sealer {
  return {
    async seal(batch) {
      const salts = saltsFor(batch, random);
      const order: Order = { batch, salts };
      const transfer = [batch.lines.buffer, batch.bounds.buffer, salts.buffer];
      const segment = await thread.ask({ message: order, transfer });
      if (!isSegment(segment)) throw new TieupError('TIEUP_E_FAILED', 'the sealing thread gave no segment');
      return segment;
    },
    close: () => thread.stop(),
  };
}

/** The thread's side; see io/threads.ts. */
export function serve(data: unknown): (message: unknown) => { message: Segment; transfer: ArrayBuffer[] } {
  const trees = openTrees(data);
  return (message) => {
    if (!isOrder(message))
      throw new TieupError('TIEUP_E_FAILED', 'the sealing thread was sent something else than a batch');
    const segment = sealBatch(message.batch, message.salts, trees[message.batch.tree]);
    return { message: segment, transfer: [segment.hashes.buffer, segment.gzip.buffer] };
  };
}

function openTrees(data: unknown): Frontiers {
  if (!isSavedTrees(data)) throw new TieupError('TIEUP_E_FAILED', 'the sealing thread was not told its trees');
  return { T: Frontier.of(data.T.size, data.T.hashes), O: Frontier.of(data.O.size, data.O.hashes) };
}

function isSavedTrees(value: unknown): value is SavedTrees {
  return has(value, 'T') && has(value, 'O');
}

function isOrder(value: unknown): value is Order {
  return has(value, 'batch') && has(value, 'salts');
}

function isSegment(value: unknown): value is Segment {
  return has(value, 'hashes') && has(value, 'gzip');
}
