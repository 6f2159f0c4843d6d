/** Moves file content over SFTP with many requests in flight, so that the line and not its delay sets the pace. */
import type { FileContent } from './file-tree.ts';
import { IN_FLIGHT } from './in-flight.ts';
import type { SftpSession } from './sftp-session.ts';

/** A packet with this much payload fits the 32 KiB that every server takes. ssh2 would send what is longer piece by piece. */
const CHUNK = 31_744;
/** OpenSSH takes 256 KiB. A packet of this size still arrives on a slow line before the server counts as silent. */
const LARGE_CHUNK = 4 * CHUNK;

/** The first `length` bytes of the open file in order; ends early when the file does. */
export async function* download(session: SftpSession, handle: Buffer, length: number): AsyncGenerator<Uint8Array> {
  const queue: Promise<Uint8Array>[] = [];
  let asked = 0;
  /** Grows with what is taken: of many files only the beginning is wanted. */
  let room = 4;
  const ask = (): void => {
    while (asked < length && queue.length < Math.min(room, IN_FLIGHT / CHUNK)) {
      const reading = readChunk(session, handle, asked, Math.min(CHUNK, length - asked));
      // It is awaited later, or never when an earlier one fails.
      reading.catch(() => {});
      queue.push(reading);
      asked += CHUNK;
    }
  };
  ask();
  for (let next = queue.shift(), at = 0; next !== undefined; next = queue.shift(), at += CHUNK) {
    const chunk = await next;
    if (chunk.length > 0) yield chunk;
    if (chunk.length < Math.min(CHUNK, length - at)) return;
    room += 2;
    ask();
  }
}

/** Fewer than `length` bytes only at the end of the file: a server may answer with less than it was asked for. */
async function readChunk(session: SftpSession, handle: Buffer, start: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const rest = Buffer.alloc(length - filled);
    const count = await session.read(handle, rest, start + filled);
    if (count === 0) break;
    bytes.set(rest.subarray(0, count), filled);
    filled += count;
  }
  return filled === length ? bytes : bytes.slice(0, filled);
}

export interface UploadOptions {
  /** The server is OpenSSH: it takes larger packets. */
  readonly large: boolean;
  /** Where the first byte of `content` goes; 0 unless given. */
  readonly position?: number;
  /** Called when everything was sent, before it is acknowledged. */
  onSent?(): void;
}

/** Writes `content` into the open file, a share of what may be under way on the session; acknowledged when it returns. */
export async function upload(
  session: Pick<SftpSession, 'write' | 'inFlight'>,
  handle: Buffer,
  content: FileContent,
  options: UploadOptions,
): Promise<void> {
  const inFlight = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const chunkLength = options.large ? LARGE_CHUNK : CHUNK;
  let position = options.position ?? 0;
  const send = (piece: Buffer): void => {
    const writing = session
      .write(handle, piece, position)
      .catch((error: unknown) => void failures.push(error))
      .finally(() => {
        session.inFlight.give(piece.length);
        inFlight.delete(writing);
      });
    inFlight.add(writing);
    position += piece.length;
  };
  try {
    for await (const chunk of content instanceof Uint8Array ? [content] : content) {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      for (let start = 0; start < bytes.length && failures.length === 0; start += chunkLength) {
        const piece = bytes.subarray(start, start + chunkLength);
        await session.inFlight.take(piece.length);
        // ssh2 copies it into a packet at once, so that the caller may reuse its buffer.
        send(piece);
      }
      if (failures.length > 0) break;
    }
    if (failures.length === 0) options.onSent?.();
  } finally {
    await Promise.all(inFlight);
  }
  if (failures.length > 0) throw failures[0];
}
