/** Files which only this user may read: private keys. */
import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TieupError } from '../errors.ts';

/** Windows has neither permission bits nor O_NOFOLLOW, and does not flush folders. */
const POSIX = process.platform !== 'win32';
/** O_NONBLOCK: opening a pipe that somebody put there must not wait for a writer. */
const READ = constants.O_RDONLY | (POSIX ? constants.O_NOFOLLOW | constants.O_NONBLOCK : 0);

/**
 * The text of the file, undefined when there is none. No link is followed, and what is judged is the file that was opened.
 * @throws TIEUP_E_KEY when it is a link, when others have any permission on it, or when it is longer than `maxLength` bytes.
 */
export async function readSecretFile(path: string, maxLength: number): Promise<string | undefined> {
  const handle = await open(path, READ).catch((cause: unknown) => {
    if (codeOf(cause) === 'ENOENT') return undefined;
    if (codeOf(cause) === 'ELOOP') throw refused(path, 'is a link; a key must be a file of its own', { cause });
    throw refused(path, 'cannot be read', { cause });
  });
  if (handle === undefined) return undefined;
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw refused(path, 'is not a regular file');
    if (POSIX && (found.mode & 0o077) !== 0) {
      const mode = (found.mode & 0o777).toString(8);
      throw refused(path, `may be used by others: its mode is ${mode}`, { hint: `chmod 600 ${path}` });
    }
    if (found.size > maxLength) throw refused(path, `has ${found.size} bytes, too many for a key`);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/**
 * Creates the file with mode 0600, durably; its folder is made with mode 0700 when it is missing.
 * @throws TIEUP_E_EXISTS when something is there, also a link that leads nowhere; TIEUP_E_STORAGE.
 */
export async function createSecretFile(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const handle = await open(path, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
    if (POSIX) await flushFolder(dirname(path));
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') {
      throw new TieupError('TIEUP_E_EXISTS', `there is a key at ${JSON.stringify(path)} already`, {
        hint: 'a key is never overwritten: move it away first if it is not needed any more',
        cause,
      });
    }
    throw new TieupError('TIEUP_E_STORAGE', `the key ${JSON.stringify(path)} cannot be written`, { cause });
  }
}

/** Whether anything is at `path`, usable or not. */
export async function secretFileExists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return false;
    throw refused(path, 'cannot be looked at', { cause });
  }
}

/** Names in the folder, sorted; none when there is no folder. */
export async function secretFilesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).toSorted();
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return [];
    throw refused(folder, 'cannot be listed', { cause });
  }
}

async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function refused(path: string, why: string, details: { hint?: string; cause?: unknown } = {}): TieupError {
  return new TieupError('TIEUP_E_KEY', `the key file ${JSON.stringify(path)} ${why}`, details);
}
