/** Temporary folders that several tests of a file work in; all of them go when the file has been run. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const folders: string[] = [];

export async function lastingFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tieup-'));
  folders.push(folder);
  return folder;
}

afterAll(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});
