// Whole processes, measured from outside: what a user waits for is start, work and end together.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ratio, table, time } from './text.mjs';

/** Of every key of the bench. */
export const PASSWORD = 'only for figures';
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
    env: { ...process.env, TIEUP_PASSWORD: PASSWORD, ...options.env },
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
 * What a command takes.
 * @typedef {object} Cost
 * @property {number} milliseconds of the quickest run: others are at work on this machine, and what they take away differs
 *   from run to run, while what a command itself needs does not
 * @property {number} processor milliseconds of processor time, user and system, on average; NaN where nobody tells
 */

/**
 * Runs every contender once in turn, `rounds` times over, so that a busy moment of the machine meets all of them; the
 * first round only warms the caches of the disk.
 * @param {number} rounds
 * @param {Record<string, () => Promise<{ milliseconds: number }>>} contenders
 * @returns {Promise<Record<string, Cost>>}
 */
export async function compare(rounds, contenders) {
  /** @type {Record<string, Cost>} */
  const costs = {};
  for (let round = 0; round <= rounds; round++) {
    for (const [name, contender] of Object.entries(contenders)) {
      const before = processorOfChildren();
      const { milliseconds } = await contender();
      const processor = (processorOfChildren() - before) / rounds;
      if (round === 0) continue;
      const known = costs[name] ?? { milliseconds: Number.POSITIVE_INFINITY, processor: 0 };
      costs[name] = {
        milliseconds: Math.min(known.milliseconds, milliseconds),
        processor: known.processor + processor,
      };
    }
  }
  return costs;
}

/** Of all processes that this one started and that have ended; Linux tells it in hundredths of a second. */
export function processorOfChildren() {
  if (!existsSync('/proc/self/stat')) return Number.NaN;
  // The name of the program comes before, in parentheses: cutime and cstime are the 14th and 15th after it.
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

/**
 * A table of costs against those of the floor, which may be the sum of several.
 * @param {Record<string, Cost>} costs
 * @param {readonly string[]} floor
 */
export function costTable(costs, floor) {
  const sum = (/** @type {keyof Cost} */ key) => floor.reduce((total, name) => total + (costs[name]?.[key] ?? 0), 0);
  return table(
    ['command', 'time', 'against the floor', 'processor', 'against the floor'],
    Object.entries(costs).map(([name, { milliseconds, processor }]) => [
      `\`${name}\``,
      time(milliseconds),
      ratio(milliseconds, sum('milliseconds')),
      ...(Number.isNaN(processor) ? ['–', '–'] : [time(processor), ratio(processor, sum('processor'))]),
    ]),
  );
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
