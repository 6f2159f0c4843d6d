/**
 * Public keys as people and other tools see them: C2SP verifier keys (https://c2sp.org/signed-note#verifier-keys),
 * SPKI PEM, and fingerprints to be compared by voice.
 */
import { createHash } from 'node:crypto';
import { TieupError } from '../errors.ts';
import { base64, strictBase64 } from './base64.ts';
import { DIGEST, sha256 } from './digest.ts';
import { PUBLIC_KEY_LENGTH, publicKeyFault, spkiOf } from './ed25519.ts';
import { WORD_BITS, wordOf } from './words.ts';

/** A public key with the name under which it signs notes. */
export interface VerifierKey {
  /** Not empty; without blanks, control characters and `+`. */
  readonly name: string;
  /** The first 32 bits of SHA-256(name, 0x0a, algorithm, key), as an unsigned number. A handle, not a fingerprint. */
  readonly keyId: number;
  /** Ed25519, 32 bytes, which passed `publicKeyFault`. */
  readonly publicKey: Uint8Array;
}

/** The signature type of Ed25519 in signed notes. */
const ALGORITHM = 0x01;
/** The signature type of timestamped Ed25519 cosignatures (https://c2sp.org/tlog-cosignature). */
const COSIGNATURE = 0x04;
const MAX_NAME_BYTES = 255;
const VKEY = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/;

/** @throws TIEUP_E_KEY when the name or the key cannot be used. */
export function verifierKey(name: string, publicKey: Uint8Array): VerifierKey {
  const fault = nameFault(name);
  if (fault !== undefined) throw new TieupError('TIEUP_E_KEY', `the key name ${JSON.stringify(name)} ${fault}`);
  const keyFault = publicKeyFault(publicKey);
  if (keyFault !== undefined) {
    throw new TieupError('TIEUP_E_KEY', `the public key of ${JSON.stringify(name)} ${keyFault}`);
  }
  return { name, keyId: keyIdOf(name, publicKey), publicKey: Uint8Array.from(publicKey) };
}

/** `<name>+<key id, 8 hex digits>+<base64 of 0x01 and the key>`, without a line end. @throws TIEUP_E_KEY. */
export function renderVkey(name: string, publicKey: Uint8Array): string {
  const { keyId } = verifierKey(name, publicKey);
  return `${name}+${keyIdHex(keyId)}+${base64(Buffer.concat([Uint8Array.of(ALGORITHM), publicKey]))}`;
}

/** Reads exactly what {@link renderVkey} writes. @throws TIEUP_E_VERIFY for anything else, also for a weak key. */
export function parseVkey(line: string): VerifierKey {
  const [, name, keyId, encoded] = VKEY.exec(line) ?? [];
  if (name === undefined || keyId === undefined || encoded === undefined) {
    throw malformed(line, 'it is not <name>+<key id>+<base64>');
  }
  const fault = nameFault(name);
  if (fault !== undefined) throw malformed(line, `its name ${fault}`);
  const bytes = strictBase64(encoded);
  if (bytes === undefined) throw malformed(line, 'its base64 is not strict');
  if (bytes[0] !== ALGORITHM || bytes.length !== 1 + PUBLIC_KEY_LENGTH)
    throw malformed(line, 'it is not an Ed25519 key');
  const publicKey = Uint8Array.from(bytes.subarray(1));
  if (keyIdHex(keyIdOf(name, publicKey)) !== keyId) throw malformed(line, 'its key id does not fit its name and key');
  const keyFault = publicKeyFault(publicKey);
  if (keyFault !== undefined) throw malformed(line, `its key ${keyFault}`);
  return { name, keyId: keyIdOf(name, publicKey), publicKey };
}

/** Why `name` cannot be the name of a key, as the end of a sentence; undefined when it can. */
export function nameFault(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (!name.isWellFormed()) return 'is not valid Unicode';
  if (/[\s\p{Cc}+]/u.test(name)) return 'contains a blank, a control character or a plus';
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `is longer than ${MAX_NAME_BYTES} bytes`;
  return undefined;
}

/** `-----BEGIN PUBLIC KEY-----` …, as OpenSSL, cosign and node:crypto read it; ends with a line end. */
export function spkiPem(publicKey: Uint8Array): string {
  const body = base64(spkiOf(publicKey));
  return `-----BEGIN PUBLIC KEY-----\n${body}\n-----END PUBLIC KEY-----\n`;
}

/** SHA-256 of the 32 bytes of the key, 64 lower-case hex digits. */
export function fingerprint(publicKey: Uint8Array): string {
  return sha256(publicKey);
}

/**
 * The first 66 bits of a SHA-256 digest as six words of `words.ts`, to be compared by voice beside the hex digits.
 * @throws TIEUP_E_FAILED when it is not a digest.
 */
export function sixWords(digestHex: string): readonly string[] {
  if (!DIGEST.test(digestHex)) throw new TieupError('TIEUP_E_FAILED', `${JSON.stringify(digestHex)} is not a SHA-256`);
  const bits = BigInt(`0x${digestHex}`);
  const words = [0, 1, 2, 3, 4, 5];
  return words.map((word) => wordOf(Number((bits >> BigInt(256 - WORD_BITS * (word + 1))) & 0x7ffn)));
}

/** As it stands in vkeys and in messages. */
export function keyIdHex(keyId: number): string {
  return keyId.toString(16).padStart(8, '0');
}

/** The id under which the same key cosigns checkpoints; another one, so that no signature passes for the other kind. */
export function cosignatureKeyId({ name, publicKey }: Pick<VerifierKey, 'name' | 'publicKey'>): number {
  return keyIdOf(name, publicKey, COSIGNATURE);
}

function keyIdOf(name: string, publicKey: Uint8Array, algorithm = ALGORITHM): number {
  const hash = createHash('sha256').update(name).update(Uint8Array.of(0x0a, algorithm)).update(publicKey);
  return hash.digest().readUInt32BE(0);
}

function malformed(line: string, why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `${JSON.stringify(line)} is not a verifier key: ${why}`);
}
