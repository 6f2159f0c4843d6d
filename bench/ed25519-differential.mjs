// tweetnacl against node:crypto behind the strict pre-check, over seeded mutations of signatures, keys and messages. The
// two must give one answer each time; where the bare engines do not, a rule of the pre-check must be why.
import { createHash, createPublicKey, verify } from 'node:crypto';
import nacl from 'tweetnacl';
import {
  bulkSigner,
  bulkVerifier,
  publicKeyFault,
  publicKeyOf,
  spkiOf,
  verifyDocument,
} from '../dist/protocol/ed25519.js';
import { count, table, time } from './text.mjs';

const INPUTS = Number(process.env['TIEUP_BENCH_INPUTS'] ?? 1_000_000);
const SEED = 'tieup ed25519 differential 1';
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const P = 2n ** 255n - 19n;

/** Random numbers that are the same in every run: SHA-256 in counter mode. */
class Random {
  #counter = 0;
  #block = Buffer.alloc(0);
  #at = 0;

  byte() {
    if (this.#at === this.#block.length) {
      this.#block = createHash('sha256')
        .update(`${SEED} ${this.#counter++}`)
        .digest();
      this.#at = 0;
    }
    return this.#block[this.#at++] ?? 0;
  }

  /** @param {number} below */
  number(below) {
    return ((this.byte() << 16) | (this.byte() << 8) | this.byte()) % below;
  }

  /** @param {number} length */
  bytes(length) {
    return Uint8Array.from({ length }, () => this.byte());
  }
}

/** @param {Uint8Array} bytes */
function little(bytes) {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex') || '0'}`);
}

/** @param {bigint} value */
function littleBytes(value) {
  return Buffer.from(value.toString(16).padStart(64, '0').slice(-64), 'hex').reverse();
}

/** @typedef {{ key: Uint8Array, message: Uint8Array, signature: Uint8Array }} Input */

const SMALL_ORDER = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
].map((hex) => Buffer.from(hex, 'hex'));

/** Each changes a valid input in its own way. @type {Record<string, (input: Input, random: Random) => Input>} */
const MUTATIONS = {
  'nothing changed': (input) => input,
  'a bit of the signature': ({ signature, ...rest }, random) => ({ ...rest, signature: flipped(signature, random) }),
  'a bit of the key': ({ key, ...rest }, random) => ({ ...rest, key: flipped(key, random) }),
  'a bit of the message': ({ message, ...rest }, random) => ({ ...rest, message: flipped(message, random) }),
  'S + kL': ({ signature, ...rest }, random) => ({
    ...rest,
    signature: joined(signature, little(signature.subarray(32)) + L * BigInt(1 + random.number(14))),
  }),
  'another S': ({ signature, ...rest }, random) => ({
    ...rest,
    signature: joined(signature, little(random.bytes(32))),
  }),
  'R of small order': ({ signature, ...rest }, random) => ({
    ...rest,
    signature: Buffer.concat([small(random), signature.subarray(32)]),
  }),
  'key of small order, S = 0': ({ message }, random) => ({
    message,
    key: small(random),
    signature: Buffer.concat([small(random), Buffer.alloc(32)]),
  }),
  'y of R not reduced': ({ signature, ...rest }, random) => ({
    ...rest,
    signature: Buffer.concat([littleBytes(P + BigInt(random.number(19))), signature.subarray(32)]),
  }),
  'y of the key not reduced': ({ message, signature }, random) => ({
    message,
    signature,
    key: littleBytes(P + BigInt(random.number(19))),
  }),
  'another length': ({ signature, key, message }, random) =>
    random.number(2) === 0
      ? { key, message, signature: signature.subarray(0, random.number(64)) }
      : { key: key.subarray(0, random.number(32)), message, signature },
};

/** @param {Uint8Array} bytes @param {Random} random */
function flipped(bytes, random) {
  const copy = Uint8Array.from(bytes);
  const at = random.number(copy.length);
  copy[at] = (copy[at] ?? 0) ^ (1 << random.number(8));
  return copy;
}

/** @param {Uint8Array} signature @param {bigint} s */
function joined(signature, s) {
  return Buffer.concat([signature.subarray(0, 32), littleBytes(s % 2n ** 256n)]);
}

/** @param {Random} random */
function small(random) {
  const point = Buffer.from(SMALL_ORDER[random.number(SMALL_ORDER.length)] ?? []);
  point[31] = (point[31] ?? 0) | (random.number(2) << 7);
  return point;
}

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

export async function ed25519Differential() {
  const random = new Random();
  const names = Object.keys(MUTATIONS);
  const signers = Array.from({ length: 64 }, (_, index) => {
    const seed = createHash('sha256').update(`${SEED} key ${index}`).digest();
    return { key: publicKeyOf(seed), sign: bulkSigner(seed) };
  });
  const rows = new Map(names.map((name) => [name, { inputs: 0, taken: 0, bareDiffer: 0, rules: new Set() }]));
  const unexplained = [];
  const started = performance.now();
  for (let index = 0; index < INPUTS; index++) {
    const name = names[index % names.length] ?? '';
    const signer = signers[random.number(signers.length)];
    const row = rows.get(name);
    if (signer === undefined || row === undefined) continue;
    const message = random.bytes(1 + random.number(40));
    const input = MUTATIONS[name]?.({ key: signer.key, message, signature: signer.sign(message) }, random);
    if (input === undefined) continue;
    row.inputs += 1;
    const taken = verifyDocument(input.key, input.message, input.signature);
    const agreed = bulkVerifier(input.key)(input.message, input.signature) === taken;
    if (taken) row.taken += 1;
    const because = rule(input);
    if (!agreed || (because !== undefined && taken)) unexplained.push({ name, input, taken, agreed });
    // The bare engines too, on every hundredth: they are what the rules are for.
    if (Math.floor(index / names.length) % 100 !== 0) continue;
    const [one, other] = [bareNacl(input), bareNode(input)];
    if (one === other && one === taken) continue;
    row.bareDiffer += 1;
    if (because === undefined) unexplained.push({ name, input, taken, bare: [one, other] });
    else row.rules.add(because);
  }
  if (unexplained.length > 0) {
    throw new Error(`${unexplained.length} differences have no rule, the first: ${JSON.stringify(unexplained[0])}`);
  }
  return [
    `${count(INPUTS)} inputs from the seed \`${SEED}\` in ${time(performance.now() - started)}: tweetnacl and node:crypto behind the pre-check gave the same answer to every one. Bare engines were asked on every hundredth; each difference there has its rule.`,
    table(
      ['mutation', 'inputs', 'taken by both', 'bare engines differ, per 100 asked', 'rules'],
      [...rows].map(([name, { inputs, taken, bareDiffer, rules }]) => [
        name,
        count(inputs),
        count(taken),
        ((bareDiffer / Math.max(1, Math.ceil(inputs / 100))) * 100).toFixed(1),
        [...rules].join(', ') || '–',
      ]),
    ),
  ].join('\n\n');
}
