// How fast an exported log is verified and imported: node bench/logs-import.mjs [records]
//
// A synthetic export of log T over three days, as gzip members of the partner's level, is decompressed, verified to its signed root and
// written as Parquet, as `tieup logs pull` does it once the file is here. Wall time depends on what else the machine does; the time of
// all cores (user and system) does not, nearly. Each run is a process of its own, so that its peak of memory is its own.
import { randomFillSync } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { duckdbHits } from '../dist/io/duckdb-hits.js';
import { workerThreads } from '../dist/io/worker-threads.js';
import { foldBeside } from '../dist/logs/fold-thread.js';
import { gunzipped } from '../dist/logs/gunzipped.js';
import { RecordTaker } from '../dist/main-site/logs/take-records.js';
import { signCheckpoint } from '../dist/protocol/checkpoint.js';
import { renderPartHead } from '../dist/protocol/log-part-header.js';
import { sealDisclosed, startDisclosed } from '../dist/protocol/log-part-line.js';
import { verifyPart } from '../dist/protocol/log-part.js';
import { renderRecord } from '../dist/protocol/log-record.js';
import { Frontier } from '../dist/protocol/merkle.js';
import { noteSigner } from '../dist/protocol/note.js';
import { verifierKey } from '../dist/protocol/vkey.js';

/** @param {string} path */
const dist = (path) => new URL(`../dist/${path}`, import.meta.url);
const threads = workerThreads(dist('io/worker-entry.js'));
const RUNS = 3;
const MEMBER = 20_000;
const signer = noteSigner('harbour/log', new Uint8Array(32).fill(7));
const origin = { host: 'harbour.example', partner: 'harbour', log: /** @type {const} */ ('T'), epoch: 1 };

const [first = '4000000', folder] = process.argv.slice(2);
if (first === 'run' && folder !== undefined) await run(folder);
else await measure(Number(first));

/** @param {number} records */
async function measure(records) {
  const place = mkdtempSync(join(tmpdir(), 'tieup-bench-'));
  try {
    await write(place, records);
    const megabytes = Math.round(statSync(join(place, 'T.part.gz')).size / 1e6);
    console.log(
      `${records} records, ${megabytes} MB compressed, Node ${process.version}, load ${loadavg()[0]?.toFixed(1)}`,
    );
    for (let number = 0; number < RUNS; number += 1) {
      const { stdout, stderr, status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), 'run', place], {
        encoding: 'utf8',
      });
      if (status !== 0) throw new Error(stderr);
      process.stdout.write(stdout);
    }
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** @param {string} place */
async function run(place) {
  const head = readFileSync(join(place, 'T.part.head'), 'latin1');
  const hits = await duckdbHits(join(place, 'hits'));
  if (hits === undefined) throw new Error('DuckDB is not installed');
  const size = Number(head);
  const start = performance.now();
  const before = process.cpuUsage();
  const aside = await hits.begin({ partner: 'harbour', log: 'T', epoch: 1, from: 0, size });
  await verifyPart(
    gunzipped(createReadStream(join(place, 'T.part.gz'), { highWaterMark: 1024 * 1024 }), 2 ** 40, false),
    { keys: [verifierKey(signer.name, signer.publicKey)], origin },
    new RecordTaker(undefined, aside).take,
    {
      plant: foldBeside(
        process.env['TIEUP_BENCH_ALONE'] === '1'
          ? undefined
          : (seed) => threads.start(dist('logs/fold-thread.js'), seed),
      ),
    },
  );
  const verified = performance.now() - start;
  const reading = threadSeconds();
  const imported = await aside.commit();
  const wall = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  const cpu = (user + system) / 1e6;
  const peak = Math.round(process.resourceUsage().maxRSS / 1024);
  await hits.close();
  if (imported !== size) throw new Error(`${imported} of ${size} records were imported`);
  const rate = (/** @type {number} */ seconds) => Math.round(size / seconds).toLocaleString('en');
  console.log(
    `${rate(wall)} records/s in ${wall.toFixed(1)} s (verified after ${(verified / 1000).toFixed(1)} s), ` +
      `${cpu.toFixed(1)} s of all cores (${rate(cpu)} a core-second), ` +
      `${reading === undefined ? '' : `${reading.toFixed(1)} s of the thread that reads, `}peak ${peak} MiB`,
  );
}

/** Processor time of this thread alone, its start included; undefined where Linux does not tell it. */
function threadSeconds() {
  if (!existsSync('/proc/thread-self/stat')) return undefined;
  const [, fields = ''] = readFileSync('/proc/thread-self/stat', 'latin1').split(') ');
  const [user = '0', system = '0'] = fields.split(' ').slice(11, 13);
  return (Number(user) + Number(system)) / 100;
}

/**
 * @param {string} place
 * @param {number} records
 */
async function write(place, records) {
  if (existsSync(join(place, 'T.part.gz'))) return;
  const body = createWriteStream(join(place, 'body'));
  const tree = new Frontier();
  const salts = new Uint8Array(16 * MEMBER);
  const buffer = Buffer.alloc(MEMBER * 1024);
  for (let at = 0; at < records; at += MEMBER) {
    randomFillSync(salts);
    let end = 0;
    const count = Math.min(MEMBER, records - at);
    const bounds = new Uint32Array(2 * count);
    for (let index = at; index < at + count; index += 1) {
      const recordAt = startDisclosed(buffer, end, index);
      const recordEnd = recordAt + buffer.write(record(index, records), recordAt);
      bounds.set([recordAt, recordEnd], 2 * (index - at));
      end = recordEnd + 1;
    }
    const hashes = new Uint8Array(32 * count);
    sealDisclosed(buffer, bounds, count, salts, hashes);
    tree.appendLeaves(hashes);
    if (!body.write(gzipSync(buffer.subarray(0, end), { level: 1 }))) await once(body, 'drain');
  }
  body.end();
  await once(body, 'finish');
  const note = signCheckpoint({ origin, size: records, root: tree.root() }, signer);
  const whole = createWriteStream(join(place, 'T.part.gz'));
  whole.write(gzipSync(renderPartHead(note, 0, [])));
  createReadStream(join(place, 'body')).pipe(whole);
  await once(whole, 'finish');
  rmSync(join(place, 'body'));
  writeFileSync(join(place, 'T.part.head'), String(records));
}

/**
 * @param {import('node:events').EventEmitter} emitter
 * @param {string} name
 */
function once(emitter, name) {
  return new Promise((resolve) => emitter.once(name, resolve));
}

/**
 * @param {number} index
 * @param {number} records
 */
function record(index, records) {
  const time = new Date(Date.UTC(2026, 10, 23) + Math.floor((index * 3 * 86_400_000) / records)).toISOString();
  const page = `with-main/page-${(index * 7919) % 503}.html`;
  return renderRecord({
    seq: index + 1,
    time: `${time.slice(0, 19)}Z`,
    zone: '+0500',
    host: 'harbour.example',
    class: 'T',
    page,
    method: 'GET',
    path: `/${page}`,
    query: '',
    protocol: 'HTTP/1.1',
    status: index % 50 === 0 ? 304 : 200,
    bytes: 5000 + ((index * 31) % 9000),
    referrer: index % 3 === 0 ? 'https://search.example' : '',
    agent: `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/${100 + (index % 43)}.0.0.0 Safari/537.36`,
    ip: `${203 + (index % 7)}.${index % 113}.${(index * 13) % 256}.0`,
    visitor: ((index * 2_654_435_761) % 2 ** 32).toString(16).padStart(16, '0'),
    user: '',
    duration: 1200 + (index % 700),
    bot: '',
    signals: [],
  });
}
