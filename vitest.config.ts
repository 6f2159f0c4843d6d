import { accessSync, constants, statfsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

/** Containers often get 64 MB there, which the folders of a few tests fill. */
const ENOUGH_BYTES = 2 ** 29;

/** Thousands of durable writes: where there is a file system in memory, flushing costs nothing. */
function memoryFolder(): Record<string, string> {
  try {
    accessSync('/dev/shm', constants.W_OK);
    const { bavail, bsize } = statfsSync('/dev/shm');
    return bavail * bsize < ENOUGH_BYTES ? {} : { TMPDIR: '/dev/shm' };
  } catch {
    return {};
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    env: memoryFolder(),
    // Every core: tests wait for disks, servers and children half of their time, and no file needs the machine for itself.
    maxWorkers: '100%',
    sequence: { shuffle: true },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    restoreMocks: true,
    setupFiles: ['test/support/remembered-signatures.ts', 'test/support/fixed-properties.ts'],
    // The bundle is called as Node loads it.
    server: { deps: { external: [/\/dist\/cli\//] } },
  },
});
