/**
 * Cosignatures (https://c2sp.org/tlog-cosignature, type 0x04): the main site's statement that at this time it had seen the log grow
 * to this checkpoint and no further. It answers an export, and the partner counts on it for what it must not send again.
 */
import { TieupError } from '../errors.ts';
import { verifyDocument } from './ed25519.ts';
import { instant, isInstant } from './instant.ts';
import { type NoteSigner, parseNote, signatureLine } from './note.ts';
import { cosignatureKeyId, type VerifierKey } from './vkey.ts';

const TIME_LENGTH = 8;

/**
 * The note with a cosignature of `signer` below the signatures it has. The caller has verified the checkpoint, and that it continues
 * the one before. @throws TIEUP_E_FAILED when the time is no instant, TIEUP_E_VERIFY when the note is malformed.
 */
export function cosign(checkpoint: Uint8Array, signer: NoteSigner, time: string): Uint8Array {
  if (!isInstant(time)) throw new TieupError('TIEUP_E_FAILED', `${JSON.stringify(time)} is no time to cosign at`);
  const seconds = Date.parse(time) / 1000;
  const signature = Buffer.alloc(TIME_LENGTH);
  signature.writeBigUInt64BE(BigInt(seconds));
  const signed = signer.sign(message(parseNote(checkpoint).text, seconds));
  const line = signatureLine({
    name: signer.name,
    keyId: cosignatureKeyId(signer),
    signature: Buffer.concat([signature, signed]),
  });
  return Buffer.concat([checkpoint, Buffer.from(line)]);
}

/**
 * When `key` cosigned the checkpoint. Its own signature is not looked at: `openCheckpoint` does that.
 * @throws TIEUP_E_VERIFY when the note is malformed, the cosignature is not there, not valid, or there twice.
 */
export function openCosignature(checkpoint: Uint8Array, key: VerifierKey): { readonly time: string } {
  const { text, signatures } = parseNote(checkpoint);
  const keyId = cosignatureKeyId(key);
  const [line, ...more] = signatures.filter((each) => each.name === key.name && each.keyId === keyId);
  if (line === undefined) throw refused(`${JSON.stringify(key.name)} has not cosigned it`);
  if (more.length > 0) throw refused(`${JSON.stringify(key.name)} has cosigned it twice`);
  const { signature } = line;
  if (signature.length <= TIME_LENGTH) throw refused('its cosignature is too short');
  const seconds = Number(Buffer.from(signature.subarray(0, TIME_LENGTH)).readBigUInt64BE());
  if (seconds > MAX_SECONDS) throw refused('it was cosigned at an impossible time');
  if (!verifyDocument(key.publicKey, message(text, seconds), signature.subarray(TIME_LENGTH))) {
    throw refused(`the cosignature of ${JSON.stringify(key.name)} is not valid`);
  }
  return { time: instant(new Date(seconds * 1000)) };
}

/** 9999-12-31T23:59:59Z, the last instant that can be written. */
const MAX_SECONDS = 253_402_300_799;

function message(text: string, seconds: number): Uint8Array {
  return Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`);
}

function refused(why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the cosigned checkpoint is refused: ${why}`);
}
