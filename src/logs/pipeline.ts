/** Batches on their way to segments: some are being sealed while the next records are read. */
import type { ScannedBatch } from './record-writer.ts';
import type { Sealer, Segment } from './seal.ts';

/** Batches that are being sealed at a time: what bounds the memory. */
const IN_FLIGHT = 3;

export class SealingLine {
  readonly #sealer: Sealer;
  readonly #sealing: Promise<Segment>[] = [];

  constructor(sealer: Sealer) {
    this.#sealer = sealer;
  }

  /** Starts to seal; gives the segments, in their order, that had to be waited for. */
  async push(batches: readonly ScannedBatch[]): Promise<readonly Segment[]> {
    const ready: Segment[] = [];
    for (const batch of batches) {
      const segment = this.#sealer.seal(batch);
      // Its rejection is met where the segment is awaited, which may be later.
      segment.catch(() => undefined);
      this.#sealing.push(segment);
      while (this.#sealing.length > IN_FLIGHT) ready.push(await this.#next());
    }
    return ready;
  }

  /** Gives the segments that are left. */
  async finish(): Promise<readonly Segment[]> {
    const ready: Segment[] = [];
    while (this.#sealing.length > 0) ready.push(await this.#next());
    return ready;
  }

  /** @throws what sealing throws; everything that is being sealed is then left alone. */
  async #next(): Promise<Segment> {
    const [first] = this.#sealing.splice(0, 1);
    if (first === undefined) throw new TypeError('nothing is being sealed');
    return first;
  }
}
