import { describe, expect, test } from 'vitest';
import { isTieupError, type TieupError } from '../../../src/errors.ts';
import { NO_TIME, type FileTree } from '../../../src/io/file-tree.ts';
import type { LockOwner } from '../../../src/io/lock.ts';
import { acquireLock, breakLock } from '../../../src/io/lock.ts';
import { lockedTrees } from '../../../src/io/locked-tree.ts';
import { memoryTree } from '../../../src/io/memory-tree.ts';

const START = Date.parse('2026-11-23T22:00:00Z');
const PATH = 'inbox/lock';

function owner(name: string, pid = 100): LockOwner {
  return { who: `${name}@host, process ${pid}`, id: `id-of-${name}`, host: 'host', pid };
}

/** A clock that stands still until it is moved. */
function stoppedClock(): { now(): Date; sleep(): Promise<void>; move(minutes: number): void } {
  let time = START;
  return {
    now: () => new Date(time),
    sleep: async () => {},
    move: (minutes) => void (time += minutes * 60_000),
  };
}

describe('a lock', () => {
  test('keeps a second process out, and says who holds it and until when', async () => {
    const [tree, clock] = [memoryTree('the exchange'), stoppedClock()];
    await acquireLock(tree, PATH, owner('ann'), clock, 10);
    const before = await content(tree);
    const error = await failure(acquireLock(tree, PATH, owner('bob'), clock, 10));
    expect([error.code, error.exitCode]).toEqual(['TIEUP_E_LOCKED', 7]);
    expect(error.message).toBe(
      '"inbox/lock" in the exchange is locked by ann@host, process 100 until 2026-11-23T22:10:00Z',
    );
    expect(error.hint).toContain('tieup unlock');
    expect(await content(tree)).toBe(before);
    expect(await names(tree)).toEqual(['lock']);
  });

  test('is free again once it is released, and may be released twice', async () => {
    const [tree, clock] = [memoryTree(), stoppedClock()];
    const lock = await acquireLock(tree, PATH, owner('ann'), clock, 10);
    await lock.release();
    await lock.release();
    expect(await names(tree)).toEqual([]);
    await acquireLock(tree, PATH, owner('bob'), clock, 10);
    expect(await content(tree)).toContain('id-of-bob');
  });

  test('that an attempt of this process left on a connection that was cut counts as its own, and as nobody else’s', async () => {
    const [tree, clock] = [memoryTree(), stoppedClock()];
    await acquireLock(tree, PATH, owner('ann'), clock, 10);
    await tree.write(`${PATH}.takeover`, Buffer.from(await content(tree)));
    expect(await failure(acquireLock(tree, PATH, owner('ann'), clock, 10))).toMatchObject({ code: 'TIEUP_E_LOCKED' });
    const bobs = acquireLock(tree, PATH, owner('bob'), clock, 10, { isAgain: true });
    expect(await failure(bobs)).toMatchObject({ code: 'TIEUP_E_LOCKED' });
    const lock = await acquireLock(tree, PATH, owner('ann'), clock, 10, { isAgain: true });
    await lock.release();
    expect(await names(tree)).toEqual([]);
  });

  test('without a name may be of an attempt that was cut off: it is waited for until it would have one', async () => {
    const [tree, clock] = [memoryTree(), stoppedClock()];
    await tree.create(PATH, new Uint8Array());
    expect(await failure(acquireLock(tree, PATH, owner('ann'), clock, 10))).toMatchObject({ code: 'TIEUP_E_LOCKED' });
    await tree.create(`${PATH}.takeover`, new Uint8Array());
    const bobs = Buffer.from(`${JSON.stringify({ ...owner('bob'), until: '2026-11-23T22:10:00Z' })}\n`);
    const naming = { ...clock, sleep: () => tree.write(PATH, bobs) };
    const tooLate = acquireLock(tree, PATH, owner('ann'), naming, 10, { isAgain: true });
    expect((await failure(tooLate)).message).toContain('bob@host');
    await tree.write(PATH, new Uint8Array());
    const lock = await acquireLock(tree, PATH, owner('ann'), clock, 10, { isAgain: true });
    expect(await content(tree)).toContain('id-of-ann');
    await lock.release();
    expect(await names(tree)).toEqual([]);
  });

  test('has one winner when many come at once', async () => {
    const [tree, clock] = [memoryTree(), stoppedClock()];
    const attempts = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) => acquireLock(tree, PATH, owner(`p${index}`), clock, 10)),
    );
    expect(attempts.filter((attempt) => attempt.status === 'fulfilled')).toHaveLength(1);
  });

  test('is taken over when its time is over, by one process alone', async () => {
    const [tree, clock] = [memoryTree(), stoppedClock()];
    const old = await acquireLock(tree, PATH, owner('ann'), clock, 10);
    clock.move(10);
    const attempts = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) => acquireLock(tree, PATH, owner(`p${index}`), clock, 10)),
    );
    expect(attempts.filter((attempt) => attempt.status === 'fulfilled')).toHaveLength(1);
    expect(await names(tree)).toEqual(['lock']);
    const taken = await content(tree);
    // Whoever was too slow neither refreshes nor removes what is not its own.
    expect(await failure(old.refresh())).toMatchObject({ code: 'TIEUP_E_LOCKED' });
    await old.release();
    expect(await content(tree)).toBe(taken);
  });

  test('that was removed by hand and taken by another is noticed, and left to the other', async () => {
    const clock = stoppedClock();
    const tree = memoryTree('memory', clock);
    const ann = await acquireLock(tree, PATH, owner('ann'), clock, 30);
    await ann.assertHeld();
    clock.move(1);
    await breakLock(tree, PATH);
    expect(await failure(ann.assertHeld())).toMatchObject({ code: 'TIEUP_E_LOCKED' });
    const bob = await acquireLock(tree, PATH, owner('bob'), clock, 30);
    expect(await failure(ann.assertHeld())).toMatchObject({ code: 'TIEUP_E_LOCKED' });
    await ann.release();
    expect(await content(tree)).toContain('id-of-bob');
    await bob.assertHeld();
    await bob.release();
    expect(await names(tree)).toEqual([]);
  });

  test('is left to who has taken it, without having looked for as little as a minute', async () => {
    const clock = stoppedClock();
    const tree = memoryTree('memory', clock);
    const ann = await acquireLock(tree, PATH, owner('ann'), clock, 30);
    await breakLock(tree, PATH);
    await acquireLock(tree, PATH, owner('bob'), clock, 30);
    clock.move(1);
    await ann.release();
    expect(await content(tree)).toContain('id-of-bob');
  });

  test('lasts as long as it is refreshed', async () => {
    const [tree, clock] = [memoryTree(), stoppedClock()];
    const lock = await acquireLock(tree, PATH, owner('ann'), clock, 10);
    clock.move(9);
    await lock.refresh();
    clock.move(9);
    expect(await failure(acquireLock(tree, PATH, owner('bob'), clock, 10))).toMatchObject({ code: 'TIEUP_E_LOCKED' });
  });

  test('is refreshed by the work under it, and not before a third of its time is over', async () => {
    const [tree, clock] = [memoryTree('the exchange'), stoppedClock()];
    const { lock, keepingLock } = lockedTrees(() => acquireLock(tree, PATH, owner('ann'), clock, 10));
    const working = keepingLock(tree);
    await working.write('before.html', Buffer.from('1'));
    const held = await lock();
    const first = await content(tree);
    clock.move(3);
    await working.write('one.html', Buffer.from('1'));
    expect(await content(tree)).toBe(first);
    for (let minutes = 0; minutes < 60; minutes += 4) {
      clock.move(4);
      await Promise.all([working.write('one.html', Buffer.from('1')), working.read('one.html', 10)]);
      expect((await failure(acquireLock(tree, PATH, owner('bob'), clock, 10))).code).toBe('TIEUP_E_LOCKED');
    }
    await held.release();
    expect((await tree.list('inbox')).map(({ name }) => name)).toEqual([]);
  });

  test('is refreshed within one long transfer', async () => {
    const [tree, clock] = [memoryTree(), stoppedClock()];
    const { lock, keepingLock } = lockedTrees(() => acquireLock(tree, PATH, owner('ann'), clock, 10));
    await lock();
    async function* slowly(): AsyncIterable<Uint8Array> {
      for (let piece = 0; piece < 10; piece += 1) {
        clock.move(5);
        yield Buffer.from('.');
      }
    }
    await keepingLock(tree).write('large.bin', slowly());
    expect(await content(tree)).toContain('2026-11-23T23:00:00Z');
  });

  test('that was taken over stops the work under it, which changes nothing more', async () => {
    const [tree, clock] = [memoryTree('the exchange'), stoppedClock()];
    const { lock, keepingLock } = lockedTrees(() => acquireLock(tree, PATH, owner('ann'), clock, 10));
    const working = keepingLock(tree);
    const held = await lock();
    // The lid of the laptop was closed.
    clock.move(11);
    const bobs = await acquireLock(tree, PATH, owner('bob'), clock, 10);
    const taken = await content(tree);
    for (const work of [
      () => working.write('page.html', Buffer.from('late')),
      () => working.remove('page.html'),
      () => working.replaceLink('public', 'published/2'),
    ])
      expect(await failure(work())).toMatchObject({ code: 'TIEUP_E_LOCKED' });
    expect(await tree.stat('page.html')).toBeUndefined();
    await held.release();
    expect(await content(tree)).toBe(taken);
    await bobs.release();
  });

  test('that is over and that nobody took is had again, unless another takes it at that moment', async () => {
    const [tree, clock] = [memoryTree(), stoppedClock()];
    const lock = await acquireLock(tree, PATH, owner('ann'), clock, 10);
    clock.move(20);
    await lock.keep();
    expect(await content(tree)).toContain('2026-11-23T22:30:00Z');
    clock.move(20);
    await tree.create(`${PATH}.takeover`, Buffer.from('bob is at it'));
    expect((await failure(lock.keep())).code).toBe('TIEUP_E_LOCKED');
  });

  test('that somebody broke is not made anew by the work under it', async () => {
    const [tree, clock] = [memoryTree(), stoppedClock()];
    const lock = await acquireLock(tree, PATH, owner('ann'), clock, 10);
    await breakLock(tree, PATH);
    clock.move(4);
    expect((await failure(lock.keep())).code).toBe('TIEUP_E_LOCKED');
    expect(await names(tree)).toEqual([]);
  });

  test('of a process of this host that lives is kept past its time, for a day', async () => {
    const [tree, clock] = [memoryTree(), stoppedClock()];
    const alive = { isAlive: () => true };
    await acquireLock(tree, PATH, owner('ann'), clock, 10);
    clock.move(11);
    expect((await failure(acquireLock(tree, PATH, owner('bob'), clock, 10, alive))).code).toBe('TIEUP_E_LOCKED');
    clock.move(24 * 60);
    await acquireLock(tree, PATH, owner('bob'), clock, 10, alive);
    expect(await content(tree)).toContain('id-of-bob');
  });

  test('of a process of this host that is dead is not waited for', async () => {
    const [tree, clock] = [memoryTree(), stoppedClock()];
    await acquireLock(tree, PATH, owner('ann', 111), clock, 10);
    const alive = { isAlive: (pid: number) => pid === 111 };
    expect(await failure(acquireLock(tree, PATH, owner('bob'), clock, 10, alive))).toMatchObject({
      code: 'TIEUP_E_LOCKED',
    });
    const elsewhere = { ...owner('bob'), host: 'another-host' };
    const dead = { isAlive: () => false };
    expect(await failure(acquireLock(tree, PATH, elsewhere, clock, 10, dead))).toMatchObject({
      code: 'TIEUP_E_LOCKED',
    });
    await acquireLock(tree, PATH, owner('bob'), clock, 10, dead);
    expect(await content(tree)).toContain('id-of-bob');
  });

  test.each([
    ['another container', 'boot-1 pid:[2]', 'boot-1 pid:[1]'],
    ['another machine of the same name', 'boot-2 pid:[1]', 'boot-1 pid:[1]'],
    ['a machine that does not tell', undefined, 'boot-1 pid:[1]'],
    ['another machine, for one that does not tell', 'boot-1 pid:[1]', undefined],
  ])('of %s counts until its time is over: its number names no process here', async (_whose, theirs, ours) => {
    const [tree, clock] = [memoryTree(), stoppedClock()];
    await acquireLock(tree, PATH, { ...owner('ann'), processes: theirs }, clock, 10);
    const bob = { ...owner('bob'), processes: ours };
    const dead = { isAlive: () => false };
    expect((await failure(acquireLock(tree, PATH, bob, clock, 10, dead))).code).toBe('TIEUP_E_LOCKED');
    clock.move(11);
    // Nor does one that happens to run keep it.
    await acquireLock(tree, PATH, bob, clock, 10, { isAlive: () => true });
    expect(await content(tree)).toContain('id-of-bob');
  });

  test('of a dead process of the same container is not waited for', async () => {
    const [tree, clock] = [memoryTree(), stoppedClock()];
    const processes = 'boot-1 pid:[1]';
    await acquireLock(tree, PATH, { ...owner('ann'), processes }, clock, 10);
    await acquireLock(tree, PATH, { ...owner('bob'), processes }, clock, 10, { isAlive: () => false });
    expect(await content(tree)).toContain('id-of-bob');
  });

  test('without a name is never taken over where the server tells no times', async () => {
    const [memory, clock] = [memoryTree(), stoppedClock()];
    const untimed = async (path: string) => {
      const stat = await memory.stat(path);
      return stat && { ...stat, modified: NO_TIME };
    };
    const tree: FileTree = { ...memory, stat: untimed };
    for (const path of [PATH, `${PATH}.takeover`]) {
      await tree.write(path, new Uint8Array());
      expect((await failure(acquireLock(tree, PATH, owner('bob'), clock, 10))).code).toBe('TIEUP_E_LOCKED');
      await tree.remove(path);
      if (path === PATH) await acquireLock(tree, PATH, owner('ann'), clock, 10);
      clock.move(11);
    }
  });

  test.each([
    ['nothing', ''],
    ['half a lock', '{"who":"ann'],
    ['no lock', '[1,2]'],
    ['a lock without an end', '{"who":"a","id":"i","host":"h","pid":1,"until":"soon"}'],
  ])('file with %s in it counts from when it was written', async (_what, text) => {
    const clock = stoppedClock();
    const tree = memoryTree('memory', clock);
    await tree.write(PATH, new TextEncoder().encode(text));
    clock.move(9);
    const error = await failure(acquireLock(tree, PATH, owner('bob'), clock, 10));
    expect(error).toMatchObject({ code: 'TIEUP_E_LOCKED' });
    expect(error.message).toContain('until 2026-11-23T22:10:00Z');
    clock.move(1);
    await acquireLock(tree, PATH, owner('bob'), clock, 10);
    expect(await content(tree)).toContain('id-of-bob');
  });

  test('cannot play tricks on a terminal', async () => {
    const [tree, clock] = [memoryTree(), stoppedClock()];
    const lines = { ...owner('x'), who: `\u001b[2Jann\r\n${'y'.repeat(500)}` };
    await acquireLock(tree, PATH, lines, clock, 10);
    const { message } = await failure(acquireLock(tree, PATH, owner('bob'), clock, 10));
    expect(message).not.toMatch(/\p{Cc}/u);
    expect(message.length).toBeLessThan(400);
  });

  test('of this machine without a name is of a process that was killed, a minute later', async () => {
    const tree = memoryTree();
    await tree.create(PATH, new Uint8Array());
    let now = Date.parse((await tree.stat(PATH))?.modified ?? '') + 59_000;
    const clock = { ...stoppedClock(), now: () => new Date(now) };
    const here = { isAlive: () => true };
    expect(await failure(acquireLock(tree, PATH, owner('bob'), clock, 10, here))).toMatchObject({
      code: 'TIEUP_E_LOCKED',
    });
    now += 60_000;
    expect(await failure(acquireLock(tree, PATH, owner('bob'), clock, 10))).toMatchObject({ code: 'TIEUP_E_LOCKED' });
    await acquireLock(tree, PATH, owner('bob'), clock, 10, here);
    expect(await content(tree)).toContain('id-of-bob');
  });

  test('file that is far too long is refused, and left alone', async () => {
    const [tree, clock] = [memoryTree(), stoppedClock()];
    await tree.write(PATH, new Uint8Array(5000));
    expect(await failure(acquireLock(tree, PATH, owner('bob'), clock, 10))).toMatchObject({
      code: 'TIEUP_E_TOO_LARGE',
    });
    expect((await tree.stat(PATH))?.length).toBe(5000);
  });
});

describe('tieup unlock', () => {
  test('removes a lock whoever holds it, and says who held it', async () => {
    const [tree, clock] = [memoryTree(), stoppedClock()];
    await acquireLock(tree, PATH, owner('ann'), clock, 10);
    expect(await breakLock(tree, PATH)).toMatchObject({ who: 'ann@host, process 100' });
    expect(await breakLock(tree, PATH)).toBeUndefined();
    await acquireLock(tree, PATH, owner('bob'), clock, 10);
    expect(await content(tree)).toContain('id-of-bob');
  });

  test('also ends a takeover that crashed', async () => {
    const [tree, clock] = [memoryTree(), stoppedClock()];
    await acquireLock(tree, PATH, owner('ann'), clock, 10);
    clock.move(11);
    await tree.create(`${PATH}.takeover`, new Uint8Array());
    const error = await failure(acquireLock(tree, PATH, owner('bob'), clock, 10));
    expect(error.message).toContain('taking over');
    expect(error.hint).toContain('tieup unlock');
    await breakLock(tree, PATH);
    expect(await names(tree)).toEqual([]);
  });

  test('removes a lock that nobody can read', async () => {
    const tree = memoryTree();
    await tree.write(PATH, new TextEncoder().encode('{'));
    expect(await breakLock(tree, PATH)).toMatchObject({ who: 'a process that did not write its name' });
    expect(await names(tree)).toEqual([]);
  });
});

async function content(tree: FileTree): Promise<string> {
  return new TextDecoder().decode(await tree.read(PATH, 10_000));
}

async function names(tree: FileTree): Promise<readonly string[]> {
  return (await tree.list('inbox')).map(({ name }) => name);
}

async function failure(operation: Promise<unknown>): Promise<TieupError> {
  try {
    await operation;
  } catch (error) {
    if (isTieupError(error)) return error;
    throw error;
  }
  throw new Error('nothing failed');
}
