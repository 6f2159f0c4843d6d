import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { partnership } from '../../support/partnership-fixture.ts';
import { refusalOf } from '../../support/refusal.ts';
import { changedPaths, SEEN, snapshotOf } from '../../support/snapshot.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** A folder outside the site with a file and a folder that nobody may touch. */
async function outside(): Promise<string> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'folder'));
  for (const name of ['file', 'folder/index.html']) await writeFile(join(folder, name), 'not yours');
  return folder;
}

describe('a symbolic link is never followed', () => {
  test.each([
    ['where a tie-up page shall stand', 'public/with-main/index.html', 'file', 'TIEUP_E_CONFLICT'],
    ['where the folder of tie-up pages shall stand', 'public/with-main', 'folder', 'TIEUP_E_CONFLICT'],
    ['as the web root', 'public', 'folder', 'TIEUP_E_CONFLICT'],
    ['among the original pages', 'original/link.html', 'file', 'TIEUP_E_CONFLICT'],
    ['as a folder of original pages', 'original/folder', 'folder', 'TIEUP_E_CONFLICT'],
    ['as a slot', 'slots/visit/hours.md', 'file', 'TIEUP_E_UNSAFE_PATH'],
    ['as the folder of verified content', 'state/objects', 'folder', 'TIEUP_E_UNSAFE_PATH'],
    ['as the folder of trusted metadata', 'state/tuf', 'folder', 'TIEUP_E_STORAGE'],
    ['as the folder of decisions', 'state/decisions', 'folder', 'TIEUP_E_UNSAFE_PATH'],
    ['as the inbox', 'exchange/inbox', 'folder', 'TIEUP_E_UNSAFE_PATH'],
  ])('%s, when a release is written over a web root', async (_, path, target, code) => {
    const { shop } = await partnership({ publish: 'overwrite' });
    const elsewhere = await outside();
    await mkdir(join(shop.path(path), '..'), { recursive: true });
    await rename(shop.path(path), join(elsewhere, 'moved')).catch(() => undefined);
    await symlink(join(elsewhere, target), shop.path(path));
    const before = await snapshotOf(elsewhere);
    expect(await refusalOf(shop, () => shop.accept(), SEEN)).toMatchObject({ code });
    expect(changedPaths(before, await snapshotOf(elsewhere))).toEqual([]);
  });

  test.each([
    ['as the folder of trees', 'published', 'TIEUP_E_UNSAFE_PATH'],
    ['as the web root', 'public', 'TIEUP_E_CONFLICT'],
  ])('%s, when trees are switched', async (_, path, code) => {
    const { shop } = await partnership({ publish: 'link' });
    const elsewhere = await outside();
    await symlink(join(elsewhere, 'folder'), shop.path(path));
    const before = await snapshotOf(elsewhere);
    expect(await refusalOf(shop, () => shop.accept(), SEEN)).toMatchObject({ code });
    expect(changedPaths(before, await snapshotOf(elsewhere))).toEqual([]);
  });
});
