/** The log files of this machine. */
import { constants } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { TieupError } from '../errors.ts';
import { type LogFile, type LogFiles, MAX_LOG_FILES } from './log-files.ts';

/** @param folder absolute; against it relative patterns are resolved */
export function logFolder(folder: string): LogFiles {
  return {
    async open(pattern) {
      const place = resolve(folder, pattern);
      const matching = wildcard(basename(place));
      const names = (await namesIn(dirname(place))).filter((name) => matching.test(name));
      if (names.length > MAX_LOG_FILES) {
        throw new TieupError('TIEUP_E_CONFIG', `${JSON.stringify(pattern)} names ${names.length} files`, {
          hint: `name the files more narrowly in tieup.yaml; ${MAX_LOG_FILES} are the most`,
        });
      }
      const opened: LogFile[] = [];
      try {
        for (const name of names) {
          const file = await openRegular(join(dirname(place), name));
          if (file !== undefined) opened.push(file);
        }
      } catch (error) {
        for (const file of opened) await file.close();
        throw error;
      }
      return opened;
    },
  };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (cause) {
    if (isNodeError(cause, 'ENOENT', 'ENOTDIR')) return [];
    throw unreadable(folder, cause);
  }
}

async function openRegular(path: string): Promise<LogFile | undefined> {
  let handle: FileHandle;
  try {
    // Not to wait for a writer, where somebody made a FIFO of that name.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    if (isNodeError(cause, 'ENOENT', 'EISDIR', 'ELOOP', 'ENXIO')) return undefined;
    throw unreadable(path, cause);
  }
  const stat = await handle.stat({ bigint: true });
  if (!stat.isFile()) {
    await handle.close();
    return undefined;
  }
  return {
    path,
    device: String(stat.dev),
    inode: String(stat.ino),
    length: Number(stat.size),
    modifiedMs: Number(stat.mtimeMs),
    async read(from, length) {
      const bytes = Buffer.allocUnsafe(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await handle
          .read(bytes, filled, length - filled, from + filled)
          .catch((cause: unknown) => {
            throw unreadable(path, cause);
          });
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    },
    close: () => handle.close(),
  };
}

function wildcard(name: string): RegExp {
  const pattern = name
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${pattern}$`, 's');
}

function isNodeError(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}

function unreadable(path: string, cause: unknown): TieupError {
  const isForbidden = isNodeError(cause, 'EACCES', 'EPERM');
  return new TieupError('TIEUP_E_STORAGE', `the log ${JSON.stringify(path)} cannot be read`, {
    hint: isForbidden
      ? 'let the user of the cron job read it, on Debian: adduser <user> adm'
      : 'correct logs.sources in tieup.yaml, or see what the disk says',
    cause,
  });
}
