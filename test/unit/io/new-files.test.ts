import { describe, expect, test } from 'vitest';
import { isTieupError, TieupError } from '../../../src/errors.ts';
import type { FileTree } from '../../../src/io/file-tree.ts';
import { memoryTree } from '../../../src/io/memory-tree.ts';
import { createFiles } from '../../../src/io/new-files.ts';
import { walkFiles } from '../../../src/io/walk.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const FILES = [
  { path: 'a.txt', content: bytes('a') },
  { path: 'deep/er/b.txt', content: bytes('b'), mode: 0o600 },
];

async function paths(tree: FileTree): Promise<string[]> {
  const found: string[] = [];
  for await (const { path } of walkFiles(tree, '')) found.push(path);
  return found;
}

describe('new files', () => {
  test('are written, with their modes', async () => {
    const tree = memoryTree();
    await createFiles(tree, FILES);
    expect(await paths(tree)).toEqual(['a.txt', 'deep/er/b.txt']);
    expect((await tree.stat('deep/er/b.txt'))?.mode).toBe(0o600);
  });

  test('are refused as a whole when one is in the way, naming all that are', async () => {
    const tree = memoryTree();
    await tree.write('deep/er/b.txt', bytes('mine'));
    await tree.makeFolder('a.txt');
    const error = await createFiles(tree, FILES).catch((caught: unknown) => caught);
    expect(isTieupError(error, 'TIEUP_E_EXISTS') && error.problems.map(({ file }) => file)).toEqual([
      'a.txt',
      'deep/er/b.txt',
    ]);
    expect(await paths(tree)).toEqual(['deep/er/b.txt']);
    expect(await tree.read('deep/er/b.txt', 100)).toEqual(bytes('mine'));
  });

  test('are taken back when one cannot be written', async () => {
    const tree = memoryTree();
    const full: FileTree = {
      ...tree,
      create: async (path, content, options) => {
        if (path.startsWith('deep')) throw new TieupError('TIEUP_E_STORAGE', 'no space left');
        await tree.create(path, content, options);
      },
    };
    await expect(createFiles(full, FILES)).rejects.toThrow('no space left');
    expect(await paths(tree)).toEqual([]);
  });

  test('are taken back with the folders that were made for them, and no other', async () => {
    const tree = memoryTree();
    await tree.write('deep/mine.txt', bytes('mine'));
    const full: FileTree = {
      ...tree,
      create: async (path, content, options) => {
        if (path === 'last.txt') throw new TieupError('TIEUP_E_STORAGE', 'no space left');
        await tree.create(path, content, options);
      },
    };
    await expect(createFiles(full, [...FILES, { path: 'last.txt', content: bytes('c') }])).rejects.toThrow('no space');
    expect(await paths(tree)).toEqual(['deep/mine.txt']);
    expect(await tree.stat('deep/er')).toBeUndefined();
  });
});
