/** Records become leaves and segments which the main site's own reader verifies, however the log arrived. */
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileFormat } from '../../../src/logs/format.ts';
import { SealingLine } from '../../../src/logs/pipeline.ts';
import type { ScannedBatch } from '../../../src/logs/record-writer.ts';
import { createScanner } from '../../../src/logs/scanner.ts';
import { createSealer, type RandomSource, type Sealer, type Segment } from '../../../src/logs/seal.ts';
import { savedTrees, serve } from '../../../src/logs/seal-thread.ts';
import { createThreadSealer } from '../../../src/logs/seal-thread.ts';
import { signCheckpoint } from '../../../src/protocol/checkpoint.ts';
import { renderPartHead } from '../../../src/protocol/log-part-header.ts';
import { verifyPart } from '../../../src/protocol/log-part.ts';
import { Frontier, leafHash } from '../../../src/protocol/merkle.ts';
import { logKey, logSigner, origin } from '../../support/exported-log.ts';
import { saltOfDay, TIEUP_FILES } from '../../support/scanned-log.ts';

/** Salts that are the same in every run. */
function countedSalts(): RandomSource {
  let count = 0;
  return (bytes) => {
    for (let at = 0; at < bytes.length; at += 32) {
      createHash('sha256').update(String(count++)).digest().copy(Buffer.from(bytes.buffer), at);
    }
  };
}

const line = (index: number): string =>
  `192.0.2.${index % 256} - - [23/Nov/2026:22:00:${String(index % 60).padStart(2, '0')} +0000] "GET ${index % 3 === 0 ? '/with-main/' : `/own/${index}`} HTTP/1.1" 200 ${index} "-" "agent ${index % 7}"\n`;
const LOG = Buffer.from(Array.from({ length: 700 }, (_, index) => line(index)).join(''));

async function* scanned(log: Uint8Array, chunk: number): AsyncGenerator<ScannedBatch[]> {
  await Promise.resolve();
  const scanner = createScanner({ saltOfDay, batchBytes: 9000 });
  scanner.begin({ format: compileFormat('combined'), liveAtStart: TIEUP_FILES });
  for (let at = 0; at < log.length; at += chunk) yield scanner.push(log.subarray(at, at + chunk));
  scanner.end('take');
  yield scanner.flush();
}

async function sealedWith(sealer: Sealer, chunk = LOG.length, log = LOG): Promise<Segment[]> {
  const segments: Segment[] = [];
  const sealing = new SealingLine(sealer);
  for await (const batches of scanned(log, chunk)) segments.push(...(await sealing.push(batches)));
  segments.push(...(await sealing.finish()));
  await sealer.close();
  return segments;
}

describe('sealed segments', () => {
  it.each(['T', 'O'] as const)(
    'of tree %s are the body of a part that is verified against their tree',
    async (tree) => {
      const segments = (await sealedWith(createSealer(countedSalts()))).filter((segment) => segment.tree === tree);
      expect(segments.length).toBeGreaterThan(3);
      const last = segments.at(-1);
      const size = last?.next ?? 0;
      const root = Frontier.of(size, last?.frontier ?? []).root();
      const note = signCheckpoint({ origin: { ...origin, log: tree }, size, root }, logSigner);
      const body = segments.map(({ gzip }) => gunzipSync(gzip));
      expect(segments.map(({ rawLength }) => rawLength)).toEqual(body.map(({ length }) => length));
      const verified = await verifyPart([Buffer.from(renderPartHead(note, 0, [])), ...body], { keys: [logKey] });
      expect(verified.checkpoint.size).toBe(size);
      expect(size).toBe(tree === 'T' ? 235 : 466);
    },
  );

  it('hold the hash of each leaf', async () => {
    const [segment] = await sealedWith(createSealer(countedSalts()));
    const rows = gunzipSync(segment?.gzip ?? '')
      .toString()
      .trimEnd()
      .split('\n');
    const leaves = rows.map((row) => {
      const [, , salt = '', record = ''] = /^(R \d+) (\S+) (.*)$/s.exec(row) ?? [];
      return leafHash(Buffer.concat([Buffer.from(salt, 'base64'), Buffer.from(record)]));
    });
    expect(Buffer.concat(leaves)).toEqual(Buffer.from(segment?.hashes ?? []));
  });

  it('have a salt of its own for each record', async () => {
    const segments = await sealedWith(createSealer(countedSalts()));
    const salts = segments.flatMap(({ gzip }) =>
      gunzipSync(gzip)
        .toString()
        .trimEnd()
        .split('\n')
        .map((row) => row.split(' ')[2]),
    );
    expect(new Set(salts).size).toBe(701);
  });

  it('are the same bytes whatever the chunks', async () => {
    const whole = await sealedWith(createSealer(countedSalts()));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5000 }), async (chunk) => {
        expect(await sealedWith(createSealer(countedSalts()), chunk)).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });

  it('are the same bytes when another thread seals', async () => {
    const answer = serve(savedTrees({ T: new Frontier(), O: new Frontier() }));
    const thread = {
      ask: ({ message }: { readonly message: unknown }) => Promise.resolve(answer(message).message),
      stop: () => Promise.resolve(),
    };
    expect(await sealedWith(createThreadSealer(thread, countedSalts()))).toEqual(
      await sealedWith(createSealer(countedSalts())),
    );
  });

  it('go on where the trees were left', async () => {
    const all = await sealedWith(createSealer(countedSalts()));
    const left = { T: new Frontier(), O: new Frontier() };
    const salts = countedSalts();
    const ended: Segment[] = [];
    let count = 0;
    for await (const batches of scanned(LOG, LOG.length)) {
      for (const batch of batches) {
        // Every segment is sealed by a run of its own, which knows the trees only by their frontiers.
        const segment = await createSealer(salts, left).seal(batch);
        left[batch.tree] = Frontier.of(segment.next, segment.frontier);
        ended.push(segment);
        count++;
      }
    }
    expect(count).toBeGreaterThan(8);
    expect(ended).toEqual(all);
  });

  it('a fault while sealing is met by who takes the segments, and what is under way is waited for', async () => {
    let sealing = 0;
    const sealer: Sealer = {
      seal: async () => {
        sealing++;
        await Promise.resolve();
        throw new Error('disk full');
      },
      close: () => Promise.resolve(),
    };
    await expect(sealedWith(sealer)).rejects.toThrow('disk full');
    expect(sealing).toBeGreaterThan(1);
  });
});
