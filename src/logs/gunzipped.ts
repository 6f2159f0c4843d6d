/** Decompresses an exported log, and no more of it than was announced. */
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { TieupError } from '../errors.ts';

const CHUNK = 256 * 1024;

/**
 * @param rawLength that the partner's statement names; one byte more refuses the file, before it is given out
 * @throws TIEUP_E_VERIFY when it is no gzip file, cut off, or longer than announced; what `chunks` throws passes through.
 */
export async function* gunzipped(
  chunks: AsyncIterable<Uint8Array>,
  rawLength: number,
  mustFill = true,
): AsyncIterable<Uint8Array> {
  let sourceFault: unknown;
  const source = Readable.from(chunks, { objectMode: true }).on('error', (error) => (sourceFault = error));
  const gunzip = createGunzip({ chunkSize: CHUNK });
  // Not `pipe`: an end of either one must end the other, or a file stays open and a fault is never heard of.
  pipeline(source, gunzip, () => {});
  let given = 0;
  try {
    for await (const chunk of gunzip) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError('gunzip gives bytes');
      given += chunk.length;
      if (given > rawLength) {
        throw refused(`it has more than the ${rawLength} bytes that were announced, once it is decompressed`);
      }
      yield chunk;
    }
  } catch (cause) {
    if (sourceFault !== undefined) throw sourceFault;
    if (cause instanceof TieupError) throw cause;
    throw new TieupError('TIEUP_E_VERIFY', 'the exported log is refused: it is damaged or cut off', { cause });
  } finally {
    source.destroy();
  }
  if (mustFill && given !== rawLength) {
    throw refused(`it has ${given} bytes once it is decompressed, not ${rawLength}`);
  }
}

function refused(why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the exported log is refused: ${why}`);
}
