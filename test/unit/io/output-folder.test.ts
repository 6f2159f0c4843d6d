import { linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { outputFolder } from '../../../src/io/output-folder.ts';
import { contentsOf, temporaryFolder } from '../../support/temporary-folder.ts';

const refused = (code: string): unknown => expect.objectContaining({ code });

describe('a folder that is written in bulk', () => {
  it('makes what it needs, and writes files whole', async () => {
    const root = join(await temporaryFolder(), 'new', 'out');
    const out = outputFolder(root);
    expect(out.stamp('a/b.html')).toBeUndefined();
    const stamp = out.write('a/b.html', Buffer.from('b'));
    out.write('a/c/d.html', Buffer.from(''));
    out.write('e.html', Buffer.from('e'));
    expect(out.stamp('a/b.html')).toEqual(stamp);
    expect(stamp.length).toBe(1);
    out.close();
    expect(readFileSync(join(root, 'a/b.html'), 'utf8')).toBe('b');
    expect(readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted()).toEqual([
      'a',
      'a/b.html',
      'a/c',
      'a/c/d.html',
      'e.html',
    ]);
  });

  it('tells a file that was touched since', async () => {
    const root = await temporaryFolder();
    const out = outputFolder(root);
    const stamp = out.write('a.html', Buffer.from('one'));
    writeFileSync(join(root, 'a.html'), 'two');
    utimesSync(join(root, 'a.html'), 1, 1);
    expect(out.stamp('a.html')).not.toEqual(stamp);
  });

  it('replaces a file and does not write into it: another name may lead to it', async () => {
    const root = await temporaryFolder();
    writeFileSync(join(root, 'theirs'), 'theirs');
    linkSync(join(root, 'theirs'), join(root, 'a.html'));
    outputFolder(root).write('a.html', Buffer.from('ours'));
    expect([readFileSync(join(root, 'theirs'), 'utf8'), readFileSync(join(root, 'a.html'), 'utf8')]).toEqual([
      'theirs',
      'ours',
    ]);
  });

  it.each([
    ['a link in place of the file', 'a.html', 'TIEUP_E_UNSAFE_PATH'],
    ['a link on the way', 'way/a.html', 'TIEUP_E_UNSAFE_PATH'],
    ['a folder in place of the file', 'folder', 'TIEUP_E_EXISTS'],
    ['a file on the way', 'file/a.html', 'TIEUP_E_EXISTS'],
    ['a path that leads outside', '../a.html', 'TIEUP_E_UNSAFE_PATH'],
  ])('refuses %s, and changes nothing', async (_, path, code) => {
    const [root, elsewhere] = [await temporaryFolder(), await temporaryFolder()];
    writeFileSync(join(elsewhere, 'a.html'), 'theirs');
    symlinkSync(join(elsewhere, 'a.html'), join(root, 'a.html'));
    symlinkSync(elsewhere, join(root, 'way'));
    mkdirSync(join(root, 'folder'));
    writeFileSync(join(root, 'file'), '');
    const before = [await contentsOf(root), await contentsOf(elsewhere)];
    expect(() => outputFolder(root).write(path, Buffer.from('ours'))).toThrow(refused(code));
    expect([await contentsOf(root), await contentsOf(elsewhere)]).toEqual(before);
  });
});
