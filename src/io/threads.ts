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
   * The module exports `serve(data)`, which gives a function that answers each message, in order, with a {@link Parcel}.
   */
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
