/** Logs read in tests: what a scanner makes of bytes, as records. */
import { type LogRecord, parseRecord } from '../../src/protocol/log-record.ts';
import { compileFormat } from '../../src/logs/format.ts';
import { createScanner, type LineCounts, type ScannerOptions, type ScanSource } from '../../src/logs/scanner.ts';
import type { LiveFiles } from '../../src/logs/scanner.ts';
import type { ScannedBatch } from '../../src/logs/record-writer.ts';
import type { PublishedKind } from '../../src/logs/published-files.ts';

export const DIGEST = 'ab'.repeat(32);

/** A state of the web tree with these files. */
export function liveFiles(publication: number, files: Readonly<Record<string, PublishedKind>>): LiveFiles {
  const live = { time: '2026-11-23T00:00:00Z', publication, release: publication, releaseDigest: DIGEST };
  return { live, files: new Map(Object.entries(files)) };
}

export const TIEUP_FILES = liveFiles(1, {
  'with-main/index.html': 'page',
  'with-main/prices.html': 'page',
  'with-main/logo.png': 'asset',
  'with-main/größe.html': 'page',
});

export interface ScanSetting extends Partial<ScanSource>, Partial<ScannerOptions> {
  readonly spec?: string;
  /** Where the bytes are cut into chunks. */
  readonly cuts?: readonly number[];
}

export interface ScannedLog {
  readonly records: readonly LogRecord[];
  /** The records' bytes as text, in the order of their lines. */
  readonly texts: readonly string[];
  readonly counts: LineCounts;
}

/** A salt for every day: the day's name, padded. */
export const saltOfDay = (day: string): Uint8Array => Buffer.from(day.padEnd(32, '.'));

export function scanLog(log: Uint8Array | string, setting: ScanSetting = {}): ScannedLog {
  const { spec = 'combined', cuts = [], ...given } = setting;
  const bytes = Buffer.from(log);
  const scanner = createScanner({ saltOfDay, ...given });
  const batches: ScannedBatch[] = [];
  scanner.begin({ format: compileFormat(spec), liveAtStart: TIEUP_FILES, ...given });
  const ends = [...new Set(cuts)].filter((cut) => cut > 0 && cut < bytes.length).toSorted((a, b) => a - b);
  let from = 0;
  for (const to of [...ends, bytes.length]) {
    batches.push(...scanner.push(bytes.subarray(from, to)));
    from = to;
  }
  scanner.end('take');
  batches.push(...scanner.flush());
  const texts = inOrder(batches.flatMap(textsOf));
  return { records: texts.map((text) => parseRecord(Buffer.from(text))), texts, counts: scanner.counts };
}

/** The records of a batch, as text: every record is UTF-8. */
export function textsOf({ lines, bounds, count }: ScannedBatch): string[] {
  return Array.from({ length: count }, (_, index) =>
    Buffer.from(lines.subarray(bounds[2 * index], bounds[2 * index + 1])).toString(),
  );
}

/** By number; what is no line stays behind the line before it. */
function inOrder(texts: readonly string[]): string[] {
  const seq = (text: string): number => Number.parseInt(text, 10) + (/^\d+(?:\t[^\t]*){3}\t[SG]/.test(text) ? 0.5 : 0);
  return texts.toSorted((a, b) => seq(a) - seq(b));
}
