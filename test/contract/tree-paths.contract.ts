/** Paths are refused before anything happens. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { FileTree } from '../../src/io/file-tree.ts';
import type { TreeUnderTest } from './file-tree.contract.ts';
import { drain, MAX, names, refused, text } from './tree-assertions.ts';

export function describePaths(current: () => TreeUnderTest): void {
  let tree: FileTree;
  beforeEach(() => {
    ({ tree } = current());
  });

  describe('paths', () => {
    const bad = ['/a', 'a/', 'a//b', '.', '..', 'a/..', '../a', 'a/./b', 'a\\b', 'a\0b', '/', 'a/\uD800'];
    test.each(bad)('%j is refused before anything happens', async (path) => {
      await tree.write('a/b', text('x'));
      await refused(tree.stat(path), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.list(path), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.read(path, MAX), 'TIEUP_E_UNSAFE_PATH');
      await refused(drain(tree.stream(path, MAX)), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.write(path, text('y')), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.create(path, text('y')), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.makeFolder(path), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.rename(path, 'z'), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.rename('a/b', path), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.hardLink('a/b', path), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.replaceLink(path, 'x'), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.readLink(path), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.remove(path), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.removeFolder(path), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.sync([path]), 'TIEUP_E_UNSAFE_PATH');
      expect(await names(tree, '', true)).toEqual(['a']);
      expect(await names(tree, 'a', true)).toEqual(['b']);
    });

    test('the root is no file', async () => {
      await refused(tree.read('', MAX), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.write('', text('x')), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.remove(''), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.rename('', 'a'), 'TIEUP_E_UNSAFE_PATH');
      await refused(tree.removeFolder(''), 'TIEUP_E_UNSAFE_PATH');
      expect(await names(tree, '', true)).toEqual([]);
    });
  });
}
