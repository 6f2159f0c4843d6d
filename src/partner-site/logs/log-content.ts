/** What a log file says, whether it lies there plain or compressed with gzip. */
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { TieupError } from '../../errors.ts';
import type { LogFile } from '../../io/log-files.ts';

const CHUNK = 1024 * 1024;
const COMPRESSED = /\.gz$/i;
/** What log rotation can be told to use and tieup cannot read. */
const UNREADABLE = /\.(?:bz2|xz|zst|lz4|Z|zip)$/i;

export function isCompressed(path: string): boolean {
  return COMPRESSED.test(path);
}

export function isUnreadable(path: string): boolean {
  return UNREADABLE.test(path);
}

/** For a file that {@link isUnreadable}. */
export function cannotRead({ path }: Pick<LogFile, 'path'>): TieupError {
  return new TieupError(
    'TIEUP_E_STORAGE',
    `the log ${JSON.stringify(path)} is compressed in a way that tieup cannot read`,
    {
      hint: 'unpack it or compress it with gzip; or name the files in tieup.yaml so that it is not among them',
    },
  );
}

/**
 * The content from the uncompressed offset `from` on, up to the length that the file had when it was opened.
 * @throws TIEUP_E_STORAGE when a compressed file is damaged or not complete yet.
 */
export async function* content(file: LogFile, from: number): AsyncIterable<Uint8Array> {
  if (!isCompressed(file.path)) {
    yield* bytesOf(file, from);
    return;
  }
  // Made, and nothing written to it yet.
  if (file.length === 0) return;
  // Node reads members that follow each other, as `gzip >>` writes them.
  const source = Readable.from(bytesOf(file, 0), { objectMode: true });
  const plain = createGunzip({ chunkSize: CHUNK / 4 });
  let sourceFault: unknown;
  source.on('error', (error) => (sourceFault = error));
  // Not `pipe`: a fault of the disk would be heard of by nobody, and a reader that stops early would leave the source open.
  pipeline(source, plain, () => {});
  let passed = 0;
  try {
    for await (const chunk of plain) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError('gunzip gives bytes');
      const start = Math.max(0, from - passed);
      passed += chunk.length;
      if (start < chunk.length) yield chunk.subarray(start);
    }
  } catch (cause) {
    if (sourceFault !== undefined) throw sourceFault;
    throw new TieupError(
      'TIEUP_E_STORAGE',
      `the compressed log ${JSON.stringify(file.path)} cannot be read to its end`,
      {
        hint: 'if it is being compressed at this moment, the next run reads it; otherwise take it from a backup',
        cause,
      },
    );
  } finally {
    source.destroy();
  }
}

/** At most `length` bytes from the uncompressed offset `from` on; fewer only at the end. @throws as {@link content}. */
export async function bytesFrom(file: LogFile, from: number, length: number): Promise<Uint8Array> {
  if (!isCompressed(file.path)) return file.read(from, length);
  let bytes = new Uint8Array();
  if (length === 0) return bytes;
  for await (const chunk of content(file, from)) {
    bytes = Uint8Array.from(Buffer.concat([bytes, chunk.subarray(0, length - bytes.length)]));
    if (bytes.length === length) break;
  }
  return bytes;
}

async function* bytesOf(file: LogFile, from: number): AsyncIterable<Uint8Array> {
  for (let at = from; at < file.length;) {
    const chunk = await file.read(at, Math.min(CHUNK, file.length - at));
    // Cut short since it was opened: what is gone is found to be gone the next time.
    if (chunk.length === 0) return;
    yield chunk;
    at += chunk.length;
  }
}
