/**
 * What an exported log proves by itself: to anybody who has the file and the partner's public log key, without tieup's state and
 * without a network.
 */
import { TieupError } from '../errors.ts';
import { MAX_PART_RAW } from '../protocol/exchange.ts';
import type { OpenedCheckpoint } from '../protocol/checkpoint.ts';
import { proveRecord, type VerifiedPart, verifyPart } from '../protocol/log-part.ts';
import { parseRecord, type LogRecord } from '../protocol/log-record.ts';
import { FIELD_STRIDE, scanCount, scannedClass } from '../protocol/log-scan.ts';
import { MAX_PROOF, openProof, renderProof } from '../protocol/tlog-proof.ts';
import type { VerifierKey } from '../protocol/vkey.ts';
import { gunzipped } from './gunzipped.ts';

/** A file that can be read from its start as often as needed. */
export type Reread = () => AsyncIterable<Uint8Array>;

export type Certified =
  | { readonly kind: 'part'; readonly part: VerifiedPart }
  | {
      readonly kind: 'proof';
      readonly checkpoint: OpenedCheckpoint;
      /** Its place in the log, from 0 on. */
      readonly index: number;
      readonly record: LogRecord;
    };

const PROOF_START = 'c2sp.org/tlog-proof@';
const GZIP = [0x1f, 0x8b];

/**
 * Verifies an exported log (compressed or not) or the proof of one record against a partner's log key.
 * @throws TIEUP_E_VERIFY with what is wrong and where.
 */
export async function verifyCertificate(file: Reread, keys: readonly VerifierKey[]): Promise<Certified> {
  const start = await startOf(file, PROOF_START.length);
  if (Buffer.from(start).toString('latin1') === PROOF_START) {
    const { checkpoint, index, record } = openProof(await collect(file, MAX_PROOF), keys);
    return { kind: 'proof', checkpoint, index, record: parseRecord(record) };
  }
  return { kind: 'part', part: await verifyPart(plain(file, start), { keys }) };
}

/** Which record is to be proved: by the number of its line in the access log, or by its place in the exported log. */
export type WantedRecord =
  | { readonly kind: 'line'; readonly seq: number }
  | { readonly kind: 'index'; readonly index: number };

/**
 * The proof that one record is in an exported log, as a file of its own (https://c2sp.org/tlog-proof).
 * @throws TIEUP_E_VERIFY when the log itself is not what was signed, TIEUP_E_NOT_FOUND when the record is not disclosed in it.
 */
export async function proveFrom(file: Reread, keys: readonly VerifierKey[], wanted: WantedRecord): Promise<Uint8Array> {
  const start = await startOf(file, GZIP.length);
  const index = wanted.kind === 'index' ? wanted.index : await indexOfLine(file, start, keys, wanted.seq);
  return renderProof(await proveRecord(plain(file, start), { keys }, index));
}

async function indexOfLine(
  file: Reread,
  start: Uint8Array,
  keys: readonly VerifierKey[],
  seq: number,
): Promise<number> {
  let found: number | undefined;
  await verifyPart(plain(file, start), { keys }, ({ bytes, count, indexes, offsets }) => {
    for (let record = 0; record < count; record += 1) {
      const at = record * FIELD_STRIDE;
      const recordClass = String.fromCharCode(scannedClass(bytes, offsets, at));
      // Switches and gaps repeat the number of the line before them.
      if (recordClass === 'S' || recordClass === 'G') continue;
      if (scanCount(bytes, offsets[at] ?? 0, (offsets[at + 1] ?? 0) - 1) === seq) found = indexes[record];
    }
  });
  if (found !== undefined) return found;
  throw new TieupError('TIEUP_E_NOT_FOUND', `line ${seq} is not among those that this exported log discloses`, {
    hint: 'lines of tie-up pages are in log T, all others in log O; a record that is only counted cannot be proved',
  });
}

function plain(file: Reread, start: Uint8Array): AsyncIterable<Uint8Array> {
  const isCompressed = GZIP.every((byte, at) => start[at] === byte);
  return isCompressed ? gunzipped(file(), MAX_PART_RAW, false) : file();
}

async function startOf(file: Reread, length: number): Promise<Uint8Array> {
  let start: Uint8Array = new Uint8Array(0);
  for await (const chunk of file()) {
    start = Buffer.concat([start, chunk.subarray(0, length - start.length)]);
    if (start.length === length) break;
  }
  return start;
}

async function collect(file: Reread, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of file()) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > limit)
      throw new TieupError('TIEUP_E_VERIFY', `the proof is refused: it is longer than ${limit} bytes`);
  }
  return Buffer.concat(chunks);
}
