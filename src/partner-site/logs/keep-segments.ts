/** Seals batches of records and keeps them: hashes and lines first, the trees that they belong to only when all is flushed. */
import type { RecordBatch } from '../../logs/record-writer.ts';
import { compressLines, createSealer } from '../../logs/seal.ts';
import type { PartnerSite } from '../partner-site.ts';
import { frontierOf, type LogState, segmentAt, type TreeName } from './log-state.ts';

export interface SegmentKeeper {
  keep(batches: readonly RecordBatch[]): Promise<void>;
  /** Flushes what was kept. */
  flush(): Promise<void>;
  /** Of each tree, the largest perfect subtree first, in hex. */
  frontiers(): Readonly<Record<TreeName, readonly string[]>>;
}

export function segmentKeeper(site: PartnerSite, before: LogState): SegmentKeeper {
  const frontiers = { T: frontierOf(before, 'T'), O: frontierOf(before, 'O') };
  const sealer = createSealer((bytes) => bytes.set(site.random(bytes.length)), frontiers);
  const written: string[] = [];
  return {
    async keep(batches) {
      for (const batch of batches) {
        const rawLength = batch.lines.length;
        const sealed = sealer.seal(batch);
        const segment = segmentAt(before.epoch, sealed.tree, { first: sealed.first, next: sealed.next, rawLength });
        await site.state.write(segment.hashes, sealed.hashes, { durable: false, mode: 0o600 });
        await site.state.write(segment.lines, compressLines(sealed.lines), { durable: false, mode: 0o600 });
        written.push(segment.hashes, segment.lines);
      }
    },
    flush: async () => {
      if (written.length > 0) await site.state.sync(written);
    },
    frontiers: () => {
      const hex = (tree: TreeName) => frontiers[tree].hashes().map((each) => Buffer.from(each).toString('hex'));
      return { T: hex('T'), O: hex('O') };
    },
  };
}
