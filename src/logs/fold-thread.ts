/** Folding an exported log into its tree on a thread of its own, so that one core reads and checks while the other hashes. */
import { TieupError } from '../errors.ts';
import { FoldedTree, type PartRoots, type PartTree, type PlantTree, type TreeSeed } from '../protocol/log-part-tree.ts';
import type { Digest } from '../protocol/merkle.ts';
import { has } from './thread-message.ts';

/** The one thing that is asked of a thread: io's `Thread`, told as this layer needs it. */
export interface FoldingThread {
  ask(parcel: { readonly message: unknown; readonly transfer: readonly ArrayBuffer[] }): Promise<unknown>;
  stop(): Promise<void>;
}

/** Starts a thread that runs {@link serve}; undefined while there are as many as there may be. */
export type StartFolding = (seed: TreeSeed) => FoldingThread | undefined;

interface Leaves {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly bounds: Uint32Array<ArrayBuffer>;
}

interface Withheld {
  readonly level: number;
  readonly digest: Digest;
}

/** Bytes which are folded here before a thread has started and runs as fast. */
const WORTH_A_THREAD = 16 * 1024 * 1024;
/** Messages that wait for the thread, each of at most a window of the reader: what bounds the memory. */
const IN_FLIGHT = 16;
const FINISH = 'finish';

/** Folds here, and from some length on beside a thread where one can be had. @param worthAThread from so many bytes on. */
export function foldBeside(start: StartFolding | undefined, worthAThread = WORTH_A_THREAD): PlantTree | undefined {
  return start && ((seed) => new SharedTree(seed, start, worthAThread));
}

class SharedTree implements PartTree {
  readonly #here: FoldedTree;
  readonly #start: StartFolding;
  readonly #answers: Promise<unknown>[] = [];
  #thread: FoldingThread | undefined;
  /** Bytes that are folded here still. */
  #left: number;

  constructor(seed: TreeSeed, start: StartFolding, worthAThread: number) {
    this.#here = new FoldedTree(seed);
    this.#start = start;
    this.#left = worthAThread;
  }

  appendLeaves(bytes: Uint8Array, bounds: Uint32Array, count: number): void {
    if (count === 0) return;
    const start = bounds[0] ?? 0;
    const end = bounds[2 * count - 1] ?? start;
    this.#left -= end - start;
    if (this.#left < 0 && this.#thread === undefined) {
      this.#thread = this.#start(this.#here.seed);
      // All are taken: asked for again when as much was read once more.
      if (this.#thread === undefined) this.#left = WORTH_A_THREAD;
    }
    if (this.#thread === undefined) {
      this.#here.appendLeaves(bytes, bounds, count);
      return;
    }
    const leaves: Leaves = { bytes: new Uint8Array(bytes.subarray(start, end)), bounds: bounds.slice(0, 2 * count) };
    for (let at = 0; at < 2 * count; at += 1) leaves.bounds[at] = (leaves.bounds[at] ?? 0) - start;
    this.#tell(this.#thread, leaves, [leaves.bytes.buffer, leaves.bounds.buffer]);
  }

  appendSubtree(level: number, digest: Digest): void {
    const withheld: Withheld = { level, digest };
    if (this.#thread === undefined) this.#here.appendSubtree(level, digest);
    else this.#tell(this.#thread, withheld, []);
  }

  #tell(thread: FoldingThread, message: Leaves | Withheld, transfer: readonly ArrayBuffer[]): void {
    const answer = thread.ask({ message, transfer });
    // Its rejection is met where it is awaited, which may be later.
    answer.catch(() => undefined);
    this.#answers.push(answer);
  }

  settle(): Promise<void> | undefined {
    return this.#answers.length > IN_FLIGHT ? this.#await(IN_FLIGHT) : undefined;
  }

  async #await(left: number): Promise<void> {
    for (const answer of this.#answers.splice(0, this.#answers.length - left)) await answer;
  }

  async finish(): Promise<PartRoots> {
    const here = this.#here.roots;
    if (this.#thread === undefined) return here;
    await this.#await(0);
    const there = await this.#thread.ask({ message: FINISH, transfer: [] });
    if (!isRoots(there)) throw new TieupError('TIEUP_E_FAILED', 'the folding thread gave no root');
    return { root: there.root, passed: new Map([...here.passed, ...there.passed]) };
  }

  async close(): Promise<void> {
    await this.#thread?.stop();
  }
}

/** The thread's side; see io/threads.ts. */
export function serve(seed: unknown): (message: unknown) => { message: PartRoots | undefined; transfer: [] } {
  if (!isSeed(seed)) throw new TieupError('TIEUP_E_FAILED', 'the folding thread was not told its tree');
  const tree = new FoldedTree(seed);
  return (message) => {
    if (message === FINISH) return { message: tree.roots, transfer: [] };
    if (isLeaves(message)) tree.appendLeaves(message.bytes, message.bounds, message.bounds.length / 2);
    else if (isWithheld(message)) tree.appendSubtree(message.level, message.digest);
    else throw new TieupError('TIEUP_E_FAILED', 'the folding thread was sent something else than records');
    return { message: undefined, transfer: [] };
  };
}

function isSeed(value: unknown): value is TreeSeed {
  return has(value, 'size') && has(value, 'sizes');
}

function isLeaves(value: unknown): value is Leaves {
  return has(value, 'bytes') && has(value, 'bounds');
}

function isWithheld(value: unknown): value is Withheld {
  return has(value, 'level') && has(value, 'digest');
}

function isRoots(value: unknown): value is PartRoots {
  return has(value, 'root') && has(value, 'passed');
}
