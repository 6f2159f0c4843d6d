import { describe, expect, test } from 'vitest';
import { foldBeside, type FoldingThread, serve, type StartFolding } from '../../../src/logs/fold-thread.ts';
import { type PartFolding, verifyPart } from '../../../src/protocol/log-part.ts';
import { headOf, hits, inChunks, logKey, origin, type PartOptions, partOf } from '../../support/exported-log.ts';

const RECORDS = hits(1200);
const SIZES = [1, 400, 1024, 1200];

/** Threads that run here, each with a copy of what it is told. */
function threadsHere(most = 1) {
  const running = new Set<FoldingThread>();
  let started = 0;
  const start: StartFolding = (seed) => {
    if (running.size === most) return undefined;
    const answer = serve(structuredClone(seed));
    const thread: FoldingThread = {
      ask: async ({ message, transfer }) => answer(structuredClone(message, { transfer: [...transfer] })).message,
      stop: async () => void running.delete(thread),
    };
    running.add(thread);
    started += 1;
    return thread;
  };
  return { start, running, started: () => started };
}

function verified(options: PartOptions = {}, folding: PartFolding = {}, edit = (text: string) => text) {
  const text = edit(partOf(RECORDS, options).toString('latin1'));
  return verifyPart(inChunks(Buffer.from(text, 'latin1')), { keys: [logKey], origin }, undefined, {
    sizes: SIZES,
    ...folding,
  });
}

describe('a log that is folded beside the thread that reads it', () => {
  test.each<[string, PartOptions]>([
    ['whole', {}],
    ['from somewhere on', { from: 300 }],
    ['in part', { discloses: (index) => index < 600 || index % 100 < 60 }],
    ['of withheld records alone', { discloses: () => false }],
  ])('comes to the same when it is shown %s, wherever the thread takes over', async (_, options) => {
    const here = { ...options, sizes: SIZES.filter((size) => size > (options.from ?? 0)) };
    const alone = await verified(options, { sizes: here.sizes });
    for (const worthAThread of [0, 100_000, 10_000_000]) {
      const threads = threadsHere();
      const plant = foldBeside(threads.start, worthAThread);
      expect(await verified(options, { sizes: here.sizes, plant })).toEqual(alone);
      expect(threads.running.size).toBe(0);
    }
  });

  test('passes through the roots that were asked for, but for those within what is withheld as one', async () => {
    const plant = foldBeside(threadsHere().start, 50_000);
    const { passed } = await verified({}, { plant });
    expect([...passed]).toEqual(SIZES.map((size) => [size, Uint8Array.from(headOf(RECORDS.slice(0, size)).root)]));
    const gap = await verified({ discloses: (index) => index !== 500 }, { plant });
    expect([...gap.passed]).toEqual([...passed]);
    const wide = await verified({ discloses: (index) => index < 300 || index >= 600 }, { plant });
    expect([...wide.passed]).toEqual([...passed].filter(([size]) => size !== 400));
  });

  test('is refused in the same words, and leaves no thread behind', async () => {
    const edits: readonly ((text: string) => string)[] = [
      (text) => text.replace('5120', '5121'),
      (text) => text.slice(0, -1),
      (text) =>
        text
          .split(/(?<=\n)/)
          .toSpliced(900, 1)
          .join(''),
      (text) => `${text}R 1200 x\n`,
    ];
    let started = 0;
    for (const edit of edits) {
      const threads = threadsHere();
      const because = (error: Error) => error.message;
      const alone = await verified({}, {}, edit).then(() => 'taken', because);
      const beside = await verified({}, { plant: foldBeside(threads.start, 0) }, edit).then(() => 'taken', because);
      expect(alone).toContain('is refused');
      expect(beside).toBe(alone);
      expect(threads.running.size).toBe(0);
      started += threads.started();
    }
    expect(started).toBeGreaterThan(0);
  });

  test('stays in its own thread while all others are busy', async () => {
    const threads = threadsHere(0);
    const plant = foldBeside(threads.start, 0);
    expect(await verified({}, { plant })).toEqual(await verified());
    expect(threads.started()).toBe(0);
  });

  test('is not taken when its thread ends', async () => {
    const dying: StartFolding = () => ({
      ask: () => Promise.reject(new Error('ended')),
      stop: () => Promise.resolve(),
    });
    await expect(verified({}, { plant: foldBeside(dying, 0) })).rejects.toThrow('ended');
  });
});
