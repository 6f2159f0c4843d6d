/** Reads what a log file has beyond what is known of it, through the scanner, and says what is known of it then. */
import type { LogFile } from '../../io/log-files.ts';
import type { Scanner, ScanSource } from '../../logs/scanner.ts';
import type { ScannedBatch } from '../../logs/record-writer.ts';
import { type KnownFile, MARK, stretchOf } from './known-file.ts';
import { content, firstBytes } from './log-content.ts';
import type { ReadingStep } from './plan-reading.ts';

const EMPTY = stretchOf(new Uint8Array());

/** @param take gets the batches that became full meanwhile */
export async function readFile(
  { file, known, isClosed }: ReadingStep,
  source: Omit<ScanSource, 'position' | 'directive'>,
  scanner: Scanner,
  take: (batches: readonly ScannedBatch[]) => Promise<void>,
): Promise<KnownFile> {
  const start = known?.offset ?? 0;
  scanner.begin({ ...source, position: start, directive: known?.directive });
  let seen = 0;
  let recent = new Uint8Array();
  for await (const chunk of content(file, start)) {
    seen += chunk.length;
    recent = Uint8Array.from(Buffer.concat([recent, chunk.subarray(-MARK)]).subarray(-MARK));
    await take(scanner.push(chunk));
  }
  const { position, directive } = scanner.end(isClosed ? 'take' : 'leave');
  const { path, device, inode, length, modifiedMs } = file;
  const isWhole = position === start + seen;
  const marks = { head: known?.head ?? EMPTY, tail: known?.tail ?? EMPTY };
  if (position > start) {
    if (marks.head.length < MARK) marks.head = stretchOf(await firstBytes(file, Math.min(MARK, position)));
    marks.tail = stretchOf(isWhole ? recent : await lastBytes(file, position));
  }
  return { path, device, inode, length, modifiedMs, offset: position, isWhole, ...marks, directive };
}

/** Of a plain file: a compressed one is always read to its end. */
function lastBytes(file: LogFile, offset: number): Promise<Uint8Array> {
  const length = Math.min(MARK, offset);
  return file.read(offset - length, length);
}
