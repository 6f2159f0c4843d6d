/** The bytes of an exported log, from what is kept of it: whole, only counted, or the records that somebody chose. */
import { gzipSync } from 'node:zlib';
import { TieupError } from '../../errors.ts';
import { type LogRecord, parseRecord } from '../../protocol/log-record.ts';
import { WithheldRun } from '../../protocol/log-part-gap.ts';
import { digestOf, HASH_LENGTH } from '../../protocol/merkle.ts';
import type { PartnerSite } from '../partner-site.ts';
import { leafHashes, linesOf, MAX_SEGMENT, type Stretch } from './segments.ts';

/** Compressed bytes, and how many they were. */
export interface Member {
  readonly bytes: Uint8Array;
  readonly rawLength: number;
}

export type Selection =
  | { readonly kind: 'whole' }
  | { readonly kind: 'counted' }
  | { readonly kind: 'records'; isWanted(record: LogRecord, index: number): boolean }
  | { readonly kind: 'indexes'; readonly indexes: ReadonlySet<number> };

type Chosen = Extract<Selection, { kind: 'records' | 'indexes' }>;

const BLOCK = 1024 * 1024;
const BLANK = 0x20;

/**
 * The head, then the records as `selection` discloses them. Of records that were dropped only the hash is left.
 * @throws TIEUP_E_VERIFY when all of them are to be disclosed and some were dropped.
 */
export async function* partMembers(
  site: PartnerSite,
  head: string,
  stretches: readonly Stretch[],
  selection: Selection,
): AsyncIterable<Member> {
  yield compress(Buffer.from(head));
  switch (selection.kind) {
    case 'whole':
      for (const stretch of stretches) yield await wholeMember(site, stretch);
      return;
    case 'counted':
      yield compress(Buffer.from(await countedLines(site, stretches)));
      return;
    case 'records':
    case 'indexes':
      yield* chosenMembers(site, stretches, selection);
  }
}

/** A kept segment is a gzip member of the very lines that a part has. */
async function wholeMember(site: PartnerSite, stretch: Stretch): Promise<Member> {
  const { segment, from, to } = stretch;
  if (segment.lines !== undefined && from === segment.first && to === segment.next) {
    const { path, rawLength } = segment.lines;
    return { bytes: await site.state.read(path, MAX_SEGMENT), rawLength };
  }
  const lines = await linesOf(site, stretch);
  if (lines !== undefined) return compress(Buffer.concat(lines));
  throw new TieupError(
    'TIEUP_E_VERIFY',
    `records ${from} to ${to - 1} of log ${segment.tree} were dropped when they were old, and cannot be shown any more`,
    { hint: 'have them only counted: logs.export in tieup.yaml' },
  );
}

async function countedLines(site: PartnerSite, stretches: readonly Stretch[]): Promise<string> {
  const run = new WithheldRun(stretches[0]?.from ?? 0);
  for await (const { hashes } of leafHashes(site, stretches)) addAll(run, hashes);
  return run.render();
}

async function* chosenMembers(site: PartnerSite, stretches: readonly Stretch[], chosen: Chosen): AsyncIterable<Member> {
  let run = new WithheldRun(stretches[0]?.from ?? 0);
  let block: Uint8Array[] = [];
  let filled = 0;
  const add = (bytes: Uint8Array) => {
    block.push(bytes);
    filled += bytes.length;
  };
  for await (const { stretch, hashes } of leafHashes(site, stretches)) {
    const lines = mayHave(chosen, stretch) ? await linesOf(site, stretch) : undefined;
    if (lines === undefined) {
      addAll(run, hashes);
      continue;
    }
    let index = stretch.from;
    for (const line of lines) {
      if (isChosen(chosen, line, index)) {
        add(Buffer.from(run.render()));
        add(line);
        run = new WithheldRun(index + 1);
      } else {
        const at = (index - stretch.from) * HASH_LENGTH;
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

function mayHave(chosen: Chosen, { from, to }: Stretch): boolean {
  return chosen.kind === 'records' || [...chosen.indexes].some((index) => index >= from && index < to);
}

function isChosen(chosen: Chosen, line: Uint8Array, index: number): boolean {
  return chosen.kind === 'indexes' ? chosen.indexes.has(index) : chosen.isWanted(parseRecord(recordIn(line)), index);
}

function addAll(run: WithheldRun, hashes: Uint8Array): void {
  for (let at = 0; at < hashes.length; at += HASH_LENGTH) run.add(digestOf(hashes.subarray(at, at + HASH_LENGTH)));
}

/** Of a line `R <index> <salt> <record>`. */
export function recordIn(line: Uint8Array): Uint8Array {
  return line.subarray(line.indexOf(BLANK, line.indexOf(BLANK, 2) + 1) + 1, -1);
}

function compress(raw: Uint8Array): Member {
  return { bytes: gzipSync(raw, { level: 6 }), rawLength: raw.length };
}
