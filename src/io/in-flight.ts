/** Bytes that are under way on one connection, whoever of its users sends them. */

/** At 20 ms of delay they fill a gigabit line; ssh2 would queue without bound. */
export const IN_FLIGHT = 3 * 1024 * 1024;

export class InFlight {
  #free = IN_FLIGHT;
  #waiting: (() => void)[] = [];

  /** Waits until so many more bytes may be sent, which must be fewer than {@link IN_FLIGHT}. */
  async take(bytes: number): Promise<void> {
    while (this.#free < bytes) await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    this.#free -= bytes;
  }

  /** They were acknowledged, or will never be. */
  give(bytes: number): void {
    this.#free += bytes;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
