/** Seals batches of records and keeps them: hashes and lines first, the trees that they belong to only when all is flushed. */
import { SealingLine } from '../../logs/pipeline.ts';
import type { ScannedBatch } from '../../logs/record-writer.ts';
import { createSealer, type RandomSource, type Sealer, type Segment as SealedSegment } from '../../logs/seal.ts';
import { createThreadSealer, savedTrees } from '../../logs/seal-thread.ts';
import type { PartnerSite } from '../partner-site.ts';
import { frontierOf, type LogState, type TreeName } from './log-state.ts';
import { hashesPath, linesPath } from './segments.ts';

export interface SegmentKeeper {
  keep(batches: readonly ScannedBatch[]): Promise<void>;
  /** Flushes what was kept. */
  flush(): Promise<void>;
  /** Of each tree, the largest perfect subtree first, in hex. */
  frontiers(): Readonly<Record<TreeName, readonly string[]>>;
  /** Ends what works beside this thread; to be called whatever happened. */
  close(): Promise<void>;
}

/** Batches of two megabytes after which another thread is worth its start. */
const MUCH = 6;

/** Keeps what comes behind `before`, in the epoch of it. */
export function segmentKeeper(
  site: PartnerSite,
  before: Pick<LogState, 'epoch' | 'counts' | 'frontiers'>,
): SegmentKeeper {
  const random: RandomSource = (bytes) => bytes.set(site.random(bytes.length));
  const trees = { T: frontierOf(before, 'T'), O: frontierOf(before, 'O') };
  let sealer: Sealer = createSealer(random, trees);
  let line = new SealingLine(sealer);
  let frontiers = before.frontiers;
  let kept = 0;
  const written: string[] = [];
  const write = async (segments: readonly SealedSegment[]): Promise<void> => {
    for (const { tree, first, next, rawLength, hashes, gzip, frontier } of segments) {
      const place = { epoch: before.epoch, tree, first, next };
      const [lines, leaves] = [linesPath(place, rawLength), hashesPath(place)];
      await site.state.write(lines, gzip, { durable: false, mode: 0o600 });
      await site.state.write(leaves, hashes, { durable: false, mode: 0o600 });
      written.push(lines, leaves);
      frontiers = { ...frontiers, [tree]: frontier.map((each) => Buffer.from(each).toString('hex')) };
    }
  };
  /** The trees go with the work: from here on this thread only reads. */
  const moveToThread = async (): Promise<void> => {
    if (site.startSealing === undefined) return;
    await write(await line.finish());
    sealer = createThreadSealer(site.startSealing(savedTrees(trees)), random);
    line = new SealingLine(sealer);
  };
  return {
    async keep(batches) {
      for (const batch of batches) {
        kept += 1;
        if (kept === MUCH) await moveToThread();
        await write(await line.push([batch]));
      }
    },
    async flush() {
      await write(await line.finish());
      if (written.length > 0) await site.state.sync(written);
    },
    frontiers: () => frontiers,
    close: () => sealer.close(),
  };
}
