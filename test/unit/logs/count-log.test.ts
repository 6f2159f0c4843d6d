/** A log that is counted beside a thread has the counts of one that is not. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countLog, type CountingOrder, serve, type StartCounting } from '../../../src/logs/count-log.ts';
import { compileFormat } from '../../../src/logs/format.ts';
import { createTally, type Tally } from '../../../src/logs/tally.ts';
import { TIEUP_FILES } from '../../support/scanned-log.ts';

const format = compileFormat('combined');
const LINES = Array.from({ length: 400 }, (_, index) =>
  index % 11 === 0
    ? `no line of a log ${'x'.repeat(index)}`
    : `192.0.2.${index % 7} - - [23/Nov/2026:22:00:00 +0000] "GET ${index % 3 === 0 ? '/with-main/' : `/own/${index}`} HTTP/1.1" ${200 + 100 * (index % 4)} ${index} "-" "${index % 5 === 0 ? 'curl/8.5.0' : 'Mozilla/5.0'}"`,
);

async function* cut(log: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, turn = 0; at < log.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? 1;
    await Promise.resolve();
    yield log.subarray(at, at + length);
    at += length;
  }
}

function counted(log: Uint8Array): Tally {
  const tally = createTally({ format }, TIEUP_FILES.files);
  tally.push(log);
  return tally.finish();
}

/** The thread's side in this one; copies as a thread would. */
class Beside {
  pieces = 0;
  stopped = 0;

  readonly start: StartCounting = (order: CountingOrder) => {
    const answer = serve(structuredClone(order));
    return {
      ask: async ({ message, transfer }) => {
        const received: unknown = structuredClone(message, { transfer: [...transfer] });
        if (received instanceof Uint8Array) this.pieces += 1;
        await Promise.resolve();
        return answer(received).message;
      },
      stop: async () => {
        this.stopped += 1;
      },
    };
  };
}

describe('a log', () => {
  it('has the same counts however it is cut and shared', async () => {
    const chunks = fc.array(fc.oneof(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 500, max: 9000 })), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(chunks, fc.nat(60_000), fc.boolean(), async (lengths, worth, isEnded) => {
        const log = Buffer.from(LINES.join('\n') + (isEnded ? '\n' : ''));
        const beside = new Beside();
        const tally = await countLog(cut(log, lengths), { format }, TIEUP_FILES.files, beside.start, worth);
        expect(tally).toEqual(counted(log));
        expect(tally.T + tally.O + tally.X).toBe(LINES.length);
        expect(beside.stopped).toBe(worth < log.length ? 1 : 0);
      }),
      { numRuns: 40 },
    );
  });

  it('is shared when it is long', async () => {
    const beside = new Beside();
    await countLog(cut(Buffer.from(LINES.join('\n')), [4000]), { format }, TIEUP_FILES.files, beside.start, 10_000);
    expect(beside.pieces).toBeGreaterThan(3);
  });

  it('is read in one go when its lines are read as lines before them say', async () => {
    const beside = new Beside();
    const w3c = '#Fields: date time cs-method cs-uri-stem sc-status\n2026-11-23 22:00:00 GET /own 200\n'.repeat(50);
    const chunks = cut(Buffer.from(w3c), [100]);
    const { lines, O } = await countLog(chunks, { format: compileFormat('iis') }, new Map(), beside.start, 0);
    expect({ lines, O, pieces: beside.pieces }).toEqual({ lines: 100, O: 50, pieces: 0 });
  });

  it('is not counted when the thread fails, which is ended', async () => {
    const beside = new Beside();
    const start: StartCounting = (order) => ({
      ...beside.start(order),
      ask: () => Promise.reject(new Error('the thread is gone')),
    });
    const log = cut(Buffer.from(LINES.join('\n')), [4000]);
    await expect(countLog(log, { format }, TIEUP_FILES.files, start, 0)).rejects.toThrow('the thread is gone');
    expect(beside.stopped).toBe(1);
    expect(() => serve({})).toThrow('was not told what to count');
  });
});
