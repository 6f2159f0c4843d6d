import { readFileSync, statSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logFolder } from '../../../../src/io/log-folder.ts';
import { knownAfter } from '../../../../src/partner-site/logs/known-after.ts';
import type { KnownFile } from '../../../../src/partner-site/logs/known-file.ts';
import type { SourceState } from '../../../../src/partner-site/logs/log-state.ts';
import { inodeOf } from '../../../../src/partner-site/logs/rotation.ts';
import { planReading } from '../../../../src/partner-site/logs/plan-reading.ts';
import { createWindow, LineFeed } from '../../../../src/logs/lines.ts';
import type { Scanner, ScanSource, SourceEnd } from '../../../../src/logs/scanner.ts';
import { compileFormat } from '../../../../src/logs/format.ts';
import type { ScannedBatch } from '../../../../src/logs/record-writer.ts';
import { readFile } from '../../../../src/partner-site/logs/read-file.ts';
import { logShelf } from '../../../support/log-shelf.ts';

type Shelf = ReturnType<typeof logShelf>;

/** One run of the reader over a shelf, as cron does it: what it read becomes known for the next one. */
function reader(shelf: Shelf, pattern = 'access.log*') {
  let before: readonly SourceState[] = [];
  const scanner = new LineCollector();
  return {
    lines: scanner.lines,
    /** What the versions before kept of a run: the file that was written last, last. */
    asOldState() {
      before = before.map(({ current, known, ...state }) => ({
        ...state,
        known: known.toSorted((a, b) => known.indexOf(a) - known.indexOf(b) + (known[current ?? -1] === a ? 9999 : 0)),
      }));
    },
    /** @param during happens after the first bytes of a file were read, as a server writes whenever it likes */
    async run(during?: () => void): Promise<KnownFile | undefined> {
      const files = await logFolder(shelf.folder).open(pattern);
      let meanwhile = during;
      const take = async (): Promise<void> => {
        meanwhile?.();
        meanwhile = undefined;
      };
      try {
        const plans = await planReading([{ pattern, files }], before);
        const [plan] = plans;
        if (plan === undefined) throw new Error('one source, one plan');
        const read = new Map(plan.untouched.map((each) => [inodeOf(each), each]));
        for (const step of plan.steps) {
          read.set(inodeOf(step.file), (await readFile(step, { format }, scanner, take)).known);
        }
        before = [{ files: pattern, ...(await knownAfter(plan, read, [])), switchNumber: 0 }];
        return plan.lost;
      } finally {
        for (const file of files) await file.close();
      }
    },
  };
}

const format = compileFormat('combined');

/** Takes lines as the scanner does, and keeps them as they stand, which records of no format do. */
class LineCollector implements Pick<Scanner, 'begin' | 'push' | 'end'> {
  readonly lines: string[] = [];
  readonly #window = createWindow();
  #feed: LineFeed | undefined;

  begin({ position }: ScanSource): void {
    const take = (start: number, end: number): void => {
      this.lines.push(Buffer.from(this.#window.bytes.subarray(start, end)).toString());
    };
    this.#feed = new LineFeed(this.#window, { take, takeOverlong: take }, position);
  }

  push(chunk: Uint8Array): ScannedBatch[] {
    this.#feed?.push(chunk);
    return [];
  }

  end(lastLine: 'take' | 'leave'): SourceEnd {
    if (lastLine === 'take') this.#feed?.finish();
    const { position = 0, lastLength = 0 } = this.#feed ?? {};
    return { position, lastLength, directive: undefined, passed: 0 };
  }
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
    // A backup that is put back is not read again.
    shelf.write('access.log.7', 'one\n');
    expect(await cron.run()).toBeUndefined();
    expect(cron.lines).toEqual(['one', 'two']);
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
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('window' as const), count: fc.integer({ min: 0, max: 9 }) }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'compress' as const }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('backup' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'finish backup' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'link' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'keep packed' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'upgrade' as const }) },
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
      let copies = 0;
      let backup: { of: string; to: string } | undefined;
      const lost: unknown[] = [];
      const line = () => `visit ${(number += 1)} of /${'p'.repeat(number % 70)}`;
      const closeLine = () => {
        if (begun !== '') shelf.write('access.log', '\n');
        begun = '';
      };
      const writeLines = (count: number) => {
        closeLine();
        for (let each = 0; each < count; each += 1) {
          written.push(line());
          shelf.write('access.log', `${written.at(-1)}\n`);
        }
      };
      const rotate = (move: (to: string) => void) => {
        // A server that is restarted leaves its last line as it is.
        canBeLate = begun === '';
        begun = '';
        backup = undefined;
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
        if (kind === 'lines' && 'count' in rest) writeLines(rest.count);
        else if (kind === 'window' && 'count' in rest && readFileSync(shelf.at('access.log')).includes('\n')) {
          // A run that comes between the copy and the cut, and sees lines that the copy does not have.
          const wasBegun = begun;
          rotate((to) => shelf.copy('access.log', to));
          begun = wasBegun;
          if (rest.count > 0) writeLines(rest.count);
          lost.push(await cron.run());
          begun = '';
          canBeLate = false;
          shelf.truncate('access.log');
        } else if (kind === 'backup' && 'share' in rest) {
          const of = [...rotated, 'access.log'][copies % (rotated.length + 1)] ?? '';
          const to = `access.log.bak${(copies += 1)}${of.endsWith('.gz') ? '.gz' : ''}`;
          const isPart = !of.endsWith('.gz');
          shelf.copy(of, to, isPart ? Math.round(rest.share * statSync(shelf.at(of)).size) : undefined);
          // Somebody who makes a copy looks at it; the reader sees it before the file has another name.
          lost.push(await cron.run());
          backup = isPart ? { of, to } : undefined;
        } else if (kind === 'finish backup' && backup !== undefined) {
          if (backup.of === 'access.log') shelf.copy(backup.of, backup.to);
          backup = undefined;
        } else if (kind === 'link' && rotated[0] !== undefined) {
          shelf.link(rotated[0], `access.log.link${(copies += 1)}${rotated[0].endsWith('.gz') ? '.gz' : ''}`);
        } else if (kind === 'keep packed' && rotated[0]?.endsWith('.1')) {
          shelf.compress(rotated[0], { keep: true });
          shelf.rename(`${rotated[0]}.gz`, `access.log.kept${(copies += 1)}.gz`);
        } else if (kind === 'upgrade') cron.asOldState();
        else if (kind === 'half' && begun === '') {
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
      // The second one sees that nothing is added to what was renamed.
      lost.push(await cron.run(), await cron.run());
      expect(lost.filter((each) => each !== undefined)).toEqual([]);
      expect([...cron.lines].sort()).toEqual([...written].sort());
    }),
    { numRuns: 300 },
  );
});
