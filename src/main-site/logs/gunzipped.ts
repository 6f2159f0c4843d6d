/** Decompresses what a partner sent, and no more of it than was announced. */
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { TieupError } from '../../errors.ts';

const CHUNK = 256 * 1024;

/**
 * @param rawLength that the partner's statement names; one byte more refuses the file, before it is given out
 * @throws TIEUP_E_VERIFY when it is no gzip file, cut off, or not as long as announced.
 */
export async function* gunzipped(chunks: AsyncIterable<Uint8Array>, rawLength: number): AsyncIterable<Uint8Array> {
  const plain = Readable.from(chunks).pipe(createGunzip({ chunkSize: CHUNK }));
  let given = 0;
  try {
    for await (const chunk of plain) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError('gunzip gives bytes');
      given += chunk.length;
      if (given > rawLength) {
        throw refused(`it has more than the ${rawLength} bytes that were announced, once it is decompressed`);
      }
      yield chunk;
    }
  } catch (cause) {
    if (cause instanceof TieupError) throw cause;
    throw new TieupError('TIEUP_E_VERIFY', 'the exported log is refused: it is damaged or cut off', { cause });
  }
  if (given !== rawLength) throw refused(`it has ${given} bytes once it is decompressed, not ${rawLength}`);
}

function refused(why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the exported log is refused: ${why}`);
}
