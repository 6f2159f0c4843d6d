/** Opens what a partner says with an export, and holds it against what was verified before. */
import type { Partnership } from '../../config/partnership.ts';
import { TieupError } from '../../errors.ts';
import { sha256 } from '../../protocol/digest.ts';
import { type ExportedTree, EXPORT_TYPE, type LogExport, parseExport } from '../../protocol/log-export.ts';
import { sameHash } from '../../protocol/merkle.ts';
import { openNote } from '../../protocol/note.ts';
import { parseVkey, type VerifierKey } from '../../protocol/vkey.ts';
import { headOf, type Pins, TREES, type TreeName } from './log-records.ts';

export interface OpenedExport {
  readonly statement: LogExport;
  /** SHA-256 of its text. */
  readonly digest: string;
}

export function logKey({ id, keys }: Partnership): VerifierKey {
  if (keys !== null) return parseVkey(keys.log);
  throw new TieupError('TIEUP_E_CONTRACT', `${id} has not joined yet`, { hint: 'run tieup enroll with its answer' });
}

/**
 * @throws TIEUP_E_VERIFY when it is not signed by the partner's log key or is of another partner; when that key is a new one, and the
 * manager has not begun an epoch with it.
 */
export function openStatement(note: Uint8Array, partnership: Partnership, pins: Pins): OpenedExport {
  const { text } = openNote(note, [logKey(partnership)], { type: EXPORT_TYPE });
  const statement = parseExport(text);
  if (statement.partner !== partnership.id) {
    throw refused(partnership.id, `it is of the logs of ${JSON.stringify(statement.partner)}`);
  }
  const opened = { statement, digest: sha256(text) };
  if (statement.epoch === pins.epoch && pins.logKey !== null && pins.logKey !== partnership.keys?.log) {
    throw new TieupError(
      'TIEUP_E_VERIFY',
      `the export of ${partnership.id} is refused: its log key has changed since epoch ${pins.epoch} began`,
      { hint: 'ask the manager to begin a new epoch: tieup logs new-epoch --reason "the log key has changed"' },
    );
  }
  return opened;
}

/** What an export is, beside what is pinned. */
export type Standing =
  /** Verified before. */
  | 'known'
  | 'new'
  /** It begins before what was cosigned: the partner has not seen the cosignature yet. */
  | 'behind';

/**
 * @throws TIEUP_E_ROLLBACK when it is older than what was verified; TIEUP_E_VERIFY when it contradicts it.
 */
export function standingOf(partner: string, { statement, digest }: OpenedExport, pins: Pins): Standing {
  if (digest === pins.statement?.digest && digest === pins.seen?.digest) return 'known';
  if (statement.epoch !== pins.epoch) throw wrongEpoch(partner, statement.epoch, pins.epoch);
  assertFollows(partner, { statement, digest }, pins);
  const standings = TREES.map((log) => standingOfTree(partner, log, statement[log], pins));
  return standings.includes('behind') ? 'behind' : 'new';
}

/** Statements are a chain of their own: there is one of each number, and each names the one before. */
function assertFollows(partner: string, { statement, digest }: OpenedExport, { seen }: Pins): void {
  const { seq, previous } = statement;
  if (seen === null) return;
  if (seq === seen.seq && digest !== seen.digest) {
    throw refused(partner, `there are two different exports number ${seq}: the history was forked`);
  }
  if (seq < seen.seq) throw older(partner, `export ${seq} is older than ${seen.seq}`);
  if (seq === seen.seq + 1 && previous !== seen.digest) {
    throw refused(
      partner,
      `export ${seq} follows another export ${seen.seq} than was seen here: the history was forked`,
    );
  }
}

function standingOfTree(partner: string, log: TreeName, tree: ExportedTree, pins: Pins): 'new' | 'behind' {
  const pinned = headOf(pins[log]);
  if (tree.size < pinned.size) {
    throw older(partner, `log ${log} has ${tree.size} records, and ${pinned.size} were cosigned: records were dropped`);
  }
  if (tree.size === pinned.size && !sameHash(tree.root, pinned.root)) {
    throw refused(
      partner,
      `log ${log} has another root for the ${pinned.size} records that were cosigned: the history was forked`,
    );
  }
  if (tree.from > pinned.size) {
    throw new TieupError(
      'TIEUP_E_VERIFY',
      `the export of ${partner} begins at record ${tree.from} of log ${log}, but only ${pinned.size} are known here`,
      {
        hint: 'restore .tieup/logs from a backup, or ask the manager for a new epoch: tieup logs new-epoch',
      },
    );
  }
  return tree.from < pinned.size ? 'behind' : 'new';
}

function wrongEpoch(partner: string, epoch: number, known: number): TieupError {
  return epoch < known
    ? older(partner, `its epoch ${epoch} is over: the manager began epoch ${known}`)
    : refused(partner, `it is of epoch ${epoch}, and no statement of the manager begins that`);
}

function older(partner: string, why: string): TieupError {
  return new TieupError('TIEUP_E_ROLLBACK', `the export of ${partner} is refused: ${why}`, {
    hint: 'ask the manager whether an old backup was restored',
  });
}

function refused(partner: string, why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the export of ${partner} is refused: ${why}`);
}
