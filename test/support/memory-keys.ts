/** Keys without files and without scrypt, the same in every run. */
import { TieupError } from '../../src/errors.ts';
import { type KeyName, type KeyStore, seedSigner } from '../../src/io/keys.ts';
import { sha256 } from '../../src/protocol/digest.ts';

/** The seed of the key `name` of `owner`. */
export function seededKey(owner: string, name: string): Uint8Array {
  return Uint8Array.from(Buffer.from(sha256(`key ${name} of ${owner}`), 'hex'));
}

export interface MemoryKeys extends KeyStore {
  /** The keys that were opened since the last look, in order. */
  readonly opened: KeyName[];
}

/** A store that holds the seeded keys `names` of `owner` from the start, and what is created later. */
export function memoryKeys(owner: string, names: readonly KeyName[] = []): MemoryKeys {
  const seeds = new Map(names.map((name) => [name, seededKey(owner, name)]));
  const opened: KeyName[] = [];
  const load = async (name: KeyName): Promise<Uint8Array> => {
    const seed = seeds.get(name);
    if (seed === undefined) throw new TieupError('TIEUP_E_KEY', `there is no key "${name}"`);
    opened.push(name);
    return seed.slice();
  };
  return {
    opened,
    has: async (name) => seeds.has(name),
    names: async () => [...seeds.keys()].toSorted(),
    create: async (name, seed) => {
      if (seeds.has(name)) throw new TieupError('TIEUP_E_EXISTS', `there is a key "${name}" already`);
      seeds.set(name, Uint8Array.from(seed));
    },
    load,
    signer: async (name) => seedSigner(await load(name)),
    refer: async () => {
      throw new TieupError('TIEUP_E_KEY', 'there is no ssh-agent');
    },
    password: async () => 'a password',
  };
}

/** `store`, where the keys `names` ask for a password that nobody can give. */
export function lockedKeys(store: KeyStore, names: readonly KeyName[]): KeyStore {
  const assertOpen = (name: KeyName): void => {
    if (names.includes(name)) throw new TieupError('TIEUP_E_PASSWORD', `the key "${name}" needs a password`);
  };
  return {
    ...store,
    load: async (name) => {
      assertOpen(name);
      return store.load(name);
    },
    signer: async (name) => {
      assertOpen(name);
      return store.signer(name);
    },
  };
}

/** Numbers that look random and are the same in every run. */
export function seededRandom(label: string): (length: number) => Uint8Array {
  let count = 0;
  return (length) => {
    const blocks: Buffer[] = [];
    for (let have = 0; have < length; have += 32) blocks.push(Buffer.from(sha256(`${label} ${(count += 1)}`), 'hex'));
    return Uint8Array.from(Buffer.concat(blocks).subarray(0, length));
  };
}
