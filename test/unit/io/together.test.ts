import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { forEachFile } from '../../../src/io/together.ts';

const disk = { roundTripMs: () => 0 };
const line = { roundTripMs: () => 20 };
const files = Array.from({ length: 40 }, (_, number) => number);

/** What of the work was under way at the same time, at most, and in which order it was begun. */
async function watched(trees: Parameters<typeof forEachFile>[0], failing?: number) {
  const begun: number[] = [];
  let underWay = 0;
  let most = 0;
  const outcome = await forEachFile(trees, files, async (file) => {
    begun.push(file);
    underWay += 1;
    most = Math.max(most, underWay);
    await setImmediate();
    underWay -= 1;
    if (file === failing) throw new Error(`file ${file}`);
  }).then(
    () => 'done',
    (error: unknown) => String(error),
  );
  return { begun, most, outcome, left: underWay };
}

describe('doing the same to each file of a tree', () => {
  test('is done to one after the other on this machine', async () => {
    expect(await watched([disk])).toEqual({ begun: files, most: 1, outcome: 'done', left: 0 });
  });

  test('is done to several at a time where a line lies in between, whichever of the trees is behind it', async () => {
    expect(await watched([disk, line])).toEqual({ begun: files, most: 16, outcome: 'done', left: 0 });
  });

  test.each([
    ['on this machine', disk, 4],
    ['over a line', line, 19],
  ])('begins no more and leaves nothing under way once one has failed: %s', async (_, tree, most) => {
    const { begun, outcome, left } = await watched([tree], 3);
    expect(outcome).toBe('Error: file 3');
    expect(left).toBe(0);
    expect(begun.length).toBeLessThanOrEqual(most);
  });
});
