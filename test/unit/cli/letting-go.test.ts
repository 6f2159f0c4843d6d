/** A command that is interrupted in the middle of its work at a partner. */
import { expect, test } from 'vitest';
import { lettingGo } from '../../../src/cli/letting-go.ts';
import { run } from '../../../src/cli/run.ts';
import type { FileTree } from '../../../src/io/file-tree.ts';
import { acquireLock } from '../../../src/io/lock.ts';
import { memoryTree } from '../../../src/io/memory-tree.ts';
import { fakeTerminal } from '../../support/fake-terminal.ts';
import { testClock } from '../../support/partner-fixture.ts';

const OWNER = { who: 'ann@here, process 1', id: 'ann', host: 'here', pid: 1 };
const bytes = Buffer.from('content');

test('fails what is under way and begins nothing more, but gives back its lock and what it has staged', async () => {
  const memory = memoryTree();
  let isClosed = false;
  const hanging: FileTree = {
    ...memory,
    list: () => new Promise(() => {}),
    close: async () => void (isClosed = true),
  };
  const interruption = new AbortController();
  const ending = lettingGo(interruption.signal);
  const { signal } = ending.bounded<{ readonly signal?: AbortSignal }>({});
  const tree = ending.guard(hanging);
  const lock = await acquireLock(tree, 'lock', OWNER, testClock());
  const staged = await tree.stage('new', bytes);
  const underWay = tree.list('');
  interruption.abort('SIGTERM');
  const given = { code: 'TIEUP_E_INTERRUPTED' };
  await expect(underWay).rejects.toMatchObject(given);
  await expect(staged.commit()).rejects.toMatchObject(given);
  await expect(tree.write('other', bytes)).rejects.toMatchObject(given);
  await expect(tree.stream('lock', 1000)[Symbol.asyncIterator]().next()).rejects.toMatchObject(given);
  expect(() => ending.bounded({})).toThrow(expect.objectContaining(given));
  await staged.discard();
  await lock.release();
  expect(await memory.list('', { temporary: true })).toEqual([]);
  // The line itself is cut later.
  expect(signal?.aborted).toBe(false);
  await tree.close();
  expect(isClosed).toBe(true);
});

test('a tree that is opened after the interruption can only be let go of', async () => {
  const interruption = new AbortController();
  interruption.abort();
  const tree = lettingGo(interruption.signal).guard(memoryTree());
  await expect(tree.write('a', bytes)).rejects.toMatchObject({ code: 'TIEUP_E_INTERRUPTED' });
  await tree.remove('a');
});

test.each([
  [undefined, 130, 'interrupted\n'],
  ['SIGINT', 130, 'interrupted\n'],
  ['SIGTERM', 143, 'terminated\n'],
])('ends by %s with its own exit code', async (reason, exitCode, said) => {
  const interruption = new AbortController();
  interruption.abort(reason);
  const terminal = fakeTerminal({ interruption: interruption.signal });
  expect(await run(['no-such-command'], terminal)).toBe(exitCode);
  expect(terminal.err()).toBe(said);
});
