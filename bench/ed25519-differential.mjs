// tweetnacl against node:crypto behind the strict pre-check, over seeded mutations of signatures, keys and messages. The
// two must give one answer each time; where the bare engines do not, a rule of the pre-check must be why.
//
// A million takes a while (tweetnacl): every core works on blocks of its own, and a block that is done is kept among the
// temporary files, so that a run which was interrupted goes on where it was. Other code or other inputs start afresh.
import { createHash, createPublicKey, verify } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import nacl from 'tweetnacl';
import { bulkVerifier, publicKeyFault, spkiOf, verifyDocument } from '../dist/protocol/ed25519.js';
import { BLOCK, inputsOf, L, little, MUTATION_NAMES, P, SEED } from './ed25519-inputs.mjs';
import { count, table } from './text.mjs';

const INPUTS = Number(process.env['TIEUP_BENCH_INPUTS'] ?? 1_000_000);
/** The bare engines are asked too, on one of so many: they are what the rules are for. */
const BARE = 100;

/** @typedef {import('./ed25519-inputs.mjs').Input} Input */
/** @typedef {{ inputs: number, taken: number, bareAsked: number, bareDiffer: number, rules: string[] }} Row */
/** @typedef {{ block: number, rows: Record<string, Row>, unexplained: unknown[] }} Judged */

/** The rule that refuses an input whatever the engines say; undefined when none does. @param {Input} input */
function rule({ key, signature }) {
  if (signature.length !== 64 || key.length !== 32) return 'length';
  if (little(signature.subarray(32)) >= L) return 'S ≥ L';
  for (const [name, point] of /** @type {const} */ ([
    ['R', signature.subarray(0, 32)],
    ['key', key],
  ])) {
    const y = little(point) & (2n ** 255n - 1n);
    if (y >= P) return `${name} is not canonical`;
    if (publicKeyFault(point)?.includes('small order') === true) return `${name} is of small order`;
  }
  return undefined;
}

/** @param {Input} input */
function bareNacl({ key, message, signature }) {
  try {
    return nacl.sign.detached.verify(message, signature, key);
  } catch {
    return 'throws';
  }
}

/** @param {Input} input */
function bareNode({ key, message, signature }) {
  try {
    return verify(
      undefined,
      message,
      createPublicKey({ key: Buffer.from(spkiOf(key)), format: 'der', type: 'spki' }),
      signature,
    );
  } catch {
    return 'throws';
  }
}

/**
 * @param {number} block
 * @returns {Judged}
 */
function judge(block) {
  /** @type {Record<string, Row>} */
  const rows = {};
  /** @type {unknown[]} */
  const unexplained = [];
  let index = 0;
  for (const { name, input } of inputsOf(block, BLOCK)) {
    const row = (rows[name] ??= { inputs: 0, taken: 0, bareAsked: 0, bareDiffer: 0, rules: [] });
    row.inputs += 1;
    const taken = verifyDocument(input.key, input.message, input.signature);
    const agreed = bulkVerifier(input.key)(input.message, input.signature) === taken;
    if (taken) row.taken += 1;
    const because = rule(input);
    if (!agreed || (because !== undefined && taken)) unexplained.push({ name, input, taken, agreed });
    if (Math.floor(index++ / MUTATION_NAMES.length) % BARE !== 0) continue;
    row.bareAsked += 1;
    const [one, other] = [bareNacl(input), bareNode(input)];
    if (one === other && one === taken) continue;
    row.bareDiffer += 1;
    if (because === undefined) unexplained.push({ name, input, taken, bare: [one, other] });
    else if (!row.rules.includes(because)) row.rules.push(because);
  }
  return { block, rows, unexplained };
}

/** Where finished blocks are kept: those of this very code and these very inputs. */
function finishedFolder() {
  const hash = createHash('sha256').update(process.version);
  for (const path of ['../dist/protocol/ed25519.js', 'ed25519-inputs.mjs', 'ed25519-differential.mjs']) {
    hash.update(readFileSync(fileURLToPath(new URL(path, import.meta.url))));
  }
  const folder = join(tmpdir(), `tieup-bench-ed25519-${hash.digest('hex').slice(0, 16)}`);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** @param {string} place @returns {Judged | undefined} */
function finished(place) {
  try {
    return JSON.parse(readFileSync(place, 'utf8'));
  } catch {
    return undefined;
  }
}

/** @param {readonly number[]} blocks @param {(judged: Judged) => void} done */
async function judgeAll(blocks, done) {
  const waiting = [...blocks];
  await Promise.all(
    cpus().map(
      () =>
        new Promise((resolve, reject) => {
          const worker = new Worker(new URL(import.meta.url));
          const next = () => {
            const block = waiting.shift();
            worker.postMessage(block ?? 'end');
          };
          worker.on('message', (judged) => {
            done(judged);
            next();
          });
          worker.on('error', reject);
          worker.on('exit', resolve);
          next();
        }),
    ),
  );
}

export async function ed25519Differential() {
  const folder = finishedFolder();
  const blocks = Array.from({ length: Math.ceil(INPUTS / BLOCK) }, (_, block) => block);
  const place = (/** @type {number} */ block) => join(folder, `${block}.json`);
  /** @type {Judged[]} */
  const all = blocks.flatMap((block) => finished(place(block)) ?? []);
  const known = new Set(all.map(({ block }) => block));
  await judgeAll(
    blocks.filter((block) => !known.has(block)),
    (judged) => {
      writeFileSync(`${place(judged.block)}.new`, JSON.stringify(judged));
      renameSync(`${place(judged.block)}.new`, place(judged.block));
      all.push(judged);
      console.error(`ed25519: ${all.length} of ${blocks.length} blocks`);
    },
  );
  const unexplained = all.flatMap((judged) => judged.unexplained);
  if (unexplained.length > 0) {
    throw new Error(`${unexplained.length} differences have no rule, the first: ${JSON.stringify(unexplained[0])}`);
  }
  const rows = MUTATION_NAMES.map((name) => {
    const of = all.flatMap(({ rows: { [name]: row } }) => row ?? []);
    const sum = (/** @type {'inputs' | 'taken' | 'bareAsked' | 'bareDiffer'} */ key) =>
      of.reduce((total, row) => total + row[key], 0);
    const rules = new Set(of.flatMap((row) => row.rules));
    return [
      name,
      count(sum('inputs')),
      count(sum('taken')),
      `${count(sum('bareDiffer'))} of ${count(sum('bareAsked'))}`,
      [...rules].sort().join(', ') || '–',
    ];
  });
  return [
    `${count(blocks.length * BLOCK)} inputs from the seed \`${SEED}\`: tweetnacl and node:crypto behind the pre-check gave the same answer to every one. The bare engines were asked on one of ${BARE}; each difference there has its rule.`,
    table(['mutation', 'inputs', 'taken by both', 'bare engines differ', 'rules'], rows),
  ].join('\n\n');
}

if (!isMainThread) {
  parentPort?.on('message', (message) => {
    if (message === 'end') parentPort?.close();
    else parentPort?.postMessage(judge(message));
  });
}
