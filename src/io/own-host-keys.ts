/** The public host keys of this machine's own SSH server, as OpenSSH keeps them. */
import { isTieupError } from '../errors.ts';
import type { FileTree } from './file-tree.ts';
import { parseHostKey, type HostKey } from './host-key.ts';

export const OWN_HOST_KEYS = '/etc/ssh';

const NAME = /^ssh_host_[a-z0-9]+_key\.pub$/;
const MAX_KEY = 16 * 1024;

export interface OwnHostKey {
  /** Absolute. */
  readonly file: string;
  readonly key: HostKey;
}

/** The keys in `folder`, sorted by name; a file that cannot be read or is of a type unknown here is passed over. */
export async function readOwnHostKeys(folder: FileTree): Promise<readonly OwnHostKey[]> {
  const keys: OwnHostKey[] = [];
  for (const { name } of await folder.list('').catch(() => [])) {
    if (!NAME.test(name)) continue;
    try {
      const line = new TextDecoder().decode(await folder.read(name, MAX_KEY));
      keys.push({ file: `${OWN_HOST_KEYS}/${name}`, key: parseHostKey(line) });
    } catch (error) {
      if (!isTieupError(error)) throw error;
    }
  }
  return keys;
}
