/**
 * Reads what a log file has beyond what is known of it: whole lines, with the places at which another release went live
 * between them. Memory stays bounded whatever is in the file.
 */
import type { LogFile } from '../../io/log-files.ts';
import { type KnownFile, MARK, type Stretch, stretchOf } from './known-file.ts';
import { content } from './log-content.ts';
import type { ReadingStep } from './plan-reading.ts';

/** Something that went live when the file had `length` bytes. */
export interface FileMark {
  readonly length: number;
}

export type LogEvent<M extends FileMark> =
  /** Whole lines; each ends with a line feed. */
  { readonly kind: 'lines'; readonly bytes: Uint8Array } | { readonly kind: 'mark'; readonly mark: M };

export interface LineReading<M extends FileMark> {
  readonly events: AsyncIterable<LogEvent<M>>;
  /** What is known of the file once all events were taken. */
  known(): KnownFile;
  /** Marks that lie beyond what could be read yet. */
  pending(): readonly M[];
}

/** A longer line is cut: it is one line still, and no server writes such a one. */
const MAX_LINE = 64 * 1024;
const LF = 0x0a;
const EMPTY: Stretch = stretchOf(new Uint8Array());

/** @param marks in this file, in the order in which they were made */
export function readLines<M extends FileMark>(
  { file, known, isClosed }: ReadingStep,
  marks: readonly M[],
): LineReading<M> {
  const open = marks.toSorted((a, b) => a.length - b.length);
  const start = known?.offset ?? 0;
  let offset = start;
  let { head, tail, isWhole } = known ?? { head: EMPTY, tail: EMPTY, isWhole: true };

  async function* events(): AsyncIterable<LogEvent<M>> {
    yield* marksUpTo(offset);
    const raw = watched(content(file, start));
    for await (const { bytes, consumed } of wholeLines(raw.chunks, isClosed)) {
      let from = 0;
      for (let mark = open[0]; mark !== undefined && mark.length < offset + consumed; mark = open[0]) {
        // A line that goes on beyond the mark began before it, and so did one that was cut.
        const isCut = consumed !== bytes.length;
        const end = isCut ? bytes.length : bytes.indexOf(LF, Math.max(0, mark.length - offset - 1)) + 1;
        if (end > from) yield { kind: 'lines', bytes: bytes.subarray(from, end) };
        from = Math.max(from, end);
        open.shift();
        yield { kind: 'mark', mark };
      }
      if (from < bytes.length) yield { kind: 'lines', bytes: bytes.subarray(from) };
      offset += consumed;
      yield* marksUpTo(offset);
    }
    yield* marksUpTo(isClosed ? Infinity : offset);
    isWhole = offset === start + raw.seen();
    if (offset === start) return;
    if (head.length < MARK) head = stretchOf(await firstBytes(file, Math.min(MARK, offset)));
    tail = stretchOf(isWhole ? raw.recent() : await lastBytes(file, offset));
  }

  function* marksUpTo(length: number): Iterable<LogEvent<M>> {
    for (let mark = open[0]; mark !== undefined && mark.length <= length; mark = open[0]) {
      open.shift();
      yield { kind: 'mark', mark };
    }
  }

  const { path, device, inode, length, modifiedMs } = file;
  return {
    events: { [Symbol.asyncIterator]: () => events()[Symbol.asyncIterator]() },
    known: () => ({ path, device, inode, length, modifiedMs, offset, isWhole, head, tail }),
    pending: () => open,
  };
}

/** Passes chunks on, and remembers how many bytes went by and the last of them. */
function watched(chunks: AsyncIterable<Uint8Array>) {
  let seen = 0;
  let recent = new Uint8Array();
  return {
    seen: () => seen,
    recent: () => recent,
    chunks: (async function* watch() {
      for await (const chunk of chunks) {
        seen += chunk.length;
        recent = Uint8Array.from(Buffer.concat([recent, chunk.subarray(-MARK)]).subarray(-MARK));
        yield chunk;
      }
    })(),
  };
}

interface Lines {
  /** Whole lines; one that was longer than {@link MAX_LINE} stands here alone, cut. */
  readonly bytes: Uint8Array;
  /** What they are in the file. */
  readonly consumed: number;
}

/** Cuts chunks at line ends. A last line without one is given out, with a line end, when nothing can follow it. */
async function* wholeLines(chunks: AsyncIterable<Uint8Array>, isClosed: boolean): AsyncIterable<Lines> {
  let begun = new Uint8Array();
  let begunLength = 0;
  const begin = (part: Uint8Array) => {
    begunLength += part.length;
    begun = Uint8Array.from(Buffer.concat([begun, part.subarray(0, MAX_LINE - begun.length)]));
  };
  const finish = (): Lines => {
    const bytes = Uint8Array.from(Buffer.concat([begun, Uint8Array.of(LF)]));
    const consumed = begunLength + 1;
    begun = new Uint8Array();
    begunLength = 0;
    return { bytes, consumed };
  };
  for await (const chunk of chunks) {
    const first = chunk.indexOf(LF);
    if (first === -1) {
      begin(chunk);
      continue;
    }
    let from = 0;
    if (begunLength > 0) {
      begin(chunk.subarray(0, first));
      yield finish();
      from = first + 1;
    }
    const end = chunk.lastIndexOf(LF) + 1;
    if (end > from) yield { bytes: chunk.subarray(from, end), consumed: end - from };
    begin(chunk.subarray(end));
  }
  if (!isClosed || begunLength === 0) return;
  const { bytes, consumed } = finish();
  yield { bytes, consumed: consumed - 1 };
}

async function firstBytes(file: LogFile, length: number): Promise<Uint8Array> {
  let bytes = new Uint8Array();
  for await (const chunk of content(file, 0)) {
    bytes = Uint8Array.from(Buffer.concat([bytes, chunk.subarray(0, length - bytes.length)]));
    if (bytes.length === length) break;
  }
  return bytes;
}

/** Of a plain file: a compressed one is always read to its end. */
function lastBytes(file: LogFile, offset: number): Promise<Uint8Array> {
  const length = Math.min(MARK, offset);
  return file.read(offset - length, length);
}
