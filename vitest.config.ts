import { accessSync, constants } from 'node:fs';
import { defineConfig } from 'vitest/config';

/** Thousands of durable writes: where there is a file system in memory, flushing costs nothing. */
function memoryFolder(): Record<string, string> {
  try {
    accessSync('/dev/shm', constants.W_OK);
    return { TMPDIR: '/dev/shm' };
  } catch {
    return {};
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    env: memoryFolder(),
    sequence: { shuffle: true },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    restoreMocks: true,
  },
});
