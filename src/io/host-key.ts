/** SSH host keys as `known_hosts` and `.pub` files write them: `ssh-ed25519 AAAA…` (RFC 4253 section 6.6, RFC 8709). */
import { createHash } from 'node:crypto';
import { TieupError } from '../errors.ts';

/** What ssh2 negotiates for each type of key; an RSA key signs with SHA-2 alone (RFC 8332). */
const SIGNATURES = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
} as const;

type KeyType = keyof typeof SIGNATURES;
export type HostKeyAlgorithm = (typeof SIGNATURES)[KeyType][number];

export interface HostKey {
  readonly type: KeyType;
  /** The key as it crosses the wire. */
  readonly blob: Uint8Array;
}

/** Every algorithm that tieup accepts, best first. */
export const HOST_KEY_ALGORITHMS: readonly HostKeyAlgorithm[] = Object.values(SIGNATURES).flat();

/** @param line - `<type> <base64> [comment]`. @throws TIEUP_E_CONFIG */
export function parseHostKey(line: string): HostKey {
  const [type = '', base64 = ''] = line.trim().split(/[ \t]+/);
  if (!isKeyType(type)) throw wrong(line, `is of the type ${JSON.stringify(type)}, which tieup does not know`);
  const blob = Buffer.from(base64, 'base64');
  // Buffer.from skips what is no base64: only a text that comes back is one.
  if (base64 === '' || blob.toString('base64') !== base64) throw wrong(line, 'is not written in base64');
  if (typeOf(blob) !== type) throw wrong(line, 'holds a key of another type than it says');
  return { type, blob };
}

/** `<type> <base64>` of a key as it crossed the wire. @throws TIEUP_E_CONFIG for a type that tieup does not know */
export function renderHostKey(blob: Uint8Array): string {
  const type = typeOf(blob);
  if (!isKeyType(type)) throw wrong(type, 'is of a type which tieup does not know');
  return `${type} ${Buffer.from(blob).toString('base64')}`;
}

/** `SHA256:…` as OpenSSH shows it. */
export function sshFingerprint(blob: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** `ED25519 SHA256:…`, with the type as OpenSSH names it. */
export function describeHostKey({ type, blob }: HostKey): string {
  const name = type === 'ssh-rsa' ? 'RSA' : type === 'ssh-ed25519' ? 'ED25519' : 'ECDSA';
  return `${name} ${sshFingerprint(blob)}`;
}

/** The algorithms to offer so that the server shows one of the pinned keys and no other. */
export function algorithmsOf(keys: readonly HostKey[]): HostKeyAlgorithm[] {
  return [...new Set(keys.flatMap((key): readonly HostKeyAlgorithm[] => SIGNATURES[key.type]))];
}

function isKeyType(type: string): type is KeyType {
  return Object.hasOwn(SIGNATURES, type);
}

/** The name at the start of a key; empty when there is none. */
function typeOf(blob: Uint8Array): string {
  const view = Buffer.from(blob);
  if (view.length < 4) return '';
  const length = view.readUInt32BE(0);
  return length > 64 || length > view.length - 4 ? '' : view.toString('latin1', 4, 4 + length);
}

function wrong(line: string, fault: string): TieupError {
  return new TieupError('TIEUP_E_CONFIG', `the host key ${JSON.stringify(line)} ${fault}`, {
    hint: 'take the line from the .pub file in /etc/ssh of the server, e.g. ssh_host_ed25519_key.pub',
  });
}
