/** The history of a site: who did what and when, each line bound to the one before. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { historyLog, type HistoryLog } from '../../../src/io/history-log.ts';
import { memoryTree } from '../../../src/io/memory-tree.ts';
import type { FileTree } from '../../../src/io/file-tree.ts';
import { NO_HISTORY, readHistory, renderEntry, type HistoryEvent } from '../../../src/protocol/history.ts';
import { testClock } from '../../support/partner-fixture.ts';

const BY = { time: '2026-11-23T12:00:00Z', who: 'ann@main' };

function logIn(tree: FileTree, pid = 1): HistoryLog {
  const owner = { who: `ann@main, process ${pid}`, id: `p${pid}`, host: 'main', pid };
  return historyLog({ tree, owner, clock: testClock(), isAlive: () => true });
}

function linesOf(events: readonly HistoryEvent[]): string[] {
  let end = NO_HISTORY;
  return events.map((event) => {
    const next = renderEntry(end, event, BY);
    ({ end } = next);
    return next.line;
  });
}

const event = fc.record({
  action: fc.stringMatching(/^[a-z-]{1,12}$/),
  detail: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
});

describe('a chain of lines', () => {
  test('holds, whatever was written down', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 20 }), (events) => {
        const { entries, faults } = readHistory(linesOf(events));
        expect(faults).toEqual([]);
        expect(entries.map(({ action }) => action)).toEqual(events.map(({ action }) => action));
      }),
    );
  });

  test('shows a line that was changed, left out, doubled or moved', () => {
    fc.assert(
      fc.property(
        fc.array(event, { minLength: 3, maxLength: 10 }),
        fc.nat(),
        fc.constantFrom('change', 'drop', 'double', 'swap'),
        (events, at, how) => {
          const lines = linesOf(events);
          // Of the last line nothing says that it was there; of the first, dropped with age, nothing either.
          const place = 1 + (at % (lines.length - 2));
          const line = lines[place] ?? '';
          const after = lines[place + 1] ?? '';
          if (how === 'change') lines[place] = line.replace('ann@main', 'bob@main');
          else if (how === 'drop') lines.splice(place, 1);
          else if (how === 'double') lines.splice(place, 0, line);
          else lines.splice(place, 2, after, line);
          expect(readHistory(lines).faults).not.toEqual([]);
        },
      ),
    );
  });

  test('may begin with a later line, because old ones are dropped', () => {
    expect(readHistory(linesOf([{ action: 'a' }, { action: 'b' }, { action: 'c' }]).slice(1)).faults).toEqual([]);
  });

  test.each([
    '',
    '{',
    'null',
    '{"seq":1}',
    `{"seq":1,"previous":null,"time":"","who":"","action":"a","more":1}`,
    'x'.repeat(10_000),
  ])('names a line that is none: %j', (line) => {
    expect(readHistory([line])).toEqual({ entries: [], faults: ['the first line is no entry'] });
  });
});

describe('a log', () => {
  test('keeps what many write at the same time, each line once, in few writes', async () => {
    let writes = 0;
    const tree = memoryTree('state');
    const counted: FileTree = { ...tree, write: async (...words) => ((writes += 1), tree.write(...words)) };
    const log = logIn(counted);
    await Promise.all(Array.from({ length: 500 }, (_, n) => log.add({ action: 'push', partner: `p${n}` })));
    const { entries, faults } = await log.read();
    expect(faults).toEqual([]);
    expect(entries.map(({ seq }) => seq)).toEqual(Array.from({ length: 500 }, (_, n) => n + 1));
    expect(new Set(entries.map(({ partner }) => partner)).size).toBe(500);
    expect(entries[0]).toMatchObject({ who: 'ann@main', time: '2026-11-23T12:00:00Z', previous: null });
    expect(writes).toBeLessThan(10);
  });

  test('of two processes becomes one chain', async () => {
    const tree = memoryTree('state');
    const [one, two] = [logIn(tree, 1), logIn(tree, 2)];
    for (let n = 0; n < 5; n++) await Promise.all([one.add({ action: 'one' }), two.add({ action: 'two' })]);
    const { entries, faults } = await one.read();
    expect(faults).toEqual([]);
    expect(entries).toHaveLength(10);
  });

  test('goes on in a new file when the old one is long, drops the oldest, and the chain holds', async () => {
    const tree = memoryTree('state');
    const log = logIn(tree);
    const detail = 'x'.repeat(480);
    for (let round = 0; round < 36; round++)
      await Promise.all(Array.from({ length: 500 }, () => log.add({ action: 'push', detail })));
    const files = (await tree.list('history')).map(({ name }) => name);
    expect(files).toHaveLength(32);
    const { entries, faults } = await log.read();
    expect(faults).toEqual([]);
    expect(entries[0]?.seq).toBeGreaterThan(1);
    expect(entries.at(-1)?.seq).toBe(18_000);
  });

  test('never drops what people did, however much happens by itself, and keeps it in its place', async () => {
    const tree = memoryTree('state');
    const log = logIn(tree);
    await Promise.all([log.add({ action: 'push' }), log.add({ action: 'invite', partner: 'alpha' })]);
    const detail = 'x'.repeat(480);
    for (let round = 0; round < 36; round++)
      await Promise.all(Array.from({ length: 500 }, () => log.add({ action: 'push-failed', detail })));
    for (const action of ['push', 'contract', 'push', 'rollback', 'unlock']) await log.add({ action });
    const { entries, faults } = await log.read();
    expect(faults).toEqual([]);
    expect(entries.length).toBeLessThan(18_000);
    expect(entries[0]).toMatchObject({ action: 'invite', partner: 'alpha', seq: 1, after: 1 });
    expect(entries.slice(-5).map(({ action }) => action)).toEqual(['push', 'contract', 'push', 'rollback', 'unlock']);
    await tree.remove('history/lasting/000000000001.jsonl');
    await tree.write('history/lasting/000000000002.jsonl', Buffer.from('gone\n'));
    expect((await log.read()).faults).toEqual(['of what is kept for good, the first line is no entry']);
  });

  test('that was tampered with is found, and still added to', async () => {
    const tree = memoryTree('state');
    const log = logIn(tree);
    for (const action of ['one', 'two', 'three']) await log.add({ action });
    const path = 'history/lasting/000000000001.jsonl';
    const text = new TextDecoder().decode(await tree.read(path, 1e6));
    await tree.write(path, Buffer.from(text.replace('"two"', '"too"')));
    await log.add({ action: 'four' });
    const { entries, faults } = await log.read();
    expect(entries.map(({ action }) => action)).toEqual(['one', 'too', 'three', 'four']);
    expect(faults).toEqual(['of what is kept for good, entry 2 is not the one that entry 3 was written after']);
  });

  test('that cannot be written says so, and the next line is tried again', async () => {
    const tree = memoryTree('state');
    let full = true;
    const limited: FileTree = {
      ...tree,
      write: async (...words) => {
        if (full) throw new Error('no space');
        await tree.write(...words);
      },
    };
    const log = logIn(limited);
    await expect(log.add({ action: 'lost' })).rejects.toThrow('no space');
    full = false;
    await log.add({ action: 'kept' });
    expect((await log.read()).entries.map(({ action }) => action)).toEqual(['kept']);
  });
});
