// Reading access logs against GoAccess, on the sample of the corpus made long: its dates move on with every copy, so that
// time keeps rising. Compared in seconds of a core (user and system), since other work on the machine blurs the clock.
import { createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sampleLog } from './corpus.mjs';
import { median, must } from './processes.mjs';
import { count, memory, ratio, table } from './text.mjs';

const EXPORT = fileURLToPath(new URL('log-export.mjs', import.meta.url));
const DAY_MS = 86_400_000;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const WAYS = /** @type {const} */ (['export', 'anonymised', 'one-thread', 'aggregate', 'aggregate-one-thread']);
/** By two threads. */
const SHARED = new Set(['export', 'anonymised', 'aggregate']);
/** @type {Readonly<Record<string, string>>} */
const AIMS = { export: '≥ 6 ×', anonymised: '≥ 5 ×', aggregate: '≥ 15 ×' };

/** @typedef {{ lines: number, cpuMs: number, wallMs: number, mebibytes: number, bytes: number }} Cost */

export async function logs() {
  const megabytes = Number(process.env['TIEUP_BENCH_LOG_MB'] ?? 1024);
  const rounds = Number(process.env['TIEUP_BENCH_LOG_ROUNDS'] ?? 3);
  const folder = mkdtempSync(join(tmpdir(), 'tieup-bench-logs-'));
  try {
    const file = join(folder, 'access.log');
    await makeLog(file, megabytes);
    /** @type {Record<string, Cost[]>} */
    const costs = {};
    for (let round = 0; round < rounds; round++) {
      const lines = (costs['export'] ??= []).at(-1)?.lines ?? 0;
      for (const way of WAYS) (costs[way] ??= []).push(await ours(file, way));
      (costs['goaccess'] ??= []).push(await goaccess(file, folder, lines || (costs['export']?.[0]?.lines ?? 0)));
    }
    const big = join(folder, 'big.log');
    const isBigWanted = process.env['TIEUP_BENCH_LOG_BIG'] !== 'no';
    if (isBigWanted) await makeLog(big, 4 * megabytes);
    const bigCost = isBigWanted ? await ours(big, 'anonymised') : undefined;
    return report(costs, statSync(file).size, bigCost);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {Record<string, Cost[]>} costs
 * @param {number} size
 * @param {Cost | undefined} big
 */
function report(costs, size, big) {
  /** @type {(name: string, key: keyof Cost) => number} */
  const middle = (name, key) => median((costs[name] ?? []).map((cost) => cost[key]));
  const lines = middle('export', 'lines');
  const floor = middle('goaccess', 'cpuMs');
  const rows = ['goaccess', ...WAYS].map((name) => {
    const cpu = middle(name, 'cpuMs');
    const threads = SHARED.has(name) ? 2 : 1;
    return [
      name,
      `${((cpu * 1000) / lines).toFixed(2)} µs`,
      ratio(floor, cpu),
      ratio(floor, cpu / threads),
      ratio(middle('goaccess', 'wallMs'), middle(name, 'wallMs')),
      name === 'goaccess' ? '' : memory(middle(name, 'mebibytes')),
      AIMS[name] ?? '',
    ];
  });
  const parts = [
    `${count(lines)} lines, ${Math.round(size / 1e6)} MB; medians of ${costs['export']?.length} runs in turn. \`per core\` divides the work by the two threads that share it: what an idle machine with two cores comes to at most; \`by the clock\` is what this busy one came to.`,
    table(['', 'core time a line', 'against goaccess', 'per core', 'by the clock', 'peak memory', 'aim'], rows),
  ];
  if (big !== undefined)
    parts.push(`Four times the log, anonymised: peak memory ${memory(big.mebibytes)} (aim: at most 256 MiB, flat).`);
  return parts.join('\n\n');
}

/**
 * @param {string} file
 * @param {string} way
 * @returns {Promise<Cost>}
 */
async function ours(file, way) {
  const { stdout } = await must(process.execPath, [EXPORT, file, way]);
  return JSON.parse(stdout);
}

/**
 * @param {string} file
 * @param {string} folder
 * @param {number} lines
 * @returns {Promise<Cost>}
 */
async function goaccess(file, folder, lines) {
  const command =
    'TIMEFORMAT="%U %S %R"; time goaccess "$0" --log-format=COMBINED --no-global-config -o "$1" > /dev/null 2>&1';
  const { stderr } = await must('bash', ['-c', command, file, join(folder, 'goaccess.json')]);
  const [user = 0, system = 0, wall = 0] = stderr.trim().split(' ').map(Number);
  return { lines, cpuMs: (user + system) * 1000, wallMs: wall * 1000, mebibytes: 0, bytes: 0 };
}

/**
 * Writes copies of the sample until the file has so many megabytes, each copy's dates behind those of the one before.
 * @param {string} file
 * @param {number} megabytes
 */
async function makeLog(file, megabytes) {
  const sample = sampleLog();
  const parts = sample.split(/(?<=\[)(\d\d\/[A-Z][a-z]{2}\/\d{4})(?=:)/);
  const days = parts.filter((_, index) => index % 2 === 1).map(dayOf);
  const span =
    days.reduce((last, day) => Math.max(last, day), 0) -
    days.reduce((first, day) => Math.min(first, day), Infinity) +
    1;
  const out = createWriteStream(file, 'latin1');
  for (let copy = 0, written = 0; written < megabytes * 1024 * 1024; copy++) {
    /** @type {Map<string, string>} */
    const shifted = new Map();
    const text = parts.map((part, index) => {
      if (index % 2 === 0) return part;
      const known = shifted.get(part) ?? dateOf(dayOf(part) + copy * span);
      shifted.set(part, known);
      return known;
    });
    const bytes = Buffer.from(text.join(''), 'latin1');
    written += bytes.length;
    if (!out.write(bytes)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
}

/** @param {string} date Such as 23/Nov/2026. */
function dayOf(date) {
  const [day = '', month = '', year = ''] = date.split('/');
  return Date.UTC(Number(year), MONTHS.indexOf(month), Number(day)) / DAY_MS;
}

/** @param {number} day */
function dateOf(day) {
  const date = new Date(day * DAY_MS);
  return `${String(date.getUTCDate()).padStart(2, '0')}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}`;
}
