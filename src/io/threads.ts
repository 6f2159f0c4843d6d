/** A second thread of this process, for work that takes a core of its own. */

/**
 * What a module offers which runs on a thread: `export function serve(data)`.
 *
 * It gets the data of {@link Threads.start} and answers each message with one answer, in order. Buffers in `transfer` change
 * sides and are gone for the sender.
 */
export type Serve = (data: unknown) => (message: unknown) => Parcel;

export interface Parcel {
  readonly message: unknown;
  readonly transfer: readonly ArrayBuffer[];
}

export interface Threads {
  /** Starts a thread which serves with the module at this address. */
  start(module: URL, data: unknown): Thread;
}

export interface Thread {
  /**
   * Sends a message and gives the answer to it. Answers come in the order of the messages.
   *
   * Rejects with the module's error, or with TIEUP_E_FAILED when the thread has ended.
   */
  ask(parcel: Parcel): Promise<unknown>;
  /** Ends the thread; what is unanswered is rejected. */
  stop(): Promise<void>;
}
