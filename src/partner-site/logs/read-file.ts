/** Reads what a log file has beyond what is known of it, through the scanner, and says what is known of it then. */
import type { LogFile } from '../../io/log-files.ts';
import type { Scanner, ScanSource } from '../../logs/scanner.ts';
import type { ScannedBatch } from '../../logs/record-writer.ts';
import { type KnownFile, MARK, NO_MARKS, stateOf, stretchOf } from './known-file.ts';
import { bytesFrom, content } from './log-content.ts';
import type { ReadingStep } from './plan-reading.ts';

export interface ReadFile {
  readonly known: KnownFile;
  /** How many of the switches were passed. */
  readonly passed: number;
}

/** @param take gets the batches that became full meanwhile */
export async function readFile(
  { file, known, isClosed }: ReadingStep,
  source: Omit<ScanSource, 'position' | 'directive'>,
  scanner: Pick<Scanner, 'begin' | 'push' | 'end'>,
  take: (batches: readonly ScannedBatch[]) => Promise<void>,
): Promise<ReadFile> {
  const start = known?.offset ?? 0;
  scanner.begin({ ...source, position: start, directive: known?.directive });
  let seen = 0;
  let recent = new Uint8Array();
  for await (const chunk of content(file, start)) {
    seen += chunk.length;
    recent = Uint8Array.from(Buffer.concat([recent, chunk.subarray(-MARK)]).subarray(-MARK));
    await take(scanner.push(chunk));
  }
  const { position, directive, passed } = scanner.end(isClosed ? 'take' : 'leave');
  const isWhole = position === start + seen;
  const marks = known === undefined ? { ...NO_MARKS } : { head: known.head, tail: known.tail };
  if (position > start) {
    if (marks.head.length < MARK) marks.head = stretchOf(await bytesFrom(file, 0, Math.min(MARK, position)));
    marks.tail = stretchOf(isWhole ? recent : await lastBytes(file, position));
  }
  return { known: { ...stateOf(file), offset: position, isWhole, ...marks, directive }, passed };
}

/** Of a plain file: a compressed one is always read to its end. */
function lastBytes(file: LogFile, offset: number): Promise<Uint8Array> {
  const length = Math.min(MARK, offset);
  return file.read(offset - length, length);
}
