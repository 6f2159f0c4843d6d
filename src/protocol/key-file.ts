/**
 * Private keys at rest: PKCS#8 PEM, or encrypted as sigstore, cosign and go-securesystemslib write it.
 *
 * Errors carry no cause where the cause would quote the text: it is a key.
 */
import nacl from 'tweetnacl';
import { z } from 'zod';
import { TieupError } from '../errors.ts';
import { pkcs8Of, seedOfPkcs8 } from './ed25519.ts';
import { SALT_LENGTH, Stretched } from './stretched.ts';

const PLAIN = 'PRIVATE KEY';
const ENCRYPTED = 'ENCRYPTED SIGSTORE PRIVATE KEY';
export const MAX_KEY_FILE = 16 * 1024;

/** Written: 128 MiB and about half a second for every guess. */
const WRITTEN_COST = { N: 2 ** 17, r: 8, p: 1 };
/** Less is too cheap to guess; more would let a file from elsewhere take this machine's memory. cosign writes 2^15 or 2^16. */
const ACCEPTED_N: readonly number[] = [2 ** 15, 2 ** 16, 2 ** 17];

const sealedSchema = z.strictObject({
  kdf: z.strictObject({
    name: z.literal('scrypt'),
    params: z.strictObject({ N: z.number(), r: z.number(), p: z.number() }),
    salt: z.base64(),
  }),
  cipher: z.strictObject({ name: z.literal('nacl/secretbox'), nonce: z.base64() }),
  ciphertext: z.base64(),
});

/** The seed as unencrypted PKCS#8 PEM, as `openssl genpkey -algorithm ed25519` writes it. @throws TIEUP_E_KEY. */
export function renderPlainKey(seed: Uint8Array): string {
  return renderPem(PLAIN, pkcs8Of(seed));
}

/**
 * The seed as PEM which only `password` opens. Takes about half a second of one core, and lets others work meanwhile.
 * `random` gives the salt and the nonce: bytes that were never given before. With the same `stretched`, keys of one password
 * share a salt and take that time once.
 * @throws TIEUP_E_KEY unless the seed has 32 bytes.
 */
export async function sealKey(
  seed: Uint8Array,
  password: string,
  random: (length: number) => Uint8Array,
  stretched: Stretched = new Stretched(),
): Promise<string> {
  const plain = pkcs8Of(seed);
  const salt = stretched.salt(password, random);
  const nonce = random(nacl.secretbox.nonceLength);
  const ciphertext = nacl.secretbox(plain, nonce, await stretched.keyAside(password, salt, WRITTEN_COST));
  const sealed = {
    kdf: { name: 'scrypt', params: WRITTEN_COST, salt: base64(salt) },
    cipher: { name: 'nacl/secretbox', nonce: base64(nonce) },
    ciphertext: base64(ciphertext),
  };
  return renderPem(ENCRYPTED, Buffer.from(JSON.stringify(sealed)));
}

/** Whether a password is needed. @throws TIEUP_E_KEY when the text is not a key file. */
export function isEncrypted(pem: string): boolean {
  return parsePem(pem).label === ENCRYPTED;
}

/**
 * The seed of a key file, encrypted or not; a plain one needs no password. What `stretched` knows already takes no time.
 * @throws TIEUP_E_KEY when the text is not a key file; TIEUP_E_PASSWORD when the password is missing or wrong.
 */
export function openKey(pem: string, password: string | undefined, stretched: Stretched = new Stretched()): Uint8Array {
  const { label, body } = parsePem(pem);
  const der = label === ENCRYPTED ? decrypt(body, password, stretched) : body;
  const seed = seedOfPkcs8(der);
  if (seed === undefined) throw malformed('it does not hold an Ed25519 key in PKCS#8 form');
  return seed;
}

function decrypt(body: Uint8Array, password: string | undefined, stretched: Stretched): Uint8Array {
  const { kdf, cipher, ciphertext } = parseSealed(body);
  const { N, r, p } = kdf.params;
  if (!ACCEPTED_N.includes(N) || r !== 8 || p !== 1) {
    throw malformed(`scrypt with N=${N} r=${r} p=${p} is not accepted: N must be 32768 to 131072, r 8, p 1`);
  }
  const salt = bytesOf(kdf.salt);
  const nonce = bytesOf(cipher.nonce);
  if (salt.length !== SALT_LENGTH) throw malformed(`its salt has ${salt.length} bytes, not ${SALT_LENGTH}`);
  if (nonce.length !== nacl.secretbox.nonceLength) {
    throw malformed(`its nonce has ${nonce.length} bytes, not ${nacl.secretbox.nonceLength}`);
  }
  if (password === undefined) throw new TieupError('TIEUP_E_PASSWORD', 'the key is encrypted and needs its password');
  const opened = nacl.secretbox.open(bytesOf(ciphertext), nonce, stretched.key(password, salt, kdf.params));
  if (opened === null) {
    throw new TieupError('TIEUP_E_PASSWORD', 'the password does not open the key, or the key file is damaged');
  }
  return opened;
}

function parseSealed(body: Uint8Array): z.infer<typeof sealedSchema> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    // Without the cause: the message of JSON.parse quotes the text.
    throw malformed('its encrypted content is not JSON');
  }
  const sealed = sealedSchema.safeParse(value);
  if (!sealed.success)
    throw malformed('its encrypted content is not scrypt and nacl/secretbox as sigstore writes them');
  return sealed.data;
}

/** Blanks and line ends around and CRLF within are taken: keys come through CI settings, which add them. */
const PEM = /^-----BEGIN ([A-Z ]+)-----\n([A-Za-z0-9+/=\n]+)\n-----END \1-----$/;

function parsePem(text: string): { readonly label: string; readonly body: Uint8Array } {
  if (text.length > MAX_KEY_FILE) throw malformed(`it has more than ${MAX_KEY_FILE} characters`);
  const [, label, lines] = PEM.exec(text.trim().replaceAll('\r\n', '\n')) ?? [];
  if (label === undefined || lines === undefined) throw malformed('it is not one PEM block');
  if (label !== PLAIN && label !== ENCRYPTED) throw malformed(`it holds "${label}", not "${PLAIN}" or "${ENCRYPTED}"`);
  const encoded = lines.replaceAll('\n', '');
  const body = bytesOf(encoded);
  if (base64(body) !== encoded) throw malformed('its base64 is not strict');
  return { label, body };
}

function renderPem(label: string, body: Uint8Array): string {
  const lines = base64(body).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** A plain Uint8Array: tweetnacl refuses nothing else, but Buffers from the pool would keep a key's bytes alive longer. */
function bytesOf(encoded: string): Uint8Array {
  return Uint8Array.from(Buffer.from(encoded, 'base64'));
}

function malformed(why: string): TieupError {
  return new TieupError('TIEUP_E_KEY', `the key file cannot be used: ${why}`);
}
