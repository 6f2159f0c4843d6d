/** What is not there, what may be made once, and folders. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { FileTree } from '../../src/io/file-tree.ts';
import type { TreeTraits, TreeUnderTest } from './file-tree.contract.ts';
import { drain, MAX, names, read, refused, text } from './tree-assertions.ts';

export function describeFolders(current: () => TreeUnderTest, traits: TreeTraits): void {
  let tree: FileTree;
  beforeEach(() => {
    ({ tree } = current());
  });

  describe('what is not there', () => {
    test('is undefined, an empty list, or a clear refusal', async () => {
      expect(await tree.stat('nothing')).toBeUndefined();
      expect(await tree.stat('no/thing/at/all')).toBeUndefined();
      expect(await tree.list('nothing')).toEqual([]);
      await refused(tree.read('nothing', MAX), 'TIEUP_E_NOT_FOUND');
      await refused(tree.read('no/thing', MAX), 'TIEUP_E_NOT_FOUND');
      await refused(drain(tree.stream('nothing', MAX)), 'TIEUP_E_NOT_FOUND');
      await refused(tree.readLink('nothing'), 'TIEUP_E_NOT_FOUND');
      await refused(tree.rename('nothing', 'b'), 'TIEUP_E_NOT_FOUND');
      await tree.remove('nothing');
      await tree.remove('no/thing');
      expect(await tree.removeFolder('nothing')).toBe(false);
      expect(await names(tree, '')).toEqual([]);
    });

    test('is not made by a rename or a link', async () => {
      await tree.write('a', text('a'));
      await refused(tree.rename('a', 'absent/b'), 'TIEUP_E_NOT_FOUND');
      await refused(tree.replaceLink('absent/link', 'a'), 'TIEUP_E_NOT_FOUND');
      if (traits.hardLinks) await refused(tree.hardLink('a', 'absent/b'), 'TIEUP_E_NOT_FOUND');
      expect(await names(tree, '')).toEqual(['a']);
    });

    test('cannot be below a file', async () => {
      await tree.write('file', text('f'));
      expect(await tree.stat('file/below')).toBeUndefined();
      await refused(tree.read('file/below', MAX), 'TIEUP_E_NOT_FOUND');
      await refused(tree.write('file/below', text('x')), 'TIEUP_E_EXISTS');
      await refused(tree.makeFolder('file/below'), 'TIEUP_E_EXISTS');
      expect(await read(tree, 'file')).toBe('f');
    });
  });

  describe('exclusive creation', () => {
    test('makes a file once', async () => {
      await tree.create('dir/lock', text('mine'));
      await refused(tree.create('dir/lock', text('theirs')), 'TIEUP_E_EXISTS');
      expect(await read(tree, 'dir/lock')).toBe('mine');
      expect(await names(tree, 'dir', true)).toEqual(['lock']);
    });

    test('has one winner when many try', async () => {
      const attempts = await Promise.allSettled(
        Array.from({ length: 8 }, (_, index) => tree.create('lock', text(`${index}`))),
      );
      const winners = attempts.flatMap((attempt, index) => (attempt.status === 'fulfilled' ? [index] : []));
      expect(winners).toHaveLength(1);
      expect(await read(tree, 'lock')).toBe(`${winners[0]}`);
    });

    test('refuses a folder and a dangling link that are in the way', async () => {
      await tree.makeFolder('folder');
      await tree.replaceLink('link', 'nowhere');
      await refused(tree.create('folder', text('x')), 'TIEUP_E_EXISTS');
      await refused(tree.create('link', text('x')), 'TIEUP_E_EXISTS');
      expect(await tree.stat('nowhere')).toBeUndefined();
    });
  });

  describe('folders', () => {
    test('are made with their parents, and again without harm', async () => {
      await tree.makeFolder('');
      await tree.makeFolder('x/y/z');
      await tree.makeFolder('x/y/z');
      expect(await tree.stat('x/y/z')).toMatchObject({ kind: 'folder' });
      expect(await tree.stat('')).toMatchObject({ kind: 'folder' });
    });

    test('are listed in the order of bytes, with what each child is', async () => {
      await tree.write('f/b', text('bb'));
      await tree.write('f/B', text('B'));
      await tree.write('f/a/inner', text('x'));
      await tree.replaceLink('f/l', 'b');
      expect(await tree.list('f')).toMatchObject([
        { name: 'B', kind: 'file', length: 1 },
        { name: 'a', kind: 'folder', length: 0 },
        { name: 'b', kind: 'file', length: 2 },
        { name: 'l', kind: 'link', length: 0 },
      ]);
    });

    test('hide temporary files, unless asked for them', async () => {
      await tree.write('.tieup-tmp-left-by-a-crash', text('x'));
      await tree.write('a', text('x'));
      expect(await names(tree, '')).toEqual(['a']);
      expect(await names(tree, '', true)).toEqual(['.tieup-tmp-left-by-a-crash', 'a']);
    });

    test('are removed when they are empty, and only then', async () => {
      await tree.write('x/y/file', text('x'));
      expect(await tree.removeFolder('x/y')).toBe(false);
      await tree.remove('x/y/file');
      expect(await tree.removeFolder('x/y')).toBe(true);
      expect(await tree.stat('x/y')).toBeUndefined();
      expect(await tree.removeFolder('x/y')).toBe(false);
    });

    test('are not taken for files, nor files for folders', async () => {
      await tree.makeFolder('folder');
      await tree.write('file', text('f'));
      await refused(tree.read('folder', MAX), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.write('folder', text('x')), 'TIEUP_E_EXISTS');
      await refused(tree.remove('folder'), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.list('file'), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.makeFolder('file'), 'TIEUP_E_EXISTS');
      await refused(tree.removeFolder('file'), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.readLink('file'), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.readLink('folder'), 'TIEUP_E_UNSAFE_PATH');
      expect(await names(tree, '', true)).toEqual(['file', 'folder']);
      expect(await read(tree, 'file')).toBe('f');
    });
  });
}
