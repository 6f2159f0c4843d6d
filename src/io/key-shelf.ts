/** The key files of a folder as they lie there, sealed: for listing them, and for taking copies to a safe place and back. */
import { join } from 'node:path';
import { TieupError } from '../errors.ts';
import { isEncrypted, MAX_KEY_FILE, openKey } from '../protocol/key-file.ts';
import { isKeyName, type KeyName } from './keys.ts';
import { isAgentReference } from './ssh-agent.ts';
import { createSecretFile, readSecretFile, secretFileExists, secretFilesIn } from './secret-file.ts';

export interface ShelfKey {
  readonly name: KeyName;
  /** Sealed with a password, plain, the name of a key that an ssh-agent holds, or a file that cannot be used. */
  readonly state: 'sealed' | 'plain' | 'agent' | 'unusable';
  /** Why it cannot be used; null when it can. */
  readonly fault: string | null;
  /** Only of plain keys, whose seed is there to be read. */
  readonly seed: Uint8Array | null;
}

export interface KeyShelf {
  /** Sorted by name. */
  list(): Promise<readonly ShelfKey[]>;
  /** The text of a sealed key. @throws TIEUP_E_KEY when it is not sealed, or not there. */
  sealed(name: KeyName): Promise<string>;
  has(name: KeyName): Promise<boolean>;
  /** Keeps a sealed key that comes from elsewhere. @throws TIEUP_E_KEY when it is not sealed, TIEUP_E_EXISTS. */
  keep(name: KeyName, pem: string): Promise<void>;
}

/** @param folder absolute */
export function keyShelf(folder: string): KeyShelf {
  const place = (name: KeyName): string => {
    if (!isKeyName(name)) throw new TieupError('TIEUP_E_KEY', `${JSON.stringify(name)} cannot be the name of a key`);
    return join(folder, `${name}.key`);
  };
  return {
    list: async () => {
      const names = (await secretFilesIn(folder)).flatMap((file) => (file.endsWith('.key') ? [file.slice(0, -4)] : []));
      return Promise.all(names.filter(isKeyName).map((name) => lookAt(name, place(name))));
    },
    sealed: async (name) => {
      const pem = await readSecretFile(place(name), MAX_KEY_FILE);
      if (pem !== undefined && isSealed(pem)) return pem;
      throw new TieupError('TIEUP_E_KEY', `there is no sealed key "${name}" in ${JSON.stringify(folder)}`);
    },
    has: (name) => secretFileExists(place(name)),
    keep: async (name, pem) => {
      if (!isSealed(pem)) throw new TieupError('TIEUP_E_KEY', `the key "${name}" of the backup is not sealed`);
      await createSecretFile(place(name), pem);
    },
  };
}

async function lookAt(name: KeyName, path: string): Promise<ShelfKey> {
  try {
    const pem = (await readSecretFile(path, MAX_KEY_FILE)) ?? '';
    // SSH keys have a format of their own, which ssh-keygen seals.
    if (pem.startsWith('-----BEGIN OPENSSH PRIVATE KEY-----')) return { name, state: 'plain', fault: null, seed: null };
    if (isAgentReference(pem)) return { name, state: 'agent', fault: null, seed: null };
    if (isEncrypted(pem)) return { name, state: 'sealed', fault: null, seed: null };
    return { name, state: 'plain', fault: null, seed: openKey(pem, undefined) };
  } catch (error) {
    if (!(error instanceof TieupError)) throw error;
    return { name, state: 'unusable', fault: error.message, seed: null };
  }
}

function isSealed(pem: string): boolean {
  try {
    return isEncrypted(pem);
  } catch {
    return false;
  }
}
