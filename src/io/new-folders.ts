/** Folders that a command may have to make, so that a failure takes back those that were not there before. */
import { existsSync } from 'node:fs';
import { mkdir, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface NewFolders {
  /** Makes a folder that nobody else can look into; fine when it exists. */
  makePrivate(folder: string): Promise<void>;
  /** Removes those that were not there at the start, and the folders above them, as far as they are empty. */
  takeBack(): Promise<void>;
}

/** @param folders absolute paths, looked at now */
export function newFolders(folders: readonly string[]): NewFolders {
  const missing = new Set<string>();
  for (const folder of folders) {
    for (let path = folder; !existsSync(path) && dirname(path) !== path; path = dirname(path)) missing.add(path);
  }
  return {
    makePrivate: async (folder) => void (await mkdir(folder, { recursive: true, mode: 0o700 })),
    takeBack: async () => {
      // The longest path first, so that what is inside goes before what holds it. One that is not empty stays.
      for (const path of [...missing].toSorted((a, b) => b.length - a.length)) await rmdir(path).catch(() => undefined);
    },
  };
}
