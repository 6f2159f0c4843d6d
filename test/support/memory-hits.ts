/** Hits that were imported, without DuckDB. */
import type { HitStore } from '../../src/io/hit-store.ts';

export interface MemoryHits extends HitStore {
  /** By the path that a file would have, its lines. */
  readonly files: ReadonlyMap<string, readonly string[]>;
  /** Imports that were begun, and neither committed nor discarded. */
  readonly open: () => number;
}

export function memoryHits(): MemoryHits {
  const files = new Map<string, readonly string[]>();
  let open = 0;
  return {
    files,
    open: () => open,
    begin: async ({ partner, log, epoch, from, size }) => {
      open += 1;
      let isOpen = true;
      const days = new Map<string, string[]>();
      const end = (): void => {
        if (isOpen) open -= 1;
        isOpen = false;
      };
      return {
        add: (day, bytes, start, to) => {
          const lines = days.get(day) ?? [];
          lines.push(Buffer.from(bytes.subarray(start, to)).toString());
          days.set(day, lines);
        },
        settle: async () => {},
        commit: async () => {
          let records = 0;
          for (const [day, lines] of days) {
            files.set(`partner=${partner}/day=${day}/log=${log}/${epoch}-${from}-${size}`, lines);
            records += lines.length;
          }
          end();
          return records;
        },
        discard: async () => end(),
      };
    },
    close: async () => {},
  };
}
