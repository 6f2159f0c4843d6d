/** A second thread of this process, for work that takes a core of its own. */

/** A message, or an answer. Buffers in `transfer` change sides and are gone for the sender. */
export interface Parcel {
  readonly message: unknown;
  readonly transfer: readonly ArrayBuffer[];
}

export interface Threads {
  /**
   * Starts a thread that runs the module at this address.
   *
   * The module exports `serve(data)`, which gives a function that answers each message, in order, with a {@link Parcel} or a
   * promise of one.
   */
  start(module: URL, data: unknown, limits?: ThreadLimits): Thread;
}

export interface ThreadLimits {
  /** Of its heap; a thread that needs more ends. What fits must not depend on the machine. */
  readonly maxHeapMegabytes: number;
}

export interface Thread {
  /**
   * Sends a message and gives the answer to it. Answers come in the order of the messages.
   *
   * Rejects with the module's error, with TIEUP_E_TIMEOUT when the answer takes longer, with TIEUP_E_TOO_LARGE when the heap
   * is full, and with TIEUP_E_FAILED when the thread has ended. It has ended after each of these.
   * @param timeoutMs from now on; for ever unless given
   */
  ask(parcel: Parcel, timeoutMs?: number): Promise<unknown>;
  /** Ends the thread; what is unanswered is rejected. */
  stop(): Promise<void>;
}
