/** Renames and links: nothing is followed, nothing but what the port names is replaced. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { FileTree } from '../../src/io/file-tree.ts';
import type { TreeTraits, TreeUnderTest } from './file-tree.contract.ts';
import { drain, MAX, names, read, refused, text } from './tree-assertions.ts';

export function describeLinks(current: () => TreeUnderTest, traits: TreeTraits): void {
  let tree: FileTree;
  let made: TreeUnderTest;
  beforeEach(() => {
    made = current();
    ({ tree } = made);
  });

  describe('rename', () => {
    test('moves a file over another', async () => {
      await tree.write('a', text('a'));
      await tree.write('d/b', text('b'));
      await tree.rename('a', 'd/b');
      expect(await read(tree, 'd/b')).toBe('a');
      expect(await tree.stat('a')).toBeUndefined();
      expect(await names(tree, 'd', true)).toEqual(['b']);
    });

    test('moves a folder with what is in it', async () => {
      await tree.write('from/inner/file', text('x'));
      await tree.makeFolder('to');
      await tree.rename('from', 'to/moved');
      expect(await read(tree, 'to/moved/inner/file')).toBe('x');
      expect(await tree.stat('from')).toBeUndefined();
    });

    test('moves a link, not what it points at', async () => {
      await tree.write('target', text('t'));
      await tree.replaceLink('link', 'target');
      await tree.rename('link', 'moved');
      expect(await tree.readLink('moved')).toBe('target');
      expect(await read(tree, 'target')).toBe('t');
    });

    test('to itself changes nothing', async () => {
      await tree.write('a', text('a'));
      await tree.rename('a', 'a');
      expect(await read(tree, 'a')).toBe('a');
    });

    test('never replaces a folder, nor anything by a folder', async () => {
      await tree.write('file', text('f'));
      await tree.makeFolder('one');
      await tree.makeFolder('two');
      await refused(tree.rename('file', 'one'), 'TIEUP_E_EXISTS');
      await refused(tree.rename('one', 'two'), 'TIEUP_E_EXISTS');
      await refused(tree.rename('one', 'file'), 'TIEUP_E_EXISTS');
      await refused(tree.rename('one', 'one/inside'), 'TIEUP_E_UNSAFE_PATH');
      expect(await names(tree, '', true)).toEqual(['file', 'one', 'two']);
    });
  });

  describe('links', () => {
    test('are switched in one step, and can be read', async () => {
      await tree.makeFolder('published/1');
      await tree.makeFolder('published/2');
      await tree.replaceLink('public', 'published/1');
      await tree.replaceLink('public', 'published/2');
      expect(await tree.readLink('public')).toBe('published/2');
      expect(await tree.stat('public')).toMatchObject({ kind: 'link', length: 0 });
      expect(await names(tree, '', true)).toEqual(['public', 'published']);
      expect(await names(tree, 'published', true)).toEqual(['1', '2']);
    });

    test('replace nothing but a link', async () => {
      await tree.write('file', text('f'));
      await tree.makeFolder('folder');
      await refused(tree.replaceLink('file', 'x'), 'TIEUP_E_EXISTS');
      await refused(tree.replaceLink('folder', 'x'), 'TIEUP_E_EXISTS');
      expect(await names(tree, '', true)).toEqual(['file', 'folder']);
    });

    test('are removed themselves, not what they point at', async () => {
      await tree.write('folder/file', text('x'));
      await tree.replaceLink('link', 'folder');
      await tree.remove('link');
      expect(await tree.stat('link')).toBeUndefined();
      expect(await read(tree, 'folder/file')).toBe('x');
    });

    test('as the last component are not followed', async () => {
      await tree.write('secret', text('secret'));
      await tree.makeFolder('folder');
      await tree.replaceLink('to-file', 'secret');
      await tree.replaceLink('to-folder', 'folder');
      await refused(tree.read('to-file', MAX), 'TIEUP_E_UNSAFE_PATH');
      await refused(drain(tree.stream('to-file', MAX)), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.write('to-file', text('x')), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.list('to-folder'), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.makeFolder('to-folder'), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.removeFolder('to-folder'), 'TIEUP_E_UNSAFE_PATH');
      if (traits.hardLinks) await refused(tree.hardLink('to-file', 'hard'), 'TIEUP_E_UNSAFE_PATH');
      expect(await read(tree, 'secret')).toBe('secret');
      expect(await names(tree, '', true)).toEqual(['folder', 'secret', 'to-file', 'to-folder']);
    });

    test('on the way are not followed', async () => {
      await tree.write('outside/file', text('secret'));
      await tree.write('a', text('a'));
      await tree.makeFolder('in');
      await tree.replaceLink('in/link', '../outside');
      const unsafe: readonly Promise<unknown>[] = [
        tree.stat('in/link/file'),
        tree.list('in/link/sub'),
        tree.read('in/link/file', MAX),
        drain(tree.stream('in/link/file', MAX)),
        tree.write('in/link/file', text('x')),
        tree.write('in/link/deep/new', text('x')),
        tree.create('in/link/new', text('x')),
        tree.makeFolder('in/link/new'),
        tree.rename('in/link/file', 'b'),
        tree.rename('a', 'in/link/b'),
        tree.replaceLink('in/link/l', 'x'),
        tree.readLink('in/link/file'),
        tree.remove('in/link/file'),
        tree.removeFolder('in/link/sub'),
      ];
      for (const operation of unsafe) operation.catch(() => {});
      for (const operation of unsafe) await refused(operation, 'TIEUP_E_UNSAFE_PATH');
      expect(await names(tree, 'outside', true)).toEqual(['file']);
      expect(await read(tree, 'outside/file')).toBe('secret');
      expect(await read(tree, 'a')).toBe('a');
    });

    test('that take the place of a folder are noticed at once', async () => {
      await tree.write('real/file', text('x'));
      await tree.write('folder/file', text('mine'));
      expect(await read(tree, 'folder/file')).toBe('mine');
      await tree.rename('folder', 'away');
      await tree.replaceLink('folder', 'real');
      await refused(tree.read('folder/file', MAX), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.write('folder/file', text('y')), 'TIEUP_E_UNSAFE_PATH');
      expect(await read(tree, 'real/file')).toBe('x');
    });
  });

  test('a special file is refused at once, not waited for', async () => {
    made.makeSpecial?.('fifo');
    const code = made.makeSpecial === undefined ? 'TIEUP_E_NOT_FOUND' : 'TIEUP_E_UNSAFE_PATH';
    await refused(tree.read('fifo', MAX), code);
    await refused(drain(tree.stream('fifo', MAX)), code);
    const kinds = (await tree.list('')).map(({ kind, length }) => ({ kind, length }));
    expect(kinds).toEqual(made.makeSpecial === undefined ? [] : [{ kind: 'other', length: 0 }]);
    if (made.makeSpecial !== undefined) await refused(tree.write('fifo', text('x')), 'TIEUP_E_EXISTS');
  });

  describe('hard links', () => {
    test.runIf(traits.hardLinks)('a hard link is a second name of the same file', async () => {
      await tree.write('a', text('a'));
      await tree.hardLink('a', 'b');
      await tree.sync(['b']);
      expect(await read(tree, 'b')).toBe('a');
      await refused(tree.hardLink('a', 'b'), 'TIEUP_E_EXISTS');
      await refused(tree.hardLink('nothing', 'c'), 'TIEUP_E_NOT_FOUND');
      await tree.makeFolder('folder');
      await refused(tree.hardLink('folder', 'c'), 'TIEUP_E_UNSAFE_PATH');
      await tree.write('a', text('changed'));
      expect(await read(tree, 'b')).toBe('a');
    });

    test.skipIf(traits.hardLinks)('a hard link is refused in a way that tells to copy', async () => {
      await tree.write('a', text('a'));
      await refused(tree.hardLink('a', 'b'), 'TIEUP_E_STORAGE');
      expect(await names(tree, '', true)).toEqual(['a']);
    });
  });
}
