/**
 * Runs the real command line: `node bin/tieup.js …` as its own process, in a folder of its own, with an environment of
 * its own. Scripts read like a shell session: run, then say what must have come out and what must be there.
 */
import { execFile } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export const BIN = fileURLToPath(new URL('../../bin/tieup.js', import.meta.url));
const BUILT = fileURLToPath(new URL('../../dist/cli/run.js', import.meta.url));
const TIMEOUT_MS = 50_000;

export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Script {
  /** Absolute path of the folder that commands run in. */
  readonly folder: string;
  /** `tieup …words`; further environment for this command alone. */
  readonly run: (words: readonly string[], environment?: Readonly<Record<string, string>>) => Promise<Ended>;
  /** Writes a file below the folder. */
  readonly write: (path: string, text: string) => Promise<void>;
  readonly read: (path: string) => Promise<string>;
  readonly exists: (path: string) => boolean;
  /** Permission bits. */
  readonly mode: (path: string) => number;
}

/** A new, empty folder for one test; gone when the test has finished. */
export async function script(): Promise<Script> {
  if (!existsSync(BUILT)) throw new Error('dist is not built: run npm test, or node scripts/setup.mjs first');
  const home = await mkdtemp(join(tmpdir(), 'tieup-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const folder = join(home, 'work');
  await mkdir(folder);
  const at = (path: string): string => join(folder, path);
  return {
    folder,
    run: (words, environment = {}) =>
      // Nothing of the machine's own settings reaches the command, and there is nobody to ask.
      start(words, folder, { HOME: home, PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8', ...environment }),
    async write(path, text) {
      await mkdir(dirname(at(path)), { recursive: true });
      await writeFile(at(path), text);
    },
    read: (path) => readFile(at(path), 'utf8'),
    exists: (path) => existsSync(at(path)),
    mode: (path) => statSync(at(path)).mode & 0o777,
  };
}

/** `tieup …words` in the folder `cwd`, with this environment and no other; of another installation when `bin` names it. */
export function start(
  words: readonly string[],
  cwd: string,
  env: Record<string, string>,
  bin: string = BIN,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [bin, ...words],
      { cwd, env, timeout: TIMEOUT_MS, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        const exitCode = child.exitCode;
        if (exitCode === null) reject(error ?? new Error('tieup ended without an exit code'));
        else resolve({ exitCode, stdout, stderr });
      },
    );
    child.stdin?.end();
  });
}
