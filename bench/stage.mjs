// What a push keeps for the way, on a disk: the pages of each partner in one pack, as tieup sends them, against a file for each.
// Both are rendered in the same way before, and are on the disk when they are done (fsync, syncfs).
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buildPack } from '../dist/protocol/pack.js';
import { sha256 } from '../dist/protocol/digest.js';
import { loadBenchSite, viewOf } from './bench-site.mjs';
import { must, TIEUP } from './processes.mjs';
import { makeSite } from './render.mjs';
import { count, ratio, table } from './text.mjs';

const PARTNERS = 20;
const ROUNDS = 3;

/** @returns {Promise<string>} */
export async function stage() {
  const root = mkdtempSync(join(process.env['TIEUP_BENCH_DISK'] ?? tmpdir(), 'tieup-stage-'));
  try {
    const folder = join(root, 'site');
    await makeSite(folder);
    await must(process.execPath, [TIEUP, '-C', folder, 'build', '--out', join(root, 'out'), '--json'], { quiet: true });
    rmSync(join(root, 'out'), { recursive: true });
    const site = await loadBenchSite(folder);
    const pagesOf = (/** @type {number} */ partner) =>
      site.filesFor(viewOf(partner)).flatMap((file) => (file.kind === 'page' ? [file] : []));
    let written = 0;
    let bytes = 0;

    /** @param {string} out */
    const asFiles = async (out) => {
      for (let partner = 1; partner <= PARTNERS; partner++) {
        for (const file of pagesOf(partner)) {
          const place = join(out, String(partner), file.path);
          mkdirSync(dirname(place), { recursive: true });
          const page = file.render(1).bytes;
          writeFileSync(place, page);
          written += 1;
          bytes += page.length;
        }
      }
    };
    const asPacks = (/** @type {boolean} */ compress) => async (/** @type {string} */ out) => {
      for (let partner = 1; partner <= PARTNERS; partner++) {
        const objects = pagesOf(partner).map((file) => {
          const page = file.render(1).bytes;
          return { digest: sha256(page), bytes: page };
        });
        const pack = await buildPack(objects, { compress });
        writeFileSync(join(out, `${partner}.pack`), pack);
      }
    };
    const ways = [
      { name: `a file for each page`, write: asFiles },
      { name: `${PARTNERS} packs, not compressed`, write: asPacks(false) },
      { name: `${PARTNERS} packs, compressed`, write: asPacks(true) },
    ];
    /** @type {Map<string, number[]>} */
    const found = new Map(ways.map(({ name }) => [name, []]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const { name, write } of ways) {
        const out = join(root, 'staged');
        mkdirSync(out);
        execFileSync('sync', ['-f', root]);
        const started = performance.now();
        await write(out);
        execFileSync('sync', ['-f', root]);
        const milliseconds = performance.now() - started;
        found.get(name)?.push(milliseconds);
        rmSync(out, { recursive: true });
      }
    }
    const quickest = [...found].map(([name, times]) => ({ name, time: Math.min(...times) }));
    const [floor] = quickest;
    const rows = quickest.map(({ name, time }) => [
      name,
      `${(time / 1000).toFixed(2)} s`,
      time === floor?.time ? '–' : ratio(floor?.time ?? Number.NaN, time),
    ]);
    return [
      `${count(written / ROUNDS)} pages of ${PARTNERS} partners, ${(bytes / ROUNDS / 1e6).toFixed(0)} MB, rendered and on the disk; the quickest of ${ROUNDS} turns. Digests and compression are part of a pack. Aim: 8 times.`,
      table(['', 'time', 'times as fast'], rows),
    ].join('\n\n');
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
