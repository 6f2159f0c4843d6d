// Whole processes, measured from outside: what a user waits for is start, work and end together.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const TIEUP = fileURLToPath(new URL('../bin/tieup.js', import.meta.url));
const PEAK_MEMORY = new URL('peak-memory.mjs', import.meta.url).href;

/**
 * @typedef {object} Ran
 * @property {string} stdout
 * @property {string} stderr
 * @property {number} code
 * @property {number} milliseconds
 */

/**
 * Runs a program to its end. Asynchronous: an SFTP server of this process goes on serving meanwhile.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string>, quiet?: boolean }} [options] `quiet` throws the output away
 * @returns {Promise<Ran>}
 */
export async function run(program, args, options = {}) {
  const started = performance.now();
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, TIEUP_PASSWORD: 'bench', ...options.env },
    stdio: ['ignore', options.quiet === true ? 'ignore' : 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text) => (stderr += text));
  await once(child, 'close');
  return { stdout, stderr, code: child.exitCode ?? -1, milliseconds: performance.now() - started };
}

/**
 * The same for a program that must succeed.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {Parameters<typeof run>[2]} [options]
 */
export async function must(program, args, options) {
  const ran = await run(program, args, options);
  if (ran.code !== 0) {
    throw new Error(`${[program, ...args].join(' ')} ended with ${ran.code}\n${ran.stdout}${ran.stderr}`);
  }
  return ran;
}

/**
 * Runs `tieup` in a folder; it must succeed.
 * @param {string} folder
 * @param {readonly string[]} args
 */
export async function tieup(folder, ...args) {
  return must(process.execPath, [TIEUP, '-C', folder, ...args]);
}

/**
 * The same with the peak of its resident memory in MiB.
 * @param {string} folder
 * @param {readonly string[]} args
 * @returns {Promise<Ran & { mebibytes: number }>}
 */
export async function tieupWithPeak(folder, ...args) {
  const place = join(tmpdir(), `tieup-bench-peak-${process.pid}`);
  const command = ['--import', PEAK_MEMORY, TIEUP, '-C', folder, ...args];
  try {
    const ran = await must(process.execPath, command, { env: { TIEUP_BENCH_PEAK: place } });
    return { ...ran, mebibytes: existsSync(place) ? Number(readFileSync(place, 'utf8')) / 1024 : Number.NaN };
  } finally {
    rmSync(place, { force: true });
  }
}

/**
 * Runs every contender once in turn, `rounds` times over, so that a busy moment of the machine meets all of them; the
 * first round only warms the caches of the disk.
 * @param {number} rounds
 * @param {Record<string, () => Promise<{ milliseconds: number }>>} contenders
 * @returns {Promise<Record<string, number>>} the median of each in milliseconds
 */
export async function medians(rounds, contenders) {
  /** @type {Record<string, number[]>} */
  const times = {};
  for (let round = 0; round <= rounds; round++) {
    for (const [name, contender] of Object.entries(contenders)) {
      const { milliseconds } = await contender();
      if (round > 0) (times[name] ??= []).push(milliseconds);
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, values]) => [name, median(values)]));
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
