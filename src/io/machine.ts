/**
 * This machine as `tieup doctor` looks at it: owners of files, free space, cron, and what the web server gives away.
 * It looks and changes nothing.
 */
import { execFile } from 'node:child_process';
import { lstat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { getuid, version } from 'node:process';
import { TieupError } from '../errors.ts';
import { joinChunks } from './chunks.ts';

/** Paths are absolute, or relative to the folder of the site. */
export interface Machine {
  /** `v20.19.0`. */
  readonly nodeVersion: string;
  /** Whose process this is; undefined where files have no owners. */
  readonly uid: number | undefined;
  /** Who may do what with the file or folder at `path`, links not followed; undefined when nothing is there. */
  permissions(path: string): Promise<Permissions | undefined>;
  /** Bytes that this user may still write there, or in the nearest folder above that exists; undefined when nobody knows. */
  freeBytes(path: string): Promise<number | undefined>;
  /** The lines of this user's crontab; undefined where there is no cron. */
  crontab(): Promise<string | undefined>;
  /** What a visitor gets; at most `maxLength` bytes of it. @throws TIEUP_E_CONNECTION without an answer. */
  fetch(url: string, maxLength: number): Promise<Fetched>;
}

export interface Permissions {
  readonly uid: number;
  readonly gid: number;
  /** A link has no permissions of its own: those of its folder count. */
  readonly isLink: boolean;
  /** Permission bits. */
  readonly mode: number;
}

export interface Fetched {
  readonly status: number;
  readonly body: Uint8Array;
}

const COMMAND_MS = 10_000;
const FETCH_MS = 15_000;

/** @param folder absolute: that of the site */
export function systemMachine(folder: string): Machine {
  return {
    nodeVersion: version,
    uid: getuid?.(),
    permissions: async (path) => {
      const stats = await orUndefined(lstat(resolve(folder, path)));
      return stats && { uid: stats.uid, gid: stats.gid, isLink: stats.isSymbolicLink(), mode: stats.mode & 0o7777 };
    },
    freeBytes: async (path) => {
      for (let at = resolve(folder, path); ; at = dirname(at)) {
        const found = await orUndefined(statfs(at));
        if (found !== undefined) return found.bavail * found.bsize;
        if (dirname(at) === at) return undefined;
      }
    },
    crontab: readCrontab,
    fetch: fetchSome,
  };
}

/** `crontab -l` ends with 1 when there are no lines; that there is no such command is another thing. */
function readCrontab(): Promise<string | undefined> {
  return new Promise((done) => {
    execFile('crontab', ['-l'], { timeout: COMMAND_MS }, (error, stdout) => {
      done(error !== null && error.code === 'ENOENT' ? undefined : stdout);
    });
  });
}

async function fetchSome(url: string, maxLength: number): Promise<Fetched> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_MS), headers: { accept: '*/*' } });
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk);
      length += chunk.length;
      // A server may send without end; leaving the loop ends the transfer.
      if (length >= maxLength) break;
    }
    return { status: response.status, body: joinChunks(chunks).subarray(0, maxLength) };
  } catch (cause) {
    throw new TieupError('TIEUP_E_CONNECTION', `${url} gives no answer`, { cause });
  }
}

async function orUndefined<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch {
    return undefined;
  }
}
