// How fast a log is sealed and verified: node bench/log-part.mjs [records]. Synthetic records of about 200 bytes.
// Counted in seconds of one core (user and system time), so that other work on the machine does not blur the figure.
import { randomFillSync } from 'node:crypto';
import { signCheckpoint } from '../dist/protocol/checkpoint.js';
import { renderPartHead } from '../dist/protocol/log-part-header.js';
import { sealDisclosed, startDisclosed } from '../dist/protocol/log-part-line.js';
import { verifyPart } from '../dist/protocol/log-part.js';
import { renderRecord } from '../dist/protocol/log-record.js';
import { Frontier } from '../dist/protocol/merkle.js';
import { noteSigner } from '../dist/protocol/note.js';
import { verifierKey } from '../dist/protocol/vkey.js';

const RECORDS = Number(process.argv[2] ?? 1_000_000);
const RUNS = 5;
const CHUNK = 64 * 1024;

const signer = noteSigner('harbour/log', new Uint8Array(32).fill(7));
const origin = { host: 'harbour.example', partner: 'harbour', log: /** @type {const} */ ('T'), epoch: 1 };
const lines = Array.from({ length: RECORDS }, (_, index) => Buffer.from(record(index)));
const salts = randomFillSync(new Uint8Array(16 * RECORDS));
const bytes = lines.reduce((sum, { length }) => sum + length, 0);
console.log(`${RECORDS} records of ${Math.round(bytes / RECORDS)} bytes, Node ${process.version}`);

const buffer = Buffer.alloc(bytes + 64 * RECORDS);
let tree = new Frontier();
let end = 0;
best('sealed', () => {
  tree = new Frontier();
  end = 0;
  const bounds = new Uint32Array(2 * RECORDS);
  for (const [index, line] of lines.entries()) {
    const recordAt = startDisclosed(buffer, end, index);
    const recordEnd = recordAt + line.copy(buffer, recordAt);
    bounds.set([recordAt, recordEnd], 2 * index);
    end = recordEnd + 1;
  }
  const hashes = new Uint8Array(32 * RECORDS);
  sealDisclosed(buffer, bounds, RECORDS, salts, hashes);
  tree.appendLeaves(hashes);
});

const note = signCheckpoint({ origin, size: RECORDS, root: tree.root() }, signer);
const part = Buffer.concat([Buffer.from(renderPartHead(note, 0, [])), buffer.subarray(0, end)]);
const keys = [verifierKey(signer.name, signer.publicKey)];
for (let run = 0, fastest = Infinity; run < RUNS; run += 1) {
  const start = cpuMs();
  const { disclosed } = await verifyPart(chunksOf(part), { keys, origin });
  if (disclosed !== RECORDS) throw new Error(`${disclosed} records were verified`);
  fastest = Math.min(fastest, cpuMs() - start);
  if (run === RUNS - 1) report('verified', fastest);
}

function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** @param {Buffer} whole */
function* chunksOf(whole) {
  for (let at = 0; at < whole.length; at += CHUNK) yield whole.subarray(at, at + CHUNK);
}

/**
 * @param {string} what
 * @param {() => void} work
 */
function best(what, work) {
  let fastest = Infinity;
  for (let run = 0; run < RUNS; run += 1) {
    const start = cpuMs();
    work();
    fastest = Math.min(fastest, cpuMs() - start);
  }
  report(what, fastest);
}

/**
 * @param {string} what
 * @param {number} milliseconds
 */
function report(what, milliseconds) {
  console.log(`${what}: ${Math.round((RECORDS / milliseconds) * 1000).toLocaleString('en')} records a core-second`);
}

/** @param {number} index */
function record(index) {
  const time = new Date(Date.UTC(2026, 10, 23) + index * 50).toISOString();
  return renderRecord({
    seq: index + 1,
    time: `${time.slice(0, 19)}Z`,
    zone: '+0500',
    host: 'harbour.example',
    class: 'T',
    page: `with-main/page-${index % 500}.html`,
    method: 'GET',
    path: `/with-main/page-${index % 500}.html`,
    query: '',
    protocol: 'HTTP/1.1',
    status: 200,
    bytes: 5000 + (index % 9000),
    referrer: 'https://search.example',
    agent: 'Mozilla/5.0 (X11) Firefox/140.0',
    ip: `203.0.${index % 256}.0`,
    visitor: (index % 65536).toString(16).padStart(16, '0'),
    user: '',
    duration: 1200,
    bot: '',
    signals: [],
  });
}
