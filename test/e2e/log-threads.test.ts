/** The sealing thread as it is shipped: compiled modules, since Node 20 runs no TypeScript on a thread. */
import { beforeAll, describe, expect, it } from 'vitest';
import type * as foldingModule from '../../src/logs/fold-thread.ts';
import type * as formatsModule from '../../src/logs/format.ts';
import type * as localModule from '../../src/logs/seal.ts';
import type * as pipelineModule from '../../src/logs/pipeline.ts';
import type * as scanningModule from '../../src/logs/scanner.ts';
import type * as sealingModule from '../../src/logs/seal-thread.ts';
import type * as threadsModule from '../../src/io/worker-threads.ts';
import type * as partModule from '../../src/protocol/log-part.ts';
import type { PlantTree } from '../../src/protocol/log-part-tree.ts';
import { hits, logKey, partOf } from '../support/exported-log.ts';

const modules = (path: string): string => new URL(`../../dist/${path}`, import.meta.url).href;

const ENTRY = new URL(modules('io/worker-entry.js'));
const FOLD_THREAD = new URL(modules('logs/fold-thread.js'));
const SEAL_THREAD = new URL(modules('logs/seal-thread.js'));

let folding: typeof foldingModule;
let part: typeof partModule;
let threads: typeof threadsModule;
let sealing: typeof sealingModule;
let local: typeof localModule;
let scanning: typeof scanningModule;
let formats: typeof formatsModule;
let pipeline: typeof pipelineModule;

beforeAll(async () => {
  threads = await import(modules('io/worker-threads.js'));
  folding = await import(modules('logs/fold-thread.js'));
  part = await import(modules('protocol/log-part.js'));
  sealing = await import(modules('logs/seal-thread.js'));
  local = await import(modules('logs/seal.js'));
  scanning = await import(modules('logs/scanner.js'));
  formats = await import(modules('logs/format.js'));
  pipeline = await import(modules('logs/pipeline.js'));
});

const LOG = Buffer.from(
  Array.from(
    { length: 5000 },
    (_, index) => `192.0.2.1 - - [23/Nov/2026:22:00:00 +0000] "GET /own/${index} HTTP/1.1" 200 1 "-" "agent"\n`,
  ).join(''),
);
const zeros = (bytes: Uint8Array): void => {
  bytes.fill(0);
};

async function segmentsOf(sealer: localModule.Sealer) {
  const scanner = scanning.createScanner({ saltOfDay: () => undefined, batchBytes: 50_000 });
  async function* batches() {
    await Promise.resolve();
    scanner.begin({ format: formats.compileFormat('combined') });
    yield scanner.push(LOG);
    scanner.end('take');
    yield scanner.flush();
  }
  const segments = [];
  const line = new pipeline.SealingLine(sealer);
  for await (const given of batches()) segments.push(...(await line.push(given)));
  segments.push(...(await line.finish()));
  await sealer.close();
  return segments;
}

describe('a thread', () => {
  it('seals the same bytes as one thread alone', async () => {
    const trees = sealing.savedTrees(local.emptyFrontiers());
    const thread = threads.workerThreads(ENTRY).start(SEAL_THREAD, trees);
    const beside = await segmentsOf(sealing.createThreadSealer(thread, zeros));
    const alone = await segmentsOf(local.createSealer(zeros));
    expect(beside.length).toBeGreaterThan(5);
    expect(beside).toEqual(alone);
  });

  it('folds an exported log to the same root as one thread alone', async () => {
    const start = (seed: unknown) => threads.workerThreads(ENTRY).start(FOLD_THREAD, seed);
    const verified = (plant?: PlantTree) =>
      part.verifyPart([partOf(hits(2000))], { keys: [logKey] }, undefined, { sizes: [1999], plant });
    const alone = await verified();
    expect([...alone.passed.keys()]).toEqual([1999]);
    expect(await verified(folding.foldBeside(start, 100_000))).toEqual(alone);
  });

  it('that fails or has ended says so to whoever asked', async () => {
    const wrong = threads.workerThreads(ENTRY).start(SEAL_THREAD, 'no trees');
    await expect(wrong.ask({ message: 1, transfer: [] })).rejects.toMatchObject({
      code: 'TIEUP_E_FAILED',
      message: 'a thread of tieup has ended early',
    });
    const ended = threads.workerThreads(ENTRY).start(SEAL_THREAD, sealing.savedTrees(local.emptyFrontiers()));
    await ended.stop();
    await expect(ended.ask({ message: 1, transfer: [] })).rejects.toMatchObject({ code: 'TIEUP_E_FAILED' });
  });
});
