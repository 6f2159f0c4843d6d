/**
 * OpenSSH's `known_hosts` (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"): which host keys a person has seen and said yes to.
 * Names in the clear, with `*`, `?` and `!`, hashed names, `[host]:port`, and `@revoked`. Certificates are passed over.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { TieupError } from '../errors.ts';
import { describeHostKey, parseHostKey, renderHostKey, type HostKey } from './host-key.ts';

const DEFAULT_PORT = 22;
const HASHED = /^\|1\|([A-Za-z0-9+/=]+)\|([A-Za-z0-9+/=]+)$/;

/**
 * The keys that these files know for a server, as `ssh-ed25519 AAAA…`; empty when they know none. Lines that cannot be read
 * and keys of types unknown here are passed over.
 * @throws TIEUP_E_HOST_KEY when each key that they know for it is revoked as well
 */
export function knownHostKeys(
  files: readonly string[],
  server: { readonly host: string; readonly port: number },
): readonly string[] {
  const name = server.port === DEFAULT_PORT ? server.host : `[${server.host}]:${server.port}`;
  const known = new Map<string, HostKey>();
  const revoked = new Set<string>();
  for (const line of files.flatMap((text) => text.split('\n'))) {
    const words = line.trim().split(/[ \t]+/);
    const marker = words[0]?.startsWith('@') === true ? words.shift() : undefined;
    const [names = '', ...rest] = words;
    if (names === '' || names.startsWith('#') || !isNamed(name.toLowerCase(), names)) continue;
    const key = keyOf(rest.join(' '));
    if (key === undefined) continue;
    const text = renderHostKey(key.blob);
    if (marker === '@revoked') revoked.add(text);
    else if (marker === undefined) known.set(text, key);
  }
  const good = [...known.keys()].filter((text) => !revoked.has(text));
  const [bad] = known.values();
  if (good.length > 0 || bad === undefined) return good;
  throw new TieupError('TIEUP_E_HOST_KEY', `the host key ${describeHostKey(bad)} of ${name} is marked as revoked`, {
    hint: 'nothing was sent; ask whoever looks after the server for its new key',
  });
}

function keyOf(text: string): HostKey | undefined {
  try {
    return parseHostKey(text);
  } catch {
    return undefined;
  }
}

/** A `!pattern` that fits counts against all others on the line. */
function isNamed(name: string, names: string): boolean {
  const hashed = HASHED.exec(names);
  if (hashed !== null) return isHashOf(name, hashed[1] ?? '', hashed[2] ?? '');
  const patterns = names.toLowerCase().split(',');
  const fits = (pattern: string): boolean => globOf(pattern).test(name);
  if (patterns.some((pattern) => pattern.startsWith('!') && fits(pattern.slice(1)))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && fits(pattern));
}

function isHashOf(name: string, salt: string, hash: string): boolean {
  const expected = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  const found = Buffer.from(hash, 'base64');
  return found.length === expected.length && timingSafeEqual(found, expected);
}

function globOf(pattern: string): RegExp {
  const source = pattern.replaceAll(/[\\^$.|+()[\]{}]/g, String.raw`\$&`);
  return new RegExp(`^${source.replaceAll(/\*+/g, '.*').replaceAll('?', '.')}$`);
}
