// Seeded mutations of signatures, keys and messages: the same ones in every run, block by block, so that blocks can be
// worked on in any order and by several threads.
import { createHash } from 'node:crypto';
import { bulkSigner, publicKeyOf } from '../dist/protocol/ed25519.js';

export const BLOCK = 10_000;
export const SEED = 'tieup ed25519 differential 2';
export const L = 2n ** 252n + 27742317777372353535851937790883648493n;
export const P = 2n ** 255n - 19n;

/** Random numbers that are the same in every run: SHA-256 in counter mode. */
class Random {
  #block;
  #counter = 0;
  #bytes = Buffer.alloc(0);
  #at = 0;

  /** @param {number} block */
  constructor(block) {
    this.#block = block;
  }

  byte() {
    if (this.#at === this.#bytes.length) {
      this.#bytes = createHash('sha256')
        .update(`${SEED} ${this.#block} ${this.#counter++}`)
        .digest();
      this.#at = 0;
    }
    return this.#bytes[this.#at++] ?? 0;
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
export function little(bytes) {
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

export const MUTATION_NAMES = Object.keys(MUTATIONS);

/**
 * The inputs of one block, each with the name of its mutation.
 * @param {number} block
 * @param {number} length
 * @returns {Generator<{ name: string, input: Input }>}
 */
export function* inputsOf(block, length) {
  const random = new Random(block);
  const signers = Array.from({ length: 64 }, (_, index) => {
    const seed = createHash('sha256').update(`${SEED} key ${index}`).digest();
    return { key: publicKeyOf(seed), sign: bulkSigner(seed) };
  });
  for (let index = 0; index < length; index++) {
    const [name, mutate] = Object.entries(MUTATIONS)[index % MUTATION_NAMES.length] ?? [];
    const signer = signers[random.number(signers.length)];
    if (name === undefined || mutate === undefined || signer === undefined) continue;
    const message = random.bytes(1 + random.number(40));
    yield { name, input: mutate({ key: signer.key, message, signature: signer.sign(message) }, random) };
  }
}
