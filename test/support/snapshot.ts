/** Everything in a folder, so that a test can say "nothing changed". */
import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** By path: kind, permission bits, and what is in it. */
export type Snapshot = Readonly<Record<string, string>>;

export async function snapshotOf(folder: string): Promise<Snapshot> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort();
  const found: Record<string, string> = {};
  for (const path of paths) found[relative(folder, path)] = await describe(path);
  return found;
}

async function describe(path: string): Promise<string> {
  const stats = await lstat(path);
  const mode = (stats.mode & 0o777).toString(8);
  if (stats.isSymbolicLink()) return `link to ${await readlink(path)}`;
  if (stats.isDirectory()) return `folder ${mode}`;
  if (!stats.isFile()) return `special ${mode}`;
  if (stats.size > LARGE) return `file ${mode} ${stats.size} bytes`;
  return `file ${mode} ${createHash('sha256')
    .update(await readFile(path))
    .digest('hex')}`;
}

/** Sparse files of a test that nobody wants to read, this one included. */
const LARGE = 2 ** 30;

/** The paths that are there on one side only or differ, but for those that `ignore` fits. */
export function changedPaths(before: Snapshot, after: Snapshot, ignore = /^$/): readonly string[] {
  const paths = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...paths].filter((path) => before[path] !== after[path] && !ignore.test(path)).sort();
}

/** Content-addressed and verified on every use: what a refused release left of it is no statement about anything. */
export const OBJECTS = /^state\/objects(?:\/|$)/;

/** That a release was looked at and verified is remembered whatever the manager says: no older one counts from then on. */
export const SEEN = /^state\/(?:tuf|objects)(?:\/|$)/;
