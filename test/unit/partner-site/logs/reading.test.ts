import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logFolder } from '../../../../src/io/log-folder.ts';
import type { KnownFile } from '../../../../src/partner-site/logs/known-file.ts';
import { planReading } from '../../../../src/partner-site/logs/plan-reading.ts';
import { createScanner } from '../../../../src/logs/scanner.ts';
import { compileFormat, type LogFormat } from '../../../../src/logs/format.ts';
import { FIELD } from '../../../../src/logs/line.ts';
import type { ScannedBatch } from '../../../../src/logs/record-writer.ts';
import { readFile } from '../../../../src/partner-site/logs/read-file.ts';
import { parseRecord } from '../../../../src/protocol/log-record.ts';
import { logShelf } from '../../../support/log-shelf.ts';

type Shelf = ReturnType<typeof logShelf>;

/** One run of the reader over a shelf, as cron does it: what it read becomes known for the next one. */
function reader(shelf: Shelf, pattern = 'access.log*') {
  let known: readonly KnownFile[] = [];
  const lines: string[] = [];
  return {
    lines,
    known: () => known,
    /** @param during happens after the first bytes of a file were read, as a server writes whenever it likes */
    async run(during?: () => void): Promise<KnownFile | undefined> {
      const files = await logFolder(shelf.folder).open(pattern);
      const scanner = createScanner({ saltOfDay: () => undefined });
      let meanwhile = during;
      const take = async (batches: readonly ScannedBatch[]) => {
        meanwhile?.();
        meanwhile = undefined;
        for (const batch of batches) lines.push(...rawLines(batch));
      };
      try {
        const plan = await planReading(files, known);
        const after: KnownFile[] = [...plan.untouched];
        for (const step of plan.steps) after.push(await readFile(step, { format }, scanner, take));
        await take(scanner.flush());
        known = after;
        return plan.lost;
      } finally {
        for (const file of files) await file.close();
      }
    },
  };
}

/** Every line is a request for what stands in it. */
const format: LogFormat = {
  ...compileFormat('caddy'),
  createReader: () => ({
    directive: undefined,
    read(line, start, end) {
      line.freeScratch();
      line.setText(FIELD.time, '2026-11-23T22:00:00Z');
      line.set(FIELD.path, start, end);
      return 'hit';
    },
  }),
};

/** The lines that were read; of an endless one its form. */
function rawLines({ lines, bounds, count }: ScannedBatch): string[] {
  return Array.from({ length: count }, (_, index) => {
    const record = parseRecord(lines.subarray(bounds[2 * index], bounds[2 * index + 1]));
    expect(record.class).toBe(record.signals.includes('cut') ? 'X' : 'O');
    return record.path;
  });
}

describe('reading a log that grows', () => {
  test('gives every line once', async () => {
    const shelf = logShelf();
    const cron = reader(shelf);
    shelf.write('access.log', 'one\ntwo\n');
    await cron.run();
    await cron.run();
    shelf.write('access.log', 'three\n');
    await cron.run();
    expect(cron.lines).toEqual(['one', 'two', 'three']);
  });

  test('takes a compressed file for what it is where an older plain one has its name', async () => {
    const shelf = logShelf();
    const cron = reader(shelf);
    shelf.write('access.log', 'one\n');
    shelf.copyTruncate('access.log', 'access.log.1');
    shelf.write('access.log', 'two\n');
    await cron.run();
    // Compression was switched on: rotation leaves the plain file alone.
    shelf.write('access.log', 'three\n');
    shelf.copyTruncate('access.log', 'access.log.1x');
    shelf.compress('access.log.1x');
    shelf.rename('access.log.1x.gz', 'access.log.1.gz');
    shelf.write('access.log', 'four\n');
    expect(await cron.run()).toBeUndefined();
    expect(cron.lines).toEqual(['one', 'two', 'three', 'four']);
  });

  test('waits for the end of a line that is half written', async () => {
    const shelf = logShelf();
    const cron = reader(shelf);
    shelf.write('access.log', 'one\ntw');
    await cron.run();
    expect(cron.lines).toEqual(['one']);
    shelf.write('access.log', 'o\n');
    await cron.run();
    expect(cron.lines).toEqual(['one', 'two']);
  });

  test('takes the half line of a file to which nothing is written any more', async () => {
    const shelf = logShelf();
    const cron = reader(shelf);
    shelf.write('access.log', 'one\ntw');
    await cron.run();
    shelf.rename('access.log', 'access.log.1');
    shelf.write('access.log', 'three\n');
    await cron.run();
    await cron.run();
    expect(cron.lines).toEqual(['one', 'tw', 'three']);
  });

  test('gives what is appended while it is read once, now or the next time', async () => {
    const shelf = logShelf();
    const cron = reader(shelf);
    shelf.write('access.log', 'one\ntw');
    await cron.run(() => shelf.write('access.log', 'o\nthree\nfo'));
    await cron.run(() => shelf.write('access.log', 'ur\n'));
    await cron.run();
    expect(cron.lines).toEqual(['one', 'two', 'three', 'four']);
  });

  test('follows a file that is rotated while it is read, and a half line that the server completes behind its back', async () => {
    const shelf = logShelf();
    const cron = reader(shelf);
    shelf.write('access.log', 'one\ntw');
    await cron.run(() => {
      shelf.rename('access.log', 'access.log.1');
      // The server writes to the file that it has open until it is told to open another.
      shelf.write('access.log.1', 'o\nthree\n');
      shelf.write('access.log', 'four\nfi');
    });
    await cron.run(() => shelf.write('access.log', 've\n'));
    await cron.run();
    expect(cron.lines).toEqual(['one', 'two', 'three', 'four', 'five']);
  });

  test('cuts a line of megabytes and goes on behind it', async () => {
    const shelf = logShelf();
    const cron = reader(shelf);
    shelf.write('access.log', `one\n${'x'.repeat(3_000_000)}\nthree\n`);
    await cron.run();
    shelf.write('access.log', 'four\n');
    await cron.run();
    expect(cron.lines.map((line) => line.slice(0, 5))).toEqual(['one', 'xxxxx', 'three', 'four']);
    expect(cron.lines[1]?.length).toBe(1024);
  });
});

describe('reading across rotation', () => {
  test('goes on in a file that was renamed, then in the new one', async () => {
    const shelf = logShelf();
    const cron = reader(shelf);
    shelf.write('access.log', 'one\n');
    await cron.run();
    shelf.write('access.log', 'two\n');
    shelf.rename('access.log', 'access.log.1');
    shelf.write('access.log', 'three\n');
    await cron.run();
    // A worker of the server that had not reopened its log yet.
    shelf.write('access.log.1', 'late\n');
    await cron.run();
    expect(cron.lines).toEqual(['one', 'two', 'three', 'late']);
  });

  test('finds what was copied away and cut short', async () => {
    const shelf = logShelf();
    const cron = reader(shelf);
    shelf.write('access.log', 'one\n');
    await cron.run();
    shelf.write('access.log', 'two\n');
    shelf.copyTruncate('access.log', 'access.log.1');
    shelf.write('access.log', 'three, which is longer than what was there\n');
    await cron.run();
    expect(cron.lines).toEqual(['one', 'two', 'three, which is longer than what was there']);
  });

  test('knows a file again that was compressed', async () => {
    const shelf = logShelf();
    const cron = reader(shelf);
    shelf.write('access.log', 'one\n');
    await cron.run();
    shelf.write('access.log', 'two\n');
    shelf.rename('access.log', 'access.log.1');
    shelf.compress('access.log.1');
    shelf.write('access.log', 'three\n');
    await cron.run();
    shelf.rename('access.log.1.gz', 'access.log.2.gz');
    await cron.run();
    expect(cron.lines).toEqual(['one', 'two', 'three']);
  });

  test('reads all there is the first time, the oldest first', async () => {
    const shelf = logShelf();
    shelf.write('access.log.2', 'one\n');
    shelf.compress('access.log.2');
    shelf.write('access.log.1', 'two\n');
    shelf.write('access.log', 'three\n');
    const cron = reader(shelf);
    await cron.run();
    await cron.run();
    expect(cron.lines).toEqual(['one', 'two', 'three']);
  });

  test('takes a file that is there plain and compressed for one', async () => {
    const shelf = logShelf();
    shelf.write('access.log.1', 'one\n');
    shelf.write('access.log.1.gz', 'half of a gzip file');
    shelf.write('access.log', 'two\n');
    const cron = reader(shelf);
    await cron.run();
    expect(cron.lines).toEqual(['one', 'two']);
  });

  test('says when the file that was being written is gone', async () => {
    const shelf = logShelf();
    const cron = reader(shelf);
    shelf.write('access.log', 'one\n');
    expect(await cron.run()).toBeUndefined();
    shelf.remove('access.log');
    shelf.write('access.log.new', '');
    shelf.rename('access.log.new', 'access.log');
    shelf.write('access.log', 'two\n');
    expect((await cron.run())?.path).toBe(shelf.at('access.log'));
  });

  test('does not mind that old files are removed in time', async () => {
    const shelf = logShelf();
    const cron = reader(shelf);
    shelf.write('access.log.1', 'one\n');
    shelf.write('access.log', 'two\n');
    await cron.run();
    shelf.remove('access.log.1');
    expect(await cron.run()).toBeUndefined();
    expect(cron.known().map(({ path }) => path)).toEqual([shelf.at('access.log')]);
  });

  test('refuses a compression that it cannot read, unless it read the file before', async () => {
    const shelf = logShelf();
    shelf.write('access.log.1', 'one\n');
    shelf.write('access.log', 'two\n');
    const cron = reader(shelf);
    await cron.run();
    // bzip2 keeps the time as gzip does; what is in the file does not matter here.
    shelf.compress('access.log.1');
    shelf.rename('access.log.1.gz', 'access.log.1.bz2');
    await cron.run();
    shelf.rename('access.log.1.bz2', 'access.log.2.bz2');
    await cron.run();
    expect(cron.lines).toEqual(['one', 'two']);
    const stranger = reader(shelf);
    await expect(stranger.run()).rejects.toMatchObject({ code: 'TIEUP_E_STORAGE' });
    expect(stranger.lines).toEqual([]);
  });
});

test('no line is lost or read twice, whatever happens to the files between the runs', async () => {
  const operation = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('lines' as const), count: fc.integer({ min: 0, max: 40 }) }),
    },
    { weight: 2, arbitrary: fc.constant({ kind: 'half' as const }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'late' as const }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'rename' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'copy' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'compress' as const }) },
    { weight: 4, arbitrary: fc.constant({ kind: 'run' as const }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
      const shelf = logShelf();
      const cron = reader(shelf);
      const written: string[] = [];
      let begun = '';
      let number = 0;
      let rotated: string[] = [];
      let canBeLate = false;
      const lost: unknown[] = [];
      const line = () => `visit ${(number += 1)} of /${'p'.repeat(number % 70)}`;
      const closeLine = () => {
        if (begun !== '') shelf.write('access.log', '\n');
        begun = '';
      };
      const rotate = (move: (to: string) => void) => {
        // A server that is restarted leaves its last line as it is.
        canBeLate = begun === '';
        begun = '';
        for (const [index, name] of [...rotated.entries()].toReversed()) {
          const next = `access.log.${index + 2}${name.endsWith('.gz') ? '.gz' : ''}`;
          shelf.rename(name, next);
          rotated[index] = next;
        }
        move('access.log.1');
        rotated = ['access.log.1', ...rotated];
      };
      shelf.write('access.log', '');
      for (const { kind, ...rest } of operations) {
        if (kind === 'lines' && 'count' in rest) {
          closeLine();
          for (let count = 0; count < rest.count; count += 1) {
            written.push(line());
            shelf.write('access.log', `${written.at(-1)}\n`);
          }
        } else if (kind === 'half' && begun === '') {
          begun = line();
          written.push(begun);
          shelf.write('access.log', begun);
        } else if (kind === 'late' && canBeLate && rotated[0]?.endsWith('.1')) {
          written.push(line());
          shelf.write(rotated[0], `${written.at(-1)}\n`);
          shelf.write('access.log', '');
        } else if (kind === 'rename') {
          rotate((to) => shelf.rename('access.log', to));
          shelf.write('access.log', '');
        } else if (kind === 'copy') {
          rotate((to) => shelf.copyTruncate('access.log', to));
        } else if (kind === 'compress' && rotated[0]?.endsWith('.1')) {
          shelf.compress(rotated[0]);
          rotated[0] = `${rotated[0]}.gz`;
        } else if (kind === 'run') lost.push(await cron.run());
      }
      closeLine();
      lost.push(await cron.run());
      expect(lost.filter((each) => each !== undefined)).toEqual([]);
      expect([...cron.lines].sort()).toEqual([...written].sort());
    }),
    { numRuns: 150 },
  );
});
