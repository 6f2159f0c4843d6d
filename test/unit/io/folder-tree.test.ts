import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isTieupError, type TieupError } from '../../../src/errors.ts';
import type { FileTree } from '../../../src/io/file-tree.ts';
import { folderTree } from '../../../src/io/folder-tree.ts';
import { countSteps, crashingFolder, crashingTree, Crash, folderSteps } from '../../support/crash-tree.ts';
import { asRoot, realPart } from '../../support/real-parts.ts';

const OLD = Buffer.from('the old content');
const NEW = Buffer.from('the new content, which is longer');

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tieup-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('a write', () => {
  test('flushes the content before the name, and the name before it returns', async () => {
    const steps = await folderSteps(root, (tree) => tree.write('a/b', NEW));
    expect(steps).toEqual(['mkdir a', 'open a/b', 'write a/b', 'fsync a/b', 'rename a/b', 'fsync-folder a/b']);
  });

  test('that is flushed later takes no fsync of its own', async () => {
    const steps = await folderSteps(root, async (tree) => {
      await tree.write('a', NEW, { durable: false });
      await tree.write('b/c', NEW, { durable: false });
      await tree.sync(['a', 'b/c']);
    });
    expect(steps.slice(-4)).toEqual(['fsync a', 'fsync b/c', 'fsync-folder b', 'fsync-folder ']);
    expect(steps.slice(0, -4).filter((step) => step.startsWith('fsync'))).toEqual([]);
  });

  test('that stops before any of its steps leaves the old file or the new one', async () => {
    writeFileSync(join(root, 'a'), OLD);
    const steps = await folderSteps(root, (tree) => tree.write('a', NEW));
    const states: string[] = [];
    for (let step = 1; step <= steps.length; step += 1) {
      writeFileSync(join(root, 'a'), OLD);
      await expect(crashingFolder(root, step).write('a', NEW)).rejects.toBeInstanceOf(Crash);
      states.push(readFileSync(join(root, 'a'), 'utf8'));
      expect(readdirSync(root)).toEqual(['a']);
    }
    expect(states.at(0)).toBe(OLD.toString());
    expect(states.at(-1)).toBe(NEW.toString());
    expect(new Set(states)).toEqual(new Set([OLD.toString(), NEW.toString()]));
  });

  test('makes the root when it is absent, and a reader finds it there', async () => {
    const tree = folderTree(join(root, 'x', 'y'));
    expect(await tree.list('')).toEqual([]);
    await tree.write('a', NEW);
    expect(await tree.read('a', 100)).toEqual(new Uint8Array(NEW));
  });

  test('through a root that is a link goes to where the link leads', async () => {
    mkdirSync(join(root, 'real'));
    symlinkSync('real', join(root, 'link'));
    const tree = folderTree(join(root, 'link'));
    await tree.write('a', NEW);
    expect(readFileSync(join(root, 'real', 'a')).equals(NEW)).toBe(true);
  });
});

describe('steps', () => {
  test('are counted before and after each operation that changes something', async () => {
    writeFileSync(join(root, 'b'), OLD);
    expect(await countSteps(folderTree(root), work)).toBe(4);
    renameSync(join(root, 'a', 'b'), join(root, 'b'));
    await expect(work(crashingTree(folderTree(root), 3))).rejects.toThrow('before rename b to a/b');
    expect(existsSync(join(root, 'b'))).toBe(true);
    await expect(work(crashingTree(folderTree(root), 4))).rejects.toThrow('after rename b to a/b');
    expect(existsSync(join(root, 'b'))).toBe(false);
  });
});

async function work(tree: FileTree): Promise<void> {
  await tree.makeFolder('a');
  await tree.read('b', 100);
  await tree.rename('b', 'a/b');
}

describe('a folder that is swapped for a link while it is used', () => {
  test('never makes a read or a write end up elsewhere', async () => {
    const outside = join(root, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'file'), 'secret');
    mkdirSync(join(root, 'tree', 'folder'), { recursive: true });
    writeFileSync(join(root, 'tree', 'folder', 'file'), 'mine');
    const worker = new Worker(SWAPPER, { eval: true, workerData: { root } });
    const seen = new Set<string>();
    try {
      await new Promise((resolve) => worker.once('message', resolve));
      const tree = folderTree(join(root, 'tree'));
      // On a busy machine it takes a while until a swap falls between two steps.
      for (let round = 0; round < 3000 || (!seen.has('TIEUP_E_UNSAFE_PATH') && round < 300_000); round += 1) {
        seen.add(await outcome(tree.read('folder/file', 100)));
        if (round % 10 === 0) seen.add(await outcome(tree.replaceLink('folder/link', 'target')));
        if (round % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      await worker.terminate();
    }
    const allowed = ['mine', 'done', 'TIEUP_E_UNSAFE_PATH', 'TIEUP_E_NOT_FOUND'];
    expect([...seen].filter((one) => !allowed.includes(one))).toEqual([]);
    expect([...seen]).toContain('TIEUP_E_UNSAFE_PATH');
    expect(readdirSync(outside)).toEqual(['file']);
  });
});

/** Swaps `tree/folder` for a link to `outside` and back, as fast as it can. */
const SWAPPER = `
  const { renameSync, symlinkSync, unlinkSync } = require('node:fs');
  const { parentPort, workerData: { root } } = require('node:worker_threads');
  parentPort.postMessage('ready');
  for (;;) {
    renameSync(root + '/tree/folder', root + '/tree/away');
    symlinkSync(root + '/outside', root + '/tree/folder');
    unlinkSync(root + '/tree/folder');
    renameSync(root + '/tree/away', root + '/tree/folder');
  }
`;

describe('a listing', () => {
  test('shows names that are no UTF-8 as something that cannot be used', async () => {
    writeFileSync(Buffer.concat([Buffer.from(`${root}/bad-`), Buffer.from([0xff])]), 'x');
    expect(await folderTree(root).list('')).toMatchObject([{ name: 'bad-\uFFFD', kind: 'other', length: 0 }]);
  });
});

describe('a file that grows while it is streamed', () => {
  test('is refused when it passes its bound', async () => {
    writeFileSync(join(root, 'log'), Buffer.alloc(600_000));
    let given = 0;
    const reading = (async () => {
      for await (const chunk of folderTree(root).stream('log', 700_000)) {
        given += chunk.length;
        writeFileSync(join(root, 'log'), Buffer.alloc(200_000), { flag: 'a' });
      }
    })();
    expect(await fault(reading)).toMatchObject({ code: 'TIEUP_E_TOO_LARGE' });
    expect(given).toBeLessThanOrEqual(700_000);
  });
});

describe.skipIf(process.getuid?.() === 0 && realPart('mount') === undefined)('storage that refuses', () => {
  test.skipIf(!asRoot('mount'))(
    'a full disk leaves the old file, nothing beside it, and a plain sentence',
    async () => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', root]);
      try {
        const tree = folderTree(root);
        await tree.write('a', OLD);
        const error = await fault(tree.write('a', Buffer.alloc(3_000_000)));
        expect(error).toMatchObject({ code: 'TIEUP_E_STORAGE', exitCode: 1 });
        expect(error.message).toBe(`cannot write "a" in "${root}": no space is left on the device`);
        expect(error.hint).toContain('make room');
        expect(readdirSync(root)).toEqual(['a']);
        expect(readFileSync(join(root, 'a')).equals(OLD)).toBe(true);
        expect(await fault(tree.create('b', Buffer.alloc(3_000_000)))).toMatchObject({ code: 'TIEUP_E_STORAGE' });
        expect(readdirSync(root)).toEqual(['a']);
      } finally {
        execFileSync('umount', [root]);
      }
    },
  );

  test.skipIf(!asRoot('mount'))('a read-only file system is named', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', root]);
    try {
      await folderTree(root).write('a', OLD);
      execFileSync('mount', ['-o', 'remount,ro', root]);
      const tree = folderTree(root);
      for (const operation of [
        tree.write('a', NEW),
        tree.create('b', NEW),
        tree.makeFolder('c'),
        tree.rename('a', 'b'),
        tree.remove('a'),
        tree.replaceLink('l', 'a'),
      ]) {
        const error = await fault(operation);
        expect(error.code).toBe('TIEUP_E_STORAGE');
        expect(error.message).toContain('the file system is read-only');
      }
      expect(readdirSync(root)).toEqual(['a']);
      expect(readFileSync(join(root, 'a')).equals(OLD)).toBe(true);
    } finally {
      execFileSync('umount', [root]);
    }
  });

  test.skipIf(!asRoot('mount'))('a hard link to another file system is refused', async () => {
    mkdirSync(join(root, 'other'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', join(root, 'other')]);
    try {
      const tree = folderTree(root);
      await tree.write('a', OLD);
      const error = await fault(tree.hardLink('a', 'other/a'));
      expect(error.code).toBe('TIEUP_E_STORAGE');
      expect(error.message).toContain('different file systems');
      expect(readdirSync(join(root, 'other'))).toEqual([]);
    } finally {
      execFileSync('umount', [join(root, 'other')]);
    }
  });

  test.skipIf(process.getuid?.() === 0)('a folder without permission is named', async () => {
    mkdirSync(join(root, 'closed'));
    chmodSync(join(root, 'closed'), 0o555);
    const error = await fault(folderTree(root).write('closed/a', NEW));
    expect(error.code).toBe('TIEUP_E_STORAGE');
    expect(error.message).toContain('permission was denied');
    expect(readdirSync(join(root, 'closed'))).toEqual([]);
  });
});

test('files keep their second name when the first is replaced', async () => {
  const tree = folderTree(root);
  await tree.write('a', OLD);
  await tree.hardLink('a', 'b');
  expect(statSync(join(root, 'a')).ino).toBe(statSync(join(root, 'b')).ino);
  await tree.write('a', NEW);
  expect(readFileSync(join(root, 'b')).equals(OLD)).toBe(true);
  expect(lstatSync(join(root, 'b')).nlink).toBe(1);
});

async function outcome(operation: Promise<Uint8Array | void>): Promise<string> {
  try {
    const bytes = await operation;
    return bytes instanceof Uint8Array ? Buffer.from(bytes).toString() : 'done';
  } catch (error) {
    return isTieupError(error) ? error.code : String(error);
  }
}

async function fault(operation: Promise<unknown>): Promise<TieupError> {
  try {
    await operation;
  } catch (error) {
    if (isTieupError(error)) return error;
    throw error;
  }
  throw new Error('nothing failed');
}
