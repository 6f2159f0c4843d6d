/**
 * The manager's statement that the logs begin anew; the body of a note of the accept key, `outbox/logs/epoch.note`. Needed when the log
 * key changes or the state is lost: what was cosigned stays what it is, and nothing is counted twice.
 */
import { TieupError } from '../errors.ts';
import { base64 } from './base64.ts';
import type { TreeHead } from './checkpoint.ts';
import { canonical, fieldReader, type FieldShape, parseFields, renderFields, renderWords } from './fields.ts';
import { HASH_LENGTH } from './merkle.ts';
import { PARTNER_ID } from './names.ts';
import { parseVkey } from './vkey.ts';

export interface LogEpoch {
  readonly partner: string;
  /** From 2 on: the first epoch needs no statement. */
  readonly epoch: number;
  /** Vkey line of the key that signs in this epoch. */
  readonly log: string;
  /** The last epoch in which something was cosigned, as far as the partner knows; the one before when nothing was. */
  readonly follows: number;
  /** Where that one ended: its last cosigned checkpoints, null for a log that had none. */
  readonly previous: { readonly T: TreeHead | null; readonly O: TreeHead | null };
  /** In the manager's words. */
  readonly reason: string | null;
  readonly time: string;
}

export const EPOCH_TYPE = 'tieup-log-epoch/1';
/** A reason of 4,000 characters has up to 12,000 bytes, and a third more in base64. */
export const MAX_EPOCH_NOTE = 24 * 1024;
const MAX_REASON = 4000;

const SHAPE: FieldShape<'partnership' | 'epoch' | 'log' | 'previous' | 'reason' | 'time'> = [
  ['partnership', 1],
  ['epoch', 1],
  ['log', 1],
  ['previous', 5],
  ['reason', 1],
  ['time', 1],
];

export function renderEpoch({ partner, epoch, log, follows, previous, reason, time }: LogEpoch): string {
  return renderFields(EPOCH_TYPE, SHAPE, {
    partnership: [partner],
    epoch: [String(epoch)],
    log: [log],
    previous: [String(follows), ...headValues(previous.T), ...headValues(previous.O)],
    reason: [renderWords(reason)],
    time: [time],
  });
}

function headValues(head: TreeHead | null): readonly string[] {
  return head === null ? ['-', '-'] : [String(head.size), base64(head.root)];
}

/** @throws TIEUP_E_VERIFY when the text is not exactly one statement, or its key is not the log key of that partner. */
export function parseEpoch(text: string): LogEpoch {
  const read = fieldReader(EPOCH_TYPE, parseFields(EPOCH_TYPE, SHAPE, text));
  const head = (at: number): TreeHead | null => {
    if (read.text('previous', at) === '-') return null;
    return { size: read.count('previous', at), root: read.bytes('previous', at + 1, HASH_LENGTH) };
  };
  const statement: LogEpoch = {
    partner: read.matching('partnership', 0, PARTNER_ID, 'a partner id'),
    epoch: read.count('epoch'),
    log: read.text('log'),
    follows: read.count('previous', 0),
    previous: { T: head(1), O: head(3) },
    reason: read.words('reason', MAX_REASON),
    time: read.instant('time'),
  };
  if (statement.epoch < 2) throw refused('only the second epoch and later ones are stated');
  if (statement.follows < 1 || statement.follows >= statement.epoch)
    throw refused('it does not follow an epoch before it');
  const { name } = parseVkey(statement.log);
  if (name !== `${statement.partner}/log`) throw refused(`its log key is called ${JSON.stringify(name)}`);
  return canonical('the statement of a new epoch', text, statement, renderEpoch);
}

function refused(why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the statement of a new epoch is refused: ${why}`);
}
