/**
 * One record of a log and the proof that it is in it, in a file of its own (https://c2sp.org/tlog-proof): what a page of evidence in a
 * dispute needs, without the rest of the log.
 *
 * The `extra` line carries the data of the leaf: 16 bytes of salt and the record. It is not trusted, it is hashed.
 */
import { TieupError } from '../errors.ts';
import { base64, strictBase64 } from './base64.ts';
import { MAX_CHECKPOINT_NOTE, openCheckpoint, type OpenedCheckpoint } from './checkpoint.ts';
import { SALT_LENGTH } from './log-part-line.ts';
import { MAX_RECORD } from './log-scan.ts';
import { HASH_LENGTH } from './merkle.ts';
import { verifyInclusion } from './merkle-proof.ts';
import type { VerifierKey } from './vkey.ts';

export interface RecordProof {
  /** From 0 on. */
  readonly index: number;
  /** 16 bytes. */
  readonly salt: Uint8Array;
  /** Without a line end. */
  readonly record: Uint8Array;
  /** From the leaf's sibling up, 32 bytes each. */
  readonly hashes: readonly Uint8Array[];
  /** The signed note, with its cosignatures if it has some. */
  readonly checkpoint: Uint8Array;
}

/** A proof that holds; made by {@link openProof} alone. */
export interface OpenedProof extends Omit<RecordProof, 'checkpoint'> {
  readonly checkpoint: OpenedCheckpoint;
}

const TYPE = 'c2sp.org/tlog-proof@v1';
const MAX_HASHES = 64;
export const MAX_PROOF = 2 * MAX_RECORD + 64 * MAX_HASHES + MAX_CHECKPOINT_NOTE;

export function renderProof({ index, salt, record, hashes, checkpoint }: RecordProof): Uint8Array {
  const lines = [TYPE, `extra ${base64(Buffer.concat([salt, record]))}`, `index ${index}`, ...hashes.map(base64), ''];
  return Buffer.concat([Buffer.from(`${lines.join('\n')}\n`), checkpoint]);
}

/**
 * Verifies a proof: one of `keys` has signed the checkpoint, and the record is in its tree at that index.
 * @throws TIEUP_E_VERIFY when it is malformed or does not hold.
 */
export function openProof(bytes: Uint8Array, keys: readonly VerifierKey[]): OpenedProof {
  const { checkpoint: note, ...proof } = parseProof(bytes);
  const checkpoint = openCheckpoint(note, keys);
  const { size, root } = checkpoint;
  if (proof.index >= size) throw refused(`it is of record ${proof.index}, and the log has ${size} records, from 0 on`);
  const data = Buffer.concat([proof.salt, proof.record]);
  if (!verifyInclusion({ data, index: proof.index, size, root, proof: proof.hashes })) {
    throw refused(
      'its record and hashes do not lead to the signed root: one of them was changed, or is of another log',
    );
  }
  return { ...proof, checkpoint };
}

function parseProof(bytes: Uint8Array): RecordProof {
  if (bytes.length > MAX_PROOF) throw refused(`it is longer than ${MAX_PROOF} bytes`);
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = view.indexOf('\n\n');
  if (end === -1) throw refused('it has no blank line before its checkpoint');
  const [type, extra, index, ...encoded] = view.toString('latin1', 0, end).split('\n');
  if (type !== TYPE) throw refused(`it does not start with ${TYPE}`);
  const data = strictBase64(/^extra (.+)$/.exec(extra ?? '')?.[1] ?? '');
  if (data === undefined || data.length <= SALT_LENGTH || data.length > SALT_LENGTH + MAX_RECORD) {
    throw refused('its second line is not "extra" with the salt and the record in base64');
  }
  const number = Number(/^index (0|[1-9]\d{0,15})$/.exec(index ?? '')?.[1] ?? Number.NaN);
  if (!Number.isSafeInteger(number)) throw refused('its third line is not "index" with a number');
  const hashes = encoded.map((line, at) => {
    const hash = strictBase64(line, HASH_LENGTH);
    if (hash === undefined) throw refused(`line ${at + 4} is not a hash in base64`);
    return hash;
  });
  return {
    index: number,
    salt: data.slice(0, SALT_LENGTH),
    record: data.slice(SALT_LENGTH),
    hashes,
    checkpoint: Uint8Array.from(view.subarray(end + 2)),
  };
}

function refused(why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the proof is refused: ${why}`);
}
