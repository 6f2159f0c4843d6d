/**
 * `tieup-part/1`, the certificate of a log: a signed checkpoint, the tree before `from`, and then every record in order, each either
 * disclosed with its salt or only counted under a hash. Verified as a stream: what is disclosed, what is withheld and what came before
 * add up to the signed root, or the file is refused.
 */
import { TieupError } from '../errors.ts';
import type { OpenedCheckpoint } from './checkpoint.ts';
import { PartBody, type PartCounts, type RecordBatch } from './log-part-body.ts';
import { type PartExpectations, type PartHead, PartHeadReader, partRefused } from './log-part-header.ts';
import { SALT_LENGTH } from './log-part-line.ts';
import { FoldedTree, type PartTree, type PlantTree } from './log-part-tree.ts';
import { FIELD_STRIDE, MAX_RECORD } from './log-scan.ts';
import { digestOf, subtreesOf } from './merkle.ts';
import { inclusionRanges, RangeHashes } from './merkle-proof.ts';
import type { RecordProof } from './tlog-proof.ts';

/** A part that was verified to its end. */
export interface VerifiedPart extends PartCounts {
  readonly checkpoint: OpenedCheckpoint;
  /** The first record that it is about. */
  readonly from: number;
}

/** Takes records while a part is verified. */
export type TakeRecords = (batch: RecordBatch) => void | Promise<void>;

/** How the tree of a part is grown. */
export interface PartFolding {
  /** Ascending: sizes on the way whose roots are wanted; none unless given. */
  readonly sizes?: readonly number[];
  /** Folds in this thread unless given. */
  readonly plant?: PlantTree | undefined;
}

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** No line of a part is longer, in bytes. */
export const MAX_PART_LINE = MAX_RECORD + 128;
const WINDOW = 256 * 1024;
const LINE_FEED = 0x0a;

/**
 * Verifies a part that comes as uncompressed chunks, in bounded memory whatever comes.
 *
 * `take` gets the disclosed records batch by batch, *before* the end proves them: it keeps them aside until this has returned.
 * @throws TIEUP_E_VERIFY with the first record that is wrong, where one can be named, and what is wrong with it.
 */
export async function verifyPart(
  chunks: Chunks,
  expected: PartExpectations,
  take: TakeRecords = () => {},
  { sizes = [], plant = (seed) => new FoldedTree(seed) }: PartFolding = {},
): Promise<VerifiedPart> {
  return readPart(chunks, expected, ({ from, frontier }) => plant({ size: from, hashes: frontier, sizes }), take);
}

/**
 * Verifies a part to its end and proves one record that it discloses. `index` is the record's place in the tree, from 0 on.
 * @throws TIEUP_E_VERIFY as {@link verifyPart}, TIEUP_E_NOT_FOUND when the part does not disclose that record.
 */
export async function proveRecord(chunks: Chunks, expected: PartExpectations, index: number): Promise<RecordProof> {
  let ranges = new RangeHashes([]);
  let found: Pick<RecordProof, 'salt' | 'record'> | undefined;
  const { checkpoint } = await readPart(
    chunks,
    expected,
    (head) => {
      ranges = new RangeHashes(index < head.checkpoint.size ? inclusionRanges(index, head.checkpoint.size) : []);
      for (const [at, { level }] of subtreesOf(0, head.from).entries()) {
        ranges.add(level, digestOf(head.frontier[at] ?? new Uint8Array(0)));
      }
      const seed = { size: head.from, hashes: head.frontier, sizes: [] };
      return new FoldedTree(seed, (level, digest) => ranges.add(level, digest));
    },
    ({ bytes, count, indexes, offsets }) => {
      const at = indexes.subarray(0, count).indexOf(index) * FIELD_STRIDE;
      if (at < 0) return;
      const [start, next] = [offsets[at] ?? 0, offsets[at + FIELD_STRIDE - 1] ?? 0];
      found = {
        salt: Uint8Array.from(bytes.subarray(start - SALT_LENGTH, start)),
        record: Uint8Array.from(bytes.subarray(start, next - 1)),
      };
    },
  );
  if (found === undefined) {
    throw new TieupError('TIEUP_E_NOT_FOUND', `record ${index} is not among those that the exported log discloses`);
  }
  return { index, ...found, hashes: ranges.hashes(), checkpoint: checkpoint.note };
}

async function readPart(
  chunks: Chunks,
  expected: PartExpectations,
  plant: (head: PartHead) => PartTree,
  take: TakeRecords,
): Promise<VerifiedPart> {
  const reader = new PartHeadReader(expected);
  const window = Buffer.allocUnsafe(WINDOW);
  let head: PartHead | undefined;
  let body: PartBody | undefined;
  let tree: PartTree | undefined;
  let filled = 0;
  try {
    for await (const chunk of chunks) {
      for (let read = 0; read < chunk.length;) {
        const piece = chunk.subarray(read, read + WINDOW - filled);
        window.set(piece, filled);
        read += piece.length;
        const lastLine = piece.lastIndexOf(LINE_FEED);
        const end = lastLine === -1 ? 0 : filled + lastLine + 1;
        filled += piece.length;
        let start = 0;
        while (start < end) {
          if (head === undefined || body === undefined) {
            const next = window.indexOf(LINE_FEED, start) + 1;
            head = reader.take(lineOf(window, start, next - 1));
            if (head !== undefined) {
              tree = plant(head);
              body = new PartBody(head, tree);
            }
            start = next;
          } else {
            start = body.take(window, start, end);
            if (body.batch.count > 0) await take(body.batch);
            await tree?.settle();
          }
        }
        window.copyWithin(0, start, filled);
        filled -= start;
        if (filled > MAX_PART_LINE) throw partRefused(`it has a line of more than ${MAX_PART_LINE} bytes`);
      }
    }
    if (filled > 0) throw partRefused('it ends in the middle of a line: the file was cut off');
    if (head === undefined || body === undefined)
      throw partRefused('it ends before its first record: the file was cut off');
    return { checkpoint: head.checkpoint, from: head.from, ...(await body.finish()) };
  } finally {
    await tree?.close();
  }
}

function lineOf(bytes: Buffer, start: number, end: number): string {
  if (end - start > MAX_PART_LINE) throw partRefused(`it has a line of more than ${MAX_PART_LINE} bytes`);
  return bytes.toString('latin1', start, end);
}
