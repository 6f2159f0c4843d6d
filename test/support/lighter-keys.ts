/**
 * Key files of a test site at the lowest cost that the format allows. Commands write N = 2^17, which every later command of
 * a test would pay for again; that they write it, and what opening costs, is tested with the format itself.
 */
import { randomBytes, scryptSync } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import nacl from 'tweetnacl';
import { pkcs8Of } from '../../src/protocol/ed25519.ts';
import { isEncrypted, openKey } from '../../src/protocol/key-file.ts';
import { Stretched } from '../../src/protocol/stretched.ts';

const LABEL = 'ENCRYPTED SIGSTORE PRIVATE KEY';
const COST = { N: 2 ** 15, r: 8, p: 1 };

/** Seals every encrypted key in `folder` anew with the same password; modes stay. */
export function lightenKeys(folder: string, password: string): void {
  const stretched = new Stretched();
  const salt = randomBytes(32);
  const key = scryptSync(password, salt, 32, { ...COST, maxmem: 2 ** 26 });
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    const pem = readFileSync(file, 'utf8');
    if (!pem.includes(LABEL) || !isEncrypted(pem)) continue;
    const nonce = randomBytes(nacl.secretbox.nonceLength);
    const sealed = {
      kdf: { name: 'scrypt', params: COST, salt: salt.toString('base64') },
      cipher: { name: 'nacl/secretbox', nonce: nonce.toString('base64') },
      ciphertext: Buffer.from(nacl.secretbox(pkcs8Of(openKey(pem, password, stretched)), nonce, key)).toString(
        'base64',
      ),
    };
    writeFileSync(file, pemOf(Buffer.from(JSON.stringify(sealed))));
  }
}

function pemOf(body: Buffer): string {
  const lines = body.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${LABEL}-----\n${lines.join('\n')}\n-----END ${LABEL}-----\n`;
}
