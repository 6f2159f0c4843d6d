/**
 * Passwords stretched by scrypt, each only once, for as long as one command runs.
 *
 * Keys which one password seals at one time share a salt, so that a command opens all of them in the time of one. Guessing
 * becomes no cheaper by it: who guesses the password of one of them has that of the others anyway. Every seal has a nonce of
 * its own, and two passwords never share a salt.
 */
import { scrypt, scryptSync } from 'node:crypto';

export interface Cost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** Bytes of what comes out, the key of a secretbox, and of a salt. */
const KEY_LENGTH = 32;
export const SALT_LENGTH = 32;

export class Stretched {
  readonly #salts = new Map<string, Uint8Array>();
  readonly #known = new Map<string, Uint8Array>();
  readonly #underWay = new Map<string, Promise<Uint8Array>>();

  /** The salt of what is sealed with this password. */
  salt(password: string, random: (length: number) => Uint8Array): Uint8Array {
    const known = this.#salts.get(password) ?? random(SALT_LENGTH);
    this.#salts.set(password, known);
    return known;
  }

  /** Takes about half a second and 128 MiB at N = 2^17, the first time. */
  key(password: string, salt: Uint8Array, cost: Cost): Uint8Array {
    const name = nameOf(password, salt, cost);
    const key = this.#known.get(name) ?? scryptSync(password, salt, KEY_LENGTH, bounded(cost));
    this.#known.set(name, key);
    return key;
  }

  /** The same in a thread of its own. */
  async keyAside(password: string, salt: Uint8Array, cost: Cost): Promise<Uint8Array> {
    const name = nameOf(password, salt, cost);
    const underWay = this.#underWay.get(name) ?? this.#aside(password, salt, cost);
    this.#underWay.set(name, underWay);
    const key = await underWay;
    this.#known.set(name, key);
    return key;
  }

  async #aside(password: string, salt: Uint8Array, cost: Cost): Promise<Uint8Array> {
    const known = this.#known.get(nameOf(password, salt, cost));
    if (known !== undefined) return known;
    return new Promise((resolve, reject) => {
      scrypt(password, salt, KEY_LENGTH, bounded(cost), (error, key) => {
        if (error === null) resolve(key);
        else reject(error);
      });
    });
  }
}

function nameOf(password: string, salt: Uint8Array, { N, r, p }: Cost): string {
  return `${N} ${r} ${p} ${Buffer.from(salt).toString('hex')} ${password}`;
}

/** OpenSSL counts a little more than the 128 * N * r bytes of the algorithm. */
function bounded(cost: Cost): Cost & { readonly maxmem: number } {
  return { ...cost, maxmem: 128 * cost.N * cost.r + 2 ** 20 };
}
