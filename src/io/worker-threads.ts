/** Threads by node:worker_threads. */
import { Worker } from 'node:worker_threads';
import { TieupError } from '../errors.ts';
import type { Parcel, Thread, Threads } from './threads.ts';

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Threads of this process. `entry` is the compiled worker-entry.js: bundled code has none beside it, and sources cannot be run. */
export function workerThreads(entry: URL): Threads {
  return { start: (module, data) => new WorkerThread(entry, module, data) };
}

class WorkerThread implements Thread {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  #ended: unknown;

  constructor(entry: URL, module: URL, data: unknown) {
    this.#worker = new Worker(entry, {
      workerData: { module: module.href, data },
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

  ask({ message, transfer }: Parcel): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage(message, [...transfer]);
    });
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  #end(error: unknown): void {
    this.#ended ??= new TieupError('TIEUP_E_FAILED', 'a thread of tieup has ended early', { cause: error });
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
  }
}
