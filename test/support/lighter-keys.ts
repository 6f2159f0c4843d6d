/**
 * Key files of a test site at the lowest cost that the format allows. Commands write N = 2^17, which every later command of
 * a test would pay for again; that they write it, and what opening costs, is tested with the format itself.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import nacl from 'tweetnacl';
import { pkcs8Of } from '../../src/protocol/ed25519.ts';
import { openKey } from '../../src/protocol/key-file.ts';
import { Stretched } from '../../src/protocol/stretched.ts';

const LABEL = 'ENCRYPTED SIGSTORE PRIVATE KEY';
const COST = { N: 2 ** 15, r: 8, p: 1 };

const known = new Stretched();

/** The seed as a file that `password` opens in a quarter of the time and memory that those of tieup take. */
export function lightKey(seed: Uint8Array, password: string, salt: Uint8Array = randomBytes(32)): string {
  const nonce = randomBytes(nacl.secretbox.nonceLength);
  const sealed = {
    kdf: { name: 'scrypt', params: COST, salt: Buffer.from(salt).toString('base64') },
    cipher: { name: 'nacl/secretbox', nonce: nonce.toString('base64') },
    ciphertext: Buffer.from(nacl.secretbox(pkcs8Of(seed), nonce, known.key(password, salt, COST))).toString('base64'),
  };
  const lines =
    Buffer.from(JSON.stringify(sealed))
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${LABEL}-----\n${lines.join('\n')}\n-----END ${LABEL}-----\n`;
}

/** Seals every encrypted key in `folder` anew with the same password, as commands do it with one salt; modes stay. */
export function lightenKeys(folder: string, password: string): void {
  const opened = new Stretched();
  const salt = randomBytes(32);
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    const pem = readFileSync(file, 'utf8');
    if (pem.includes(LABEL)) writeFileSync(file, lightKey(openKey(pem, password, opened), password, salt));
  }
}
