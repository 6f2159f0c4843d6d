import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { folderChanges, type WatchedPlace } from '../../../src/io/folder-changes.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** A site folder that is watched; `saved` resolves when what `work` did has been told. */
async function watched() {
  const root = await temporaryFolder();
  await mkdir(join(root, 'pages/guide'), { recursive: true });
  await writeFile(join(root, 'tieup.yaml'), 'a');
  const places: WatchedPlace[] = [
    { path: join(root, 'pages'), kind: 'folder' },
    { path: join(root, 'content/data'), kind: 'folder' },
    { path: join(root, 'tieup.yaml'), kind: 'file' },
  ];
  const stop = new AbortController();
  const changes = folderChanges(() => places, stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await changes.return();
  });
  expect(await changes.next()).toMatchObject({ done: false });
  const saved = async (work: () => Promise<unknown>): Promise<boolean> => {
    const next = changes.next();
    await work();
    return (await next).done === false;
  };
  return { root, at: (path: string) => join(root, path), saved, stop, changes };
}

describe('a watched folder', () => {
  test('tells of a file that is saved, made, renamed or removed, however deep', async () => {
    const { at, saved } = await watched();
    expect(await saved(() => writeFile(at('pages/index.md'), 'a'))).toBe(true);
    expect(await saved(() => writeFile(at('pages/index.md'), 'b'))).toBe(true);
    expect(await saved(() => writeFile(at('pages/guide/intro.md'), 'a'))).toBe(true);
    expect(await saved(() => rename(at('pages/guide/intro.md'), at('pages/guide/start.md')))).toBe(true);
    expect(await saved(() => rm(at('pages/guide/start.md')))).toBe(true);
  });

  test('tells of a file that an editor puts in the place of another', async () => {
    const { at, saved } = await watched();
    await writeFile(at('tieup.yaml.new'), 'b');
    expect(await saved(() => rename(at('tieup.yaml.new'), at('tieup.yaml')))).toBe(true);
    expect(await saved(() => writeFile(at('tieup.yaml'), 'c'))).toBe(true);
  });

  test('goes along with folders that are made, removed and made again', async () => {
    const { at, saved } = await watched();
    expect(await saved(() => mkdir(at('pages/news')))).toBe(true);
    expect(await saved(() => writeFile(at('pages/news/first.md'), 'a'))).toBe(true);
    expect(await saved(() => rm(at('pages'), { recursive: true }))).toBe(true);
    expect(await saved(() => mkdir(at('pages')))).toBe(true);
    expect(await saved(() => writeFile(at('pages/index.md'), 'a'))).toBe(true);
    expect(await saved(() => mkdir(at('content/data'), { recursive: true }))).toBe(true);
    expect(await saved(() => writeFile(at('content/data/shops.yaml'), 'a'))).toBe(true);
  });

  test('tells what was saved while nobody was asking', async () => {
    const { at, changes } = await watched();
    await writeFile(at('pages/index.md'), 'a');
    expect(await changes.next()).toMatchObject({ done: false });
  });

  test('ends when nobody looks any more, also while it waits', async () => {
    const { changes, stop } = await watched();
    const next = changes.next();
    stop.abort();
    expect(await next).toEqual({ done: true, value: undefined });
  });
});
