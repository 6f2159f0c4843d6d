/** Seals batches of records and keeps them: hashes and lines first, the trees that they belong to only when all is flushed. */
import type { ScannedBatch } from '../../logs/record-writer.ts';
import { createSealer, type Segment as SealedSegment } from '../../logs/seal.ts';
import type { PartnerSite } from '../partner-site.ts';
import { frontierOf, type LogState, type TreeName } from './log-state.ts';
import { hashesPath, linesPath } from './segments.ts';

export interface SegmentKeeper {
  keep(batches: readonly ScannedBatch[]): Promise<void>;
  /** Flushes what was kept. */
  flush(): Promise<void>;
  /** Of each tree, the largest perfect subtree first, in hex. */
  frontiers(): Readonly<Record<TreeName, readonly string[]>>;
}

/** Keeps what comes behind `before`, in the epoch of it. */
export function segmentKeeper(
  site: PartnerSite,
  before: Pick<LogState, 'epoch' | 'counts' | 'frontiers'>,
): SegmentKeeper {
  const sealer = createSealer((bytes) => bytes.set(site.random(bytes.length)), {
    T: frontierOf(before, 'T'),
    O: frontierOf(before, 'O'),
  });
  let frontiers = before.frontiers;
  const written: string[] = [];
  const write = async ({ tree, first, next, rawLength, hashes, gzip, frontier }: SealedSegment): Promise<void> => {
    const place = { epoch: before.epoch, tree, first, next };
    const [lines, leaves] = [linesPath(place, rawLength), hashesPath(place)];
    await site.state.write(lines, gzip, { durable: false, mode: 0o600 });
    await site.state.write(leaves, hashes, { durable: false, mode: 0o600 });
    written.push(lines, leaves);
    frontiers = { ...frontiers, [tree]: frontier.map((each) => Buffer.from(each).toString('hex')) };
  };
  return {
    async keep(batches) {
      for (const batch of batches) await write(await sealer.seal(batch));
    },
    flush: async () => {
      if (written.length > 0) await site.state.sync(written);
    },
    frontiers: () => frontiers,
  };
}
