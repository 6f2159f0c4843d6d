/** Counts a whole log: here, and from some length on beside a thread which takes the pieces that it has the time for. */
import { TieupError } from '../errors.ts';
import { compileFormat } from './format.ts';
import { createTally, type Tally, type TallyCounter } from './tally.ts';
import type { HitSource } from './hit-reader.ts';
import type { PublishedPaths } from './published-files.ts';
import { has } from './thread-message.ts';

/** The one thing that is asked of a thread: io's `Thread`, told as this layer needs it. */
export interface CountingThread {
  ask(parcel: { readonly message: unknown; readonly transfer: readonly ArrayBuffer[] }): Promise<unknown>;
  stop(): Promise<void>;
}

/** Starts a thread that runs {@link serve}. */
export type StartCounting = (order: CountingOrder) => CountingThread;

/** What the thread starts with: plain data, as it is copied. */
export interface CountingOrder {
  readonly format: string;
  readonly source: Omit<HitSource, 'format'>;
  readonly published: PublishedPaths;
}

/** Bytes which are counted here before a thread has started and runs as fast. */
const WORTH_A_THREAD = 32 * 1024 * 1024;
/** Pieces that wait for the thread, so that it never waits for one. */
const IN_FLIGHT = 2;
const LF = 0x0a;
const FINISH = 'finish';

/** @param worthAThread from so many bytes on. @throws what `chunks` throws, and TIEUP_E_FAILED when the thread ends early. */
export async function countLog(
  chunks: AsyncIterable<Uint8Array>,
  source: HitSource,
  published: PublishedPaths,
  startCounting?: StartCounting,
  worthAThread = WORTH_A_THREAD,
): Promise<Tally> {
  const here = createTally(source, published);
  // A line about the format is about all lines behind it: these are read in one go.
  const mayShare = startCounting !== undefined && !source.format.hasDirectives;
  let there: Assistant | undefined;
  let read = 0;
  try {
    for await (const chunk of chunks) {
      read += chunk.length;
      if (mayShare && read > worthAThread) {
        const { format, ...rest } = source;
        there ??= new Assistant(startCounting({ format: format.spec, source: rest, published }));
      }
      here.push(there?.isFree === true ? shareOut(chunk, here, there) : chunk);
    }
    const counted = here.finish();
    return there === undefined ? counted : sumOf(counted, await there.finish());
  } finally {
    await there?.stop();
  }
}

/** Gives the whole lines within the chunk to the thread and what stands before them to `here`. @returns what stands behind them. */
function shareOut(chunk: Uint8Array, here: TallyCounter, there: Assistant): Uint8Array {
  const first = chunk.indexOf(LF) + 1;
  const last = chunk.lastIndexOf(LF) + 1;
  here.push(chunk.subarray(0, first));
  if (first < last) there.push(new Uint8Array(chunk.subarray(first, last)));
  return chunk.subarray(last);
}

class Assistant {
  readonly #thread: CountingThread;
  readonly #answers: Promise<unknown>[] = [];
  #waiting = 0;

  constructor(thread: CountingThread) {
    this.#thread = thread;
  }

  get isFree(): boolean {
    return this.#waiting < IN_FLIGHT;
  }

  /** The bytes are the thread's from now on. */
  push(lines: Uint8Array<ArrayBuffer>): void {
    this.#waiting += 1;
    const answer = this.#thread.ask({ message: lines, transfer: [lines.buffer] });
    // Told when all are awaited.
    answer.then(
      () => (this.#waiting -= 1),
      () => {},
    );
    this.#answers.push(answer);
  }

  async finish(): Promise<Tally> {
    await Promise.all(this.#answers);
    const tally = await this.#thread.ask({ message: FINISH, transfer: [] });
    if (!isTally(tally)) throw new TieupError('TIEUP_E_FAILED', 'the counting thread gave no counts');
    return tally;
  }

  stop(): Promise<void> {
    return this.#thread.stop();
  }
}

/** The thread's side; see io/threads.ts. */
export function serve(order: unknown): (message: unknown) => { message: Tally | undefined; transfer: ArrayBuffer[] } {
  if (!isOrder(order)) throw new TieupError('TIEUP_E_FAILED', 'the counting thread was not told what to count');
  const tally = createTally({ ...order.source, format: compileFormat(order.format) }, order.published);
  return (message) => {
    if (message === FINISH) return { message: tally.finish(), transfer: [] };
    if (!(message instanceof Uint8Array)) {
      throw new TieupError('TIEUP_E_FAILED', 'the counting thread was sent something else than lines');
    }
    tally.push(message);
    return { message: undefined, transfer: [] };
  };
}

function sumOf(a: Tally, b: Tally): Tally {
  const byFile = new Map(a.byFile);
  for (const [path, count] of b.byFile) byFile.set(path, (byFile.get(path) ?? 0) + count);
  return {
    lines: a.lines + b.lines,
    T: a.T + b.T,
    O: a.O + b.O,
    X: a.X + b.X,
    bytes: a.bytes + b.bytes,
    byStatus: a.byStatus.map((count, hundreds) => count + (b.byStatus[hundreds] ?? 0)),
    bots: a.bots + b.bots,
    byFile,
  };
}

function isOrder(value: unknown): value is CountingOrder {
  return has(value, 'format') && has(value, 'published');
}

function isTally(value: unknown): value is Tally {
  return has(value, 'lines') && has(value, 'byFile');
}
