/** Threads by node:worker_threads. */
import { Worker } from 'node:worker_threads';
import { TieupError } from '../errors.ts';
import { errorCode } from './storage-fault.ts';
import type { Parcel, Thread, ThreadLimits, Threads } from './threads.ts';

const YOUNG_MEGABYTES = 64;

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Threads of this process. `entry` is the compiled worker-entry.js: bundled code has none beside it, and sources cannot be run. */
export function workerThreads(entry: URL): Threads {
  return { start: (module, data, limits) => new WorkerThread(entry, module, data, limits) };
}

class WorkerThread implements Thread {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  #ended: unknown;

  constructor(entry: URL, module: URL, data: unknown, limits: ThreadLimits | undefined) {
    this.#worker = new Worker(entry, {
      workerData: { module: module.href, data },
      resourceLimits: {
        // Parsing makes much that is soon forgotten: with room for it, little is taken for lasting and has to be collected.
        maxYoungGenerationSizeMb: YOUNG_MEGABYTES,
        ...(limits && { maxOldGenerationSizeMb: limits.maxHeapMegabytes }),
      },
    });
    // A thread that nobody waits for does not keep the process alive.
    this.#worker.unref();
    this.#worker.on('message', (answer: unknown) => {
      this.#waiting.shift()?.resolve(answer);
      if (this.#waiting.length === 0) this.#worker.unref();
    });
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', () => this.#end(undefined));
  }

  ask({ message, transfer }: Parcel, timeoutMs?: number): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const answer = new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage(message, [...transfer]);
    });
    return timeoutMs === undefined ? answer : this.#within(timeoutMs, answer);
  }

  async #within(timeoutMs: number, answer: Promise<unknown>): Promise<unknown> {
    const timer = setTimeout(() => {
      this.#end(
        new TieupError('TIEUP_E_TIMEOUT', `a thread of tieup has not answered for ${timeoutMs / 1000} seconds`),
      );
      void this.stop();
    }, timeoutMs);
    try {
      return await answer;
    } finally {
      clearTimeout(timer);
    }
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  #end(error: unknown): void {
    this.#ended ??= ended(error);
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
  }
}

function ended(cause: unknown): TieupError {
  if (cause instanceof TieupError) return cause;
  if (errorCode(cause) === 'ERR_WORKER_OUT_OF_MEMORY')
    return new TieupError('TIEUP_E_TOO_LARGE', 'a thread of tieup needs more memory than it may have', { cause });
  return new TieupError('TIEUP_E_FAILED', 'a thread of tieup has ended early', { cause });
}
