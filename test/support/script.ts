/**
 * Runs the real command line, as it is built, in a folder of its own, with an environment of its own. Scripts read like a
 * shell session: run, then say what must have come out and what must be there.
 *
 * A command gets streams, environment and folder handed in, so that most scripts {@link call} it where they are and save
 * the start of a process for every line. Where the process is the subject they {@link start} one: `node bin/tieup.js …`.
 */
import { execFile } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { pid } from 'node:process';
import { dirname, join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { DOCUMENTS, isDocumentName } from '../../src/cli/documents/catalog.ts';
import type { Terminal } from '../../src/cli/terminal.ts';

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
  const home = await mkdtemp(join(tmpdir(), 'tieup-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const folder = join(home, 'work');
  await mkdir(folder);
  const at = (path: string): string => join(folder, path);
  return {
    folder,
    run: (words, environment = {}) =>
      // Nothing of the machine's own settings reaches the command, and there is nobody to ask.
      call(words, folder, { HOME: home, PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8', ...environment }),
    async write(path, text) {
      await mkdir(dirname(at(path)), { recursive: true });
      await writeFile(at(path), text);
    },
    read: (path) => readFile(at(path), 'utf8'),
    exists: (path) => existsSync(at(path)),
    mode: (path) => statSync(at(path)).mode & 0o777,
  };
}

/** `tieup …words` in the folder `cwd`, with this environment and no other, in this process: nobody is there to ask. */
export async function call(words: readonly string[], cwd: string, environment: Record<string, string>): Promise<Ended> {
  const command = await builtCommand();
  const [stdout, stderr] = [collector(), collector()];
  const interruption = AbortSignal.timeout(TIMEOUT_MS);
  const terminal = { stdin: Readable.from([]), stdout, stderr, environment, cwd, pid, interruption };
  const exitCode = await command.run(words, terminal);
  return asDescribed(words, { exitCode, stdout: stdout.text(), stderr: stderr.text() });
}

/** Like {@link call}, with Ctrl-C as soon as it has written enough to stdout: for what would never end. */
export async function callUntil(
  words: readonly string[],
  cwd: string,
  environment: Record<string, string>,
  isEnough: (stdout: string) => boolean,
): Promise<Ended> {
  const command = await builtCommand();
  const enough = new AbortController();
  const interruption = AbortSignal.any([enough.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const stderr = collector();
  const stdout = collector((text) => {
    if (isEnough(text)) enough.abort();
  });
  const terminal = { stdin: Readable.from([]), stdout, stderr, environment, cwd, pid, interruption };
  const exitCode = await command.run(words, terminal);
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

/** The bundle that ships, not the sources. */
async function builtCommand(): Promise<{ run(argv: readonly string[], terminal: Terminal): Promise<number> }> {
  if (!existsSync(BUILT)) throw new Error('dist is not built: run npm test, or node scripts/setup.mjs first');
  return import(BUILT);
}

/** A stream that keeps what is written to it, in the order of the writes. */
function collector(onWrite: (text: string) => void = () => {}): Writable & { text(): string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    decodeStrings: true,
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      onWrite(Buffer.concat(chunks).toString());
      done();
    },
  });
  return Object.assign(stream, { text: () => Buffer.concat(chunks).toString() });
}

/** `tieup …words` as a process in the folder `cwd`, with this environment and no other; of another installation when `bin` names it. */
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
        else resolve(asDescribed(words, { exitCode, stdout, stderr }));
      },
    );
    child.stdin?.end();
  });
}

/** @throws where --json printed something else than one document as `tieup schema` describes it. */
function asDescribed(words: readonly string[], ended: Ended): Ended {
  const { stdout } = ended;
  if (!words.includes('--json') || stdout === '') return ended;
  const { schema, ...data } = JSON.parse(stdout);
  const name = /^tieup\.([a-z-]+)\/v1$/.exec(schema)?.[1] ?? '';
  if (!isDocumentName(name)) throw new Error(`there is no schema for ${JSON.stringify(schema)}`);
  const { error, data: described } = DOCUMENTS[name].safeParse(data);
  if (error !== undefined) throw new Error(`${schema} is not as its schema says: ${error.message}`);
  // What the schema does not name is not in it.
  expect(data, `what the schema of ${schema} describes`).toEqual(described);
  return ended;
}
