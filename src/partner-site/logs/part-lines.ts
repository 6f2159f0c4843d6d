/** The bytes of an exported log, from what is kept of it: whole, only counted, or the records that a filter lets through. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { type LogRecord, parseRecord } from '../../protocol/log-record.ts';
import { WithheldRun } from '../../protocol/log-part-gap.ts';
import { digestOf, HASH_LENGTH } from '../../protocol/merkle.ts';
import type { PartnerSite } from '../partner-site.ts';
import { leafHashes, type Segment } from './log-state.ts';

/** Compressed bytes, and how many they were. */
export interface Member {
  readonly bytes: Uint8Array;
  readonly rawLength: number;
}

export type Selection =
  | { readonly kind: 'whole' }
  | { readonly kind: 'counted' }
  | { readonly kind: 'records'; isWanted(record: LogRecord, index: number): boolean };

const BLOCK = 1024 * 1024;
const MAX_SEGMENT = 64 * 1024 * 1024;
const LF = 0x0a;
const BLANK = 0x20;

/** The head, then the segments' records as `selection` discloses them. */
export async function* partMembers(
  site: PartnerSite,
  head: string,
  segments: readonly Segment[],
  selection: Selection,
): AsyncIterable<Member> {
  yield compress(Buffer.from(head));
  switch (selection.kind) {
    case 'whole':
      // A kept segment is a gzip member of the very lines that a part has.
      for (const { lines, rawLength } of segments) {
        yield { bytes: await site.state.read(lines, MAX_SEGMENT), rawLength };
      }
      return;
    case 'counted':
      yield compress(Buffer.from(await countedLines(site, segments)));
      return;
    case 'records':
      yield* selectedMembers(site, segments, selection.isWanted);
  }
}

async function countedLines(site: PartnerSite, segments: readonly Segment[]): Promise<string> {
  const run = new WithheldRun(segments[0]?.first ?? 0);
  for await (const { hashes } of leafHashes(site, segments)) {
    for (let at = 0; at < hashes.length; at += HASH_LENGTH) run.add(digestOf(hashes.subarray(at, at + HASH_LENGTH)));
  }
  return run.render();
}

async function* selectedMembers(
  site: PartnerSite,
  segments: readonly Segment[],
  isWanted: (record: LogRecord, index: number) => boolean,
): AsyncIterable<Member> {
  let run = new WithheldRun(segments[0]?.first ?? 0);
  let block: Uint8Array[] = [];
  let filled = 0;
  const add = (bytes: Uint8Array) => {
    block.push(bytes);
    filled += bytes.length;
  };
  for await (const { segment, hashes } of leafHashes(site, segments)) {
    let index = segment.first;
    for (const line of await linesOf(site, segment)) {
      if (isWanted(parseRecord(recordIn(line)), index)) {
        add(Buffer.from(run.render()));
        add(line);
        run = new WithheldRun(index + 1);
      } else {
        const at = (index - segment.first) * HASH_LENGTH;
        run.add(digestOf(hashes.subarray(at, at + HASH_LENGTH)));
      }
      index += 1;
      if (filled < BLOCK) continue;
      yield compress(Buffer.concat(block));
      block = [];
      filled = 0;
    }
  }
  add(Buffer.from(run.render()));
  yield compress(Buffer.concat(block));
}

/** The lines of a segment, with their line ends. */
export async function linesOf(site: PartnerSite, { lines, rawLength }: Segment): Promise<readonly Uint8Array[]> {
  const raw = gunzipSync(await site.state.read(lines, MAX_SEGMENT), { maxOutputLength: rawLength });
  const found: Uint8Array[] = [];
  for (let start = 0; start < raw.length;) {
    const end = raw.indexOf(LF, start) + 1;
    if (end === 0) break;
    found.push(raw.subarray(start, end));
    start = end;
  }
  return found;
}

/** Of a line `R <index> <salt> <record>`. */
export function recordIn(line: Uint8Array): Uint8Array {
  return line.subarray(line.indexOf(BLANK, line.indexOf(BLANK, 2) + 1) + 1, -1);
}

function compress(raw: Uint8Array): Member {
  return { bytes: gzipSync(raw, { level: 6 }), rawLength: raw.length };
}
