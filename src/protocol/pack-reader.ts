/** Reads packs from their start, as far as somebody wants to, without holding more than was asked for. */
import { TieupError } from '../errors.ts';
import { PACK_HEAD_LENGTH, packIndexLength, packObjectCount, parsePackIndex, type PackIndex } from './pack.ts';

export interface ExactReader {
  /** Exactly `length` bytes. @throws TIEUP_E_VERIFY when the file ends before. */
  take(length: number): Promise<Uint8Array>;
  skip(length: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * The index at the start of a pack of `fileLength` bytes.
 * @param admits asked whether so many objects are read; as many as the format allows are unless given
 * @throws TIEUP_E_VERIFY when it is no pack, not a whole one, or not admitted: of their names nothing was read then
 */
export async function readPackIndex(
  reader: ExactReader,
  fileLength: number,
  admits: (objects: number) => boolean = () => true,
): Promise<PackIndex> {
  const head = await reader.take(PACK_HEAD_LENGTH);
  const objects = packObjectCount(head);
  if (!admits(objects)) throw new TieupError('TIEUP_E_VERIFY', `a pack names ${objects} objects`);
  const rest = await reader.take(packIndexLength(head) - PACK_HEAD_LENGTH);
  return parsePackIndex(Buffer.concat([head, rest]), fileLength);
}

export function exactReader(source: AsyncIterable<Uint8Array>): ExactReader {
  const chunks = source[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  /** Hands the next `length` bytes out in pieces. */
  const consume = async (length: number, use: (piece: Uint8Array) => void): Promise<void> => {
    let left = length;
    while (left > 0) {
      if (rest.length === 0) {
        const next = await chunks.next();
        if (next.done === true) throw new TieupError('TIEUP_E_VERIFY', 'a pack in the inbox is truncated');
        rest = next.value;
        continue;
      }
      const piece = rest.subarray(0, left);
      rest = rest.subarray(piece.length);
      left -= piece.length;
      use(piece);
    }
  };
  return {
    async take(length) {
      const pieces: Uint8Array[] = [];
      await consume(length, (piece) => pieces.push(piece));
      return Buffer.concat(pieces);
    },
    skip: (length) => consume(length, () => undefined),
    async close() {
      await chunks.return?.();
    },
  };
}
