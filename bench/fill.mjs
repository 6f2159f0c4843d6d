// What one more partner costs once a site is compiled: its pages filled, without and with the digests that signing needs, beside
// the digests alone.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { must, TIEUP } from './processes.mjs';
import { makeSite } from './render.mjs';
import { ratio, table } from './text.mjs';

const FILL = fileURLToPath(new URL('fill-pages.mjs', import.meta.url));
/** With 1,000 pages, a million outputs. */
const MANY = Number(process.env['TIEUP_BENCH_MANY'] ?? 1000);

/** @typedef {{ count: number, bytes: number, cpu: number, peak: number }} Filled processor time in microseconds, peak in KiB */

/** @returns {Promise<string>} */
export async function fill() {
  const kept = process.env['TIEUP_BENCH_SITE'];
  const root = mkdtempSync(join(tmpdir(), 'tieup-fill-'));
  const site = kept ?? join(root, 'site');
  try {
    if (kept === undefined) {
      await makeSite(site);
      await must(process.execPath, [TIEUP, '-C', site, 'build', '--out', join(root, 'out'), '--json'], { quiet: true });
    }
    const filled = async (/** @type {number} */ partners, /** @type {string} */ what) => {
      const { stdout } = await must(process.execPath, [FILL, site, String(partners), what]);
      /** @type {Filled} */
      const found = JSON.parse(stdout);
      return found;
    };
    const curve = [];
    for (const partners of [1, 5, 20, 50, 100]) curve.push({ partners, ...(await filled(partners, 'fill')) });
    const first = curve.at(0);
    const rows = curve.map(({ partners, count, cpu, peak }) => [
      String(partners),
      count.toLocaleString('en'),
      milliseconds(cpu),
      first === undefined || partners === first.partners
        ? '–'
        : `${((cpu - first.cpu) / (count - first.count)).toFixed(1)} µs`,
      (peak / 1024).toFixed(0),
    ]);
    const floor = await filled(MANY, 'floor');
    const digests = await filled(MANY, 'digests');
    const million = [
      ['the digests alone', floor],
      ['filled, with digests', digests],
    ].map(([what, { count, bytes, cpu, peak }]) => [
      what,
      count.toLocaleString('en'),
      `${(bytes / 1e9).toFixed(1)} GB`,
      `${(cpu / 1e6).toFixed(1)} s`,
      ratio(cpu, floor.cpu),
      (peak / 1024).toFixed(0),
    ]);
    return [
      'Processor time, without reading, compiling and writing; the peak is that of the whole process with the compiled site.',
      table(['partners', 'outputs', 'filled in', 'per further output', 'peak MiB'], rows),
      `For ${MANY.toLocaleString('en')} partners. Aim: at most 1.1 times the digests.`,
      table(['what', 'outputs', 'bytes', 'processor', 'against the digests', 'peak MiB'], million),
    ].join('\n\n');
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** @param {number} microseconds */
function milliseconds(microseconds) {
  return `${(microseconds / 1e3).toFixed(0)} ms`;
}
