/** From chunks of logs to sealed segments, while the next records are being read. */
import type { ScannedBatch } from './record-writer.ts';
import type { Sealer, Segment } from './seal.ts';

/** Batches that are being sealed at a time: what bounds the memory. */
const IN_FLIGHT = 3;

/** The segments of the batches, in their order. */
export async function* sealAll(
  batches: AsyncIterable<readonly ScannedBatch[]>,
  sealer: Sealer,
): AsyncGenerator<Segment, void, undefined> {
  const sealing: Promise<Segment>[] = [];
  try {
    for await (const given of batches) {
      for (const batch of given) {
        const segment = sealer.seal(batch);
        // Its rejection is met where the segment is awaited, which may be later.
        segment.catch(() => undefined);
        sealing.push(segment);
        while (sealing.length > IN_FLIGHT) yield* next(sealing);
      }
    }
    while (sealing.length > 0) yield* next(sealing);
  } finally {
    await Promise.allSettled(sealing);
  }
}

async function* next(sealing: Promise<Segment>[]): AsyncGenerator<Segment, void, undefined> {
  const first = sealing.shift();
  if (first !== undefined) yield await first;
}
