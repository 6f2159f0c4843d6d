/**
 * What a partner says with each export of its logs; the body of a signed note of the log key, `outbox/logs/export.note`, which is written
 * last. It names the files by digest, counts the lines, and ties the counts to the sizes of the trees.
 */
import { TieupError } from '../errors.ts';
import { base64 } from './base64.ts';
import type { TreeHead } from './checkpoint.ts';
import { canonical, fieldReader, type FieldShape, parseFields, renderFields } from './fields.ts';
import { MAX_PART_FILE, MAX_PART_RAW } from './exchange.ts';
import { emptyRoot, HASH_LENGTH, sameHash } from './merkle.ts';
import { PARTNER_ID } from './names.ts';

export interface LogExport {
  readonly partner: string;
  /** Rises by one with every export of a partnership; starts at 1. */
  readonly seq: number;
  /** SHA-256 of the statement before; null for the first. */
  readonly previous: string | null;
  readonly epoch: number;
  readonly lines: LineCounts;
  readonly T: ExportedTree;
  readonly O: ExportedTree;
  /** SHA-256 of the canonical JSON of the formats and the privacy settings in force. */
  readonly settings: string;
  readonly time: string;
}

/** Of the whole epoch. Lines read are T + O + X; switches and gaps are records, but no lines. */
export interface LineCounts {
  readonly T: number;
  readonly O: number;
  readonly X: number;
  readonly S: number;
  readonly G: number;
}

export interface ExportedTree extends TreeHead {
  /** `whole`: every record from `from` on; `part`: some, the others counted; `none`: all of them counted, no file. */
  readonly disclosed: 'whole' | 'part' | 'none';
  /** The first record that this export is about. */
  readonly from: number;
  /** Null with `none`. */
  readonly file: ExportedFile | null;
}

/** `<digest>.part.gz` beside the statement. Lengths bound what a reader takes. */
export interface ExportedFile {
  readonly digest: string;
  /** Bytes as they lie there. */
  readonly length: number;
  /** Bytes after decompression. */
  readonly rawLength: number;
}

export const EXPORT_TYPE = 'tieup-log-export/1';
export const MAX_EXPORT_NOTE = 8 * 1024;

const SHAPE: FieldShape<'partnership' | 'export' | 'epoch' | 'lines' | 'T' | 'O' | 'settings' | 'time'> = [
  ['partnership', 1],
  ['export', 2],
  ['epoch', 1],
  ['lines', 6],
  ['T', 7],
  ['O', 7],
  ['settings', 1],
  ['time', 1],
];

export function renderExport(statement: LogExport): string {
  const { T, O, X, S, G } = statement.lines;
  return renderFields(EXPORT_TYPE, SHAPE, {
    partnership: [statement.partner],
    export: [String(statement.seq), statement.previous ?? '-'],
    epoch: [String(statement.epoch)],
    lines: [T + O + X, T, O, X, S, G].map(String),
    T: treeValues(statement.T),
    O: treeValues(statement.O),
    settings: [statement.settings],
    time: [statement.time],
  });
}

function treeValues({ size, root, disclosed, from, file }: ExportedTree): readonly string[] {
  const { digest, length, rawLength } = file ?? { digest: '-', length: 0, rawLength: 0 };
  return [String(size), base64(root), disclosed, String(from), digest, String(length), String(rawLength)];
}

/** @throws TIEUP_E_VERIFY when the text is not exactly one statement, or when its numbers do not add up. */
export function parseExport(text: string): LogExport {
  const read = fieldReader(EXPORT_TYPE, parseFields(EXPORT_TYPE, SHAPE, text));
  const tree = (name: 'T' | 'O'): ExportedTree => ({
    size: read.count(name, 0),
    root: read.bytes(name, 1, HASH_LENGTH),
    disclosed: read.oneOf(name, ['whole', 'part', 'none'], 2),
    from: read.count(name, 3),
    file:
      read.text(name, 4) === '-'
        ? null
        : { digest: read.digest(name, 4), length: read.count(name, 5), rawLength: read.count(name, 6) },
  });
  const statement: LogExport = {
    partner: read.matching('partnership', 0, PARTNER_ID, 'a partner id'),
    seq: read.count('export', 0),
    previous: read.digestOrNone('export', 1),
    epoch: read.count('epoch'),
    lines: {
      T: read.count('lines', 1),
      O: read.count('lines', 2),
      X: read.count('lines', 3),
      S: read.count('lines', 4),
      G: read.count('lines', 5),
    },
    T: tree('T'),
    O: tree('O'),
    settings: read.digest('settings'),
    time: read.instant('time'),
  };
  checkSums(statement, read.count('lines', 0));
  return canonical('the statement of the export', text, statement, renderExport);
}

function checkSums({ seq, previous, epoch, lines, T, O }: LogExport, total: number): void {
  if (seq < 1 || epoch < 1) throw refused('exports and epochs are numbered from 1 on');
  if ((seq === 1) !== (previous === null)) throw refused('all exports but the first name the one before');
  const read = lines.T + lines.O + lines.X;
  if (total !== read) {
    throw refused(`it counts ${lines.T} + ${lines.O} + ${lines.X} lines, but says that ${total} were read`);
  }
  checkTree('T', T, lines.T + lines.S + lines.G);
  checkTree('O', O, lines.O + lines.X);
}

function checkTree(log: 'T' | 'O', { size, root, disclosed, from, file }: ExportedTree, counted: number): void {
  if (size !== counted) throw refused(`log ${log} has ${size} records, but ${counted} of its classes are counted`);
  if (from > size) throw refused(`log ${log} starts at record ${from} of ${size}`);
  if (size === 0 && !sameHash(root, emptyRoot())) throw refused(`log ${log} is empty, but has a root`);
  if (file !== null && (file.length > MAX_PART_FILE || file.rawLength > MAX_PART_RAW)) {
    throw refused(
      `the file of log ${log} is larger than any export: ${file.length} bytes, ${file.rawLength} decompressed`,
    );
  }
  if ((disclosed === 'none') !== (file === null))
    throw refused(`log ${log} is "${disclosed}", which does not fit its file`);
}

function refused(why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the statement of the export is refused: ${why}`);
}
