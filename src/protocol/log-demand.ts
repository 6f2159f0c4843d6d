/**
 * The main site's demand to see records of log O that were only counted; the body of a note of the document key,
 * `inbox/logs/demand.note`. Which records, follows from the root, which the partner fixed before, and a nonce that it could not know.
 */
import { hash } from 'node:crypto';
import { TieupError } from '../errors.ts';
import { base64 } from './base64.ts';
import type { TreeHead } from './checkpoint.ts';
import { canonical, fieldReader, type FieldShape, parseFields, renderFields } from './fields.ts';
import { HASH_LENGTH } from './merkle.ts';
import { PARTNER_ID } from './names.ts';

export interface LogDemand {
  readonly partner: string;
  readonly epoch: number;
  /** Of log O, cosigned by the main site. */
  readonly tree: TreeHead;
  /** The first record that may be drawn: those before it were asked about already. Less than the size of the tree. */
  readonly from: number;
  /** 32 random bytes in hex. */
  readonly nonce: string;
  /** How many indexes are drawn; fewer records when one is drawn twice. */
  readonly count: number;
  readonly time: string;
}

export const DEMAND_TYPE = 'tieup-log-demand/1';
export const MAX_DEMAND_NOTE = 8 * 1024;
/** More is no sample. */
export const MAX_DEMAND = 10_000;

const SHAPE: FieldShape<'partnership' | 'tree' | 'nonce' | 'count' | 'time'> = [
  ['partnership', 1],
  ['tree', 5],
  ['nonce', 1],
  ['count', 1],
  ['time', 1],
];

export function renderDemand({ partner, epoch, tree, from, nonce, count, time }: LogDemand): string {
  return renderFields(DEMAND_TYPE, SHAPE, {
    partnership: [partner],
    tree: ['O', String(epoch), String(from), String(tree.size), base64(tree.root)],
    nonce: [nonce],
    count: [String(count)],
    time: [time],
  });
}

/** @throws TIEUP_E_VERIFY when the text is not exactly one demand. */
export function parseDemand(text: string): LogDemand {
  const read = fieldReader(DEMAND_TYPE, parseFields(DEMAND_TYPE, SHAPE, text));
  const demand: LogDemand = {
    partner: read.matching('partnership', 0, PARTNER_ID, 'a partner id'),
    epoch: read.count('tree', 1),
    from: read.count('tree', 2),
    tree: { size: read.count('tree', 3), root: read.bytes('tree', 4, HASH_LENGTH) },
    nonce: read.digest('nonce'),
    count: read.count('count'),
    time: read.instant('time'),
  };
  if (demand.epoch < 1 || demand.from >= demand.tree.size) throw refused('there is nothing to be seen');
  if (demand.count < 1 || demand.count > MAX_DEMAND)
    throw refused(`it is of ${demand.count} records, not of 1 to ${MAX_DEMAND}`);
  return canonical('the demand', text, demand, renderDemand);
}

/**
 * The indexes in the tree that the demand is of, ascending, each once: for i from 0 on, the first 64 bits (big-endian) of
 * SHA-256(`tieup-log-demand/1\n` ‖ root ‖ nonce ‖ i as 32 bits, big-endian), modulo the number of records from `from` on, plus `from`.
 */
export function demandedIndexes({ tree, from, nonce, count }: LogDemand): readonly number[] {
  const label = Buffer.from(`${DEMAND_TYPE}\n`);
  const input = Buffer.concat([label, tree.root, Buffer.from(nonce, 'hex'), Buffer.alloc(4)]);
  const drawn = Array.from({ length: count }, (_, index) => {
    input.writeUInt32BE(index, input.length - 4);
    return from + Number(hash('sha256', input, 'buffer').readBigUInt64BE() % BigInt(tree.size - from));
  });
  return [...new Set(drawn)].sort((a, b) => a - b);
}

function refused(why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the demand for records is refused: ${why}`);
}
