// One way of reading a log, in a process of its own: node bench/log-export.mjs FILE <export|anonymised|one-thread|aggregate|aggregate-one-thread>.
// Prints what it cost as JSON. The segments are counted and thrown away: writing them is the disk's speed.
import { randomFillSync } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { workerThreads } from '../dist/io/worker-threads.js';
import { compileFormat } from '../dist/logs/format.js';
import { SealingLine } from '../dist/logs/pipeline.js';
import { DEFAULT_PRIVACY } from '../dist/logs/privacy.js';
import { createScanner } from '../dist/logs/scanner.js';
import { createThreadSealer, savedTrees } from '../dist/logs/seal-thread.js';
import { createSealer, emptyFrontiers } from '../dist/logs/seal.js';
import { countLog } from '../dist/logs/count-log.js';

const dist = (path) => new URL(`../dist/${path}`, import.meta.url);
const threads = workerThreads(dist('io/worker-entry.js'));
const [file = '', how = 'export'] = process.argv.slice(2);
const started = performance.now();
const format = compileFormat('combined');
/** @type {ReadonlyMap<string, 'page' | 'asset'>} */
const files = new Map([
  ['contact/index.html', 'page'],
  ['about.html', 'page'],
  ['assets/css/main.css', 'asset'],
  ...Array.from({ length: 500 }, (_, index) => /** @type {const} */ ([`with-main/page-${index}/index.html`, 'page'])),
]);
const chunks = createReadStream(file, { highWaterMark: 1024 * 1024 });
const { lines, bytes } = how.startsWith('aggregate') ? await aggregate() : await exported();
const { user, system } = process.cpuUsage();
console.log(
  JSON.stringify({
    lines,
    bytes,
    cpuMs: (user + system) / 1000,
    wallMs: performance.now() - started,
    mebibytes: process.resourceUsage().maxRSS / 1024,
  }),
);

async function aggregate() {
  const start = (/** @type {unknown} */ order) => threads.start(dist('logs/count-log.js'), order);
  const { lines: read, T, O, X } = await countLog(chunks, { format }, files, how === 'aggregate' ? start : undefined);
  if (T + O + X !== read) throw new Error(`${T} T, ${O} O and ${X} X are not ${read} lines`);
  return { lines: read, bytes: 0 };
}

async function exported() {
  const privacy =
    how === 'anonymised'
      ? DEFAULT_PRIVACY
      : /** @type {const} */ ({ address: 'full', visitor: 'none', query: [], referrer: 'full', user: 'keep' });
  const salt = randomFillSync(new Uint8Array(32));
  const scanner = createScanner({ privacy, saltOfDay: () => salt });
  const live = { time: '2024-01-01T00:00:00Z', publication: 1, release: 1, releaseDigest: 'ab'.repeat(32) };
  scanner.begin({ format, liveAtStart: { live, files } });
  const random = (/** @type {Uint8Array} */ salts) => void randomFillSync(salts);
  const sealer =
    how === 'one-thread'
      ? createSealer(random)
      : createThreadSealer(threads.start(dist('logs/seal-thread.js'), savedTrees(emptyFrontiers())), random);
  async function* batches() {
    for await (const chunk of chunks) yield scanner.push(chunk);
    scanner.end('take');
    yield scanner.flush();
  }
  let compressed = 0;
  const line = new SealingLine(sealer);
  const count = (segments) => segments.forEach(({ gzip }) => (compressed += gzip.length));
  for await (const given of batches()) count(await line.push(given));
  count(await line.finish());
  await sealer.close();
  const { lines: read, T, O, X } = scanner.counts;
  if (T + O + X !== read) throw new Error(`${T} T, ${O} O and ${X} X are not ${read} lines`);
  return { lines: read, bytes: compressed };
}
