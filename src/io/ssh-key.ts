/** Ed25519 keys for SSH logins and hosts, in OpenSSH's own format (PROTOCOL.key of OpenSSH; RFC 8709). */
import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';

const TYPE = 'ssh-ed25519';
const MAGIC = 'openssh-key-v1\0';
/** PKCS #8 of an Ed25519 seed (RFC 8410) up to the seed. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const BLOCK = 8;
const LINE = 70;

export interface SshKey {
  /** PEM `OPENSSH PRIVATE KEY`, not encrypted. */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA… comment`, a line of authorized_keys. */
  readonly publicKey: string;
}

/** @param seed - 32 bytes; random unless given. */
export function createSshKey(comment: string, seed: Uint8Array = randomBytes(32)): SshKey {
  const publicBytes = publicKeyOf(seed);
  const publicBlob = Buffer.concat([field(TYPE), field(publicBytes)]);
  // Twice the same number shows a reader that it decrypted the rest; without a cipher any number does.
  const check = Buffer.alloc(4);
  const unpadded = Buffer.concat([check, check, publicBlob, field(Buffer.concat([seed, publicBytes])), field(comment)]);
  const padding = Buffer.from(
    Array.from({ length: (BLOCK - (unpadded.length % BLOCK)) % BLOCK }, (_, index) => index + 1),
  );
  const file = Buffer.concat([
    Buffer.from(MAGIC, 'latin1'),
    field('none'),
    field('none'),
    field(''),
    uint32(1),
    field(publicBlob),
    field(Buffer.concat([unpadded, padding])),
  ]);
  const lines = file.toString('base64').match(new RegExp(`.{1,${LINE}}`, 'g')) ?? [];
  return {
    privateKey: ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n'),
    publicKey: [TYPE, publicBlob.toString('base64'), comment].filter((part) => part !== '').join(' '),
  };
}

function publicKeyOf(seed: Uint8Array): Buffer {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
}

function field(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
