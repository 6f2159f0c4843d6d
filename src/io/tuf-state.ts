/**
 * The folder of trusted TUF metadata and the private copy on which the TUF client works.
 *
 * The client writes its files in place and one after another, so it is never let near the folder itself. A copy takes the
 * folder's place in two renames: `tuf` to `tuf.old`, `tuf.new-…` to `tuf`. A kill before the first leaves the old state, one
 * between them leaves `tuf.old` alone, which the next call puts back, one after them leaves `tuf.old` to be removed.
 */
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { TieupError } from '../errors.ts';
import { checkRootKeys } from '../protocol/tuf-metadata.ts';
import { isIntact, type TrustedFiles } from '../protocol/tuf-chain.ts';

export interface TrustCopy {
  /** Absolute path of the private copy. */
  readonly folder: string;
  /** What the site trusted when the copy was made. */
  readonly trusted: TrustedFiles;
  /** Makes the copy durable and puts it in the place of the state folder. */
  commit(this: void): Promise<void>;
  /** Removes the copy; fine when it is gone. */
  discard(this: void): Promise<void>;
}

const FILES = ['root.json', 'timestamp.json', 'snapshot.json', 'targets.json'] as const;
/** Copies that a killed process left; a manager may take hours to answer a prompt, but not this long. */
const STALE_MS = 24 * 60 * 60 * 1000;

/**
 * Copies the trusted metadata; starts from `trustedRoot` when there is none yet.
 * @throws TIEUP_E_NOT_FOUND without both, TIEUP_E_STORAGE when the metadata is damaged, TIEUP_E_VERIFY for a root with weak keys.
 */
export async function copyTrust(stateFolder: string, trustedRoot: Uint8Array | undefined): Promise<TrustCopy> {
  return withStorageErrors(stateFolder, async () => {
    await mkdir(dirname(stateFolder), { recursive: true, mode: 0o700 });
    await mend(stateFolder);
    const found = await readTrusted(stateFolder);
    const trusted = found ?? (trustedRoot && { root: Uint8Array.from(trustedRoot) });
    if (trusted === undefined) {
      throw new TieupError('TIEUP_E_NOT_FOUND', `there is no trusted root metadata at ${JSON.stringify(stateFolder)}`, {
        hint: 'start the partnership with "tieup join"',
      });
    }
    if (found !== undefined && !isIntact(found)) throw damaged(stateFolder, 'its signatures are not valid');
    checkRootKeys(trusted.root);
    if (found === undefined && !isIntact(trusted)) {
      throw new TieupError('TIEUP_E_VERIFY', 'the root metadata to start from is not signed by the keys that it names');
    }
    const folder = await mkdtemp(`${stateFolder}.new-`);
    try {
      await writeTrusted(folder, trusted);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
    return copyOf(stateFolder, folder, trusted, found !== undefined);
  });
}

function copyOf(stateFolder: string, folder: string, trusted: TrustedFiles, existed: boolean): TrustCopy {
  let done: 'committed' | 'discarded' | undefined;
  const discard = async (): Promise<void> => {
    done ??= 'discarded';
    await rm(folder, { recursive: true, force: true });
  };
  const commit = async (): Promise<void> => {
    if (done === 'committed') return;
    if (done === 'discarded') throw new TieupError('TIEUP_E_FAILED', 'the verified metadata was already discarded');
    await withStorageErrors(stateFolder, async () => {
      const before = await readTrusted(stateFolder);
      if ((before !== undefined) !== existed || (before !== undefined && !sameFiles(before, trusted))) {
        throw new TieupError(
          'TIEUP_E_DRIFT',
          'another tieup has taken a release in while this one was being looked at',
          {
            hint: 'run the command again',
          },
        );
      }
      const after = await readTrusted(folder);
      if (existed && after !== undefined && sameFiles(after, trusted)) await rm(folder, { recursive: true });
      else await swapIn(stateFolder, folder, existed);
    });
    done = 'committed';
  };
  return { folder, trusted, commit, discard };
}

/** Contents first, then the folder that names them, then the switch, then the folder that names it. */
async function swapIn(stateFolder: string, folder: string, existed: boolean): Promise<void> {
  for (const name of FILES) await flush(join(folder, name));
  await flush(folder);
  const old = `${stateFolder}.old`;
  if (existed) await rename(stateFolder, old);
  try {
    await rename(folder, stateFolder);
  } catch (error) {
    if (existed) await rename(old, stateFolder);
    throw error;
  }
  await flush(dirname(stateFolder));
  await rm(old, { recursive: true, force: true });
}

/** Finishes or undoes what a killed process began. */
async function mend(stateFolder: string): Promise<void> {
  const parent = dirname(stateFolder);
  const names = await readdir(parent);
  const name = basename(stateFolder);
  if (names.includes(`${name}.old`)) {
    if (names.includes(name)) await rm(`${stateFolder}.old`, { recursive: true, force: true });
    else await rename(`${stateFolder}.old`, stateFolder);
    await flush(parent);
  }
  for (const copy of names.filter((other) => other.startsWith(`${name}.new-`))) {
    const { mtimeMs } = await stat(join(parent, copy));
    if (Date.now() - mtimeMs > STALE_MS) await rm(join(parent, copy), { recursive: true, force: true });
  }
}

async function readTrusted(folder: string): Promise<TrustedFiles | undefined> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (names === undefined) return undefined;
  const read = async (name: (typeof FILES)[number]): Promise<Uint8Array | undefined> =>
    names.includes(name) ? readFile(join(folder, name)) : undefined;
  const [root, timestamp, snapshot, targets] = [
    await read('root.json'),
    await read('timestamp.json'),
    await read('snapshot.json'),
    await read('targets.json'),
  ];
  if (root === undefined) throw damaged(folder, 'root.json is missing');
  if (timestamp === undefined && snapshot === undefined && targets === undefined) return { root };
  if (timestamp === undefined || snapshot === undefined || targets === undefined) {
    throw damaged(folder, 'one of its files is missing');
  }
  return { root, release: { timestamp, snapshot, targets } };
}

async function writeTrusted(folder: string, { root, release }: TrustedFiles): Promise<void> {
  await writeFile(join(folder, 'root.json'), root);
  if (release === undefined) return;
  await writeFile(join(folder, 'timestamp.json'), release.timestamp);
  await writeFile(join(folder, 'snapshot.json'), release.snapshot);
  await writeFile(join(folder, 'targets.json'), release.targets);
}

function sameFiles(left: TrustedFiles, right: TrustedFiles): boolean {
  const [ours, theirs] = [bytesOf(left), bytesOf(right)];
  return (
    ours.length === theirs.length &&
    ours.every((bytes, index) => Buffer.compare(bytes, theirs[index] ?? Buffer.of()) === 0)
  );
}

function bytesOf({ root, release }: TrustedFiles): readonly Uint8Array[] {
  return release === undefined ? [root] : [root, release.timestamp, release.snapshot, release.targets];
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function withStorageErrors<T>(stateFolder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof TieupError) throw cause;
    throw new TieupError('TIEUP_E_STORAGE', `cannot keep the trusted metadata at ${JSON.stringify(stateFolder)}`, {
      cause,
    });
  }
}

function damaged(folder: string, why: string): TieupError {
  return new TieupError('TIEUP_E_STORAGE', `the trusted metadata at ${JSON.stringify(folder)} is damaged: ${why}`, {
    hint: 'restore it from a backup; without it this site cannot tell an old release from a new one',
  });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
