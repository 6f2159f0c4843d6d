/**
 * The signed head of a partner's log: a C2SP checkpoint (https://c2sp.org/tlog-checkpoint) without extension lines, which is a signed
 * note of the log key. Whoever keeps one can prove every later rewriting of the history before it.
 */
import { TieupError } from '../errors.ts';
import { base64, strictBase64 } from './base64.ts';
import { emptyRoot, HASH_LENGTH, sameHash } from './merkle.ts';
import { PARTNER_ID } from './names.ts';
import { type NoteKey, type NoteSigner, openNote, signNote, signNoteWith } from './note.ts';
import type { VerifierKey } from './vkey.ts';

/** `T` tie-up hits, switches and gaps; `O` other hits and unparsed lines; `C` commerce. */
export type LogName = 'T' | 'O' | 'C';

/** Which log: `<host>/tieup-log/<partner>/<log>/<epoch>`. */
export interface LogOrigin {
  /** Of the partner's address, with a port if that has one. */
  readonly host: string;
  readonly partner: string;
  readonly log: LogName;
  /** From 1 on; a new one begins when a log cannot be continued. */
  readonly epoch: number;
}

/** A tree at one size. */
export interface TreeHead {
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

export interface Checkpoint extends TreeHead {
  readonly origin: LogOrigin;
}

/** A checkpoint whose signature was verified; made by {@link openCheckpoint} alone. */
export interface OpenedCheckpoint extends Checkpoint {
  /** The note as it came. */
  readonly note: Uint8Array;
  /** What was signed. */
  readonly text: string;
}

/** Three short lines, a signature, and room for cosignatures. */
export const MAX_CHECKPOINT_NOTE = 8 * 1024;

const ORIGIN = /^([a-z0-9[\]:._-]{1,253})\/tieup-log\/([^/]+)\/([TOC])\/([1-9]\d{0,8})$/;
const COUNT = /^(?:0|[1-9]\d{0,15})$/;

export function renderOrigin({ host, partner, log, epoch }: LogOrigin): string {
  return `${host}/tieup-log/${partner}/${log}/${epoch}`;
}

/** @throws TIEUP_E_VERIFY when the line is not the origin of a log. */
export function parseOrigin(line: string): LogOrigin {
  const [, host, partner, log, epoch] = ORIGIN.exec(line) ?? [];
  if (host === undefined || partner === undefined || epoch === undefined || !PARTNER_ID.test(partner)) {
    throw refused(`${JSON.stringify(line)} is not <host>/tieup-log/<partner>/<T, O or C>/<epoch>`);
  }
  return { host, partner, log: log === 'T' || log === 'O' ? log : 'C', epoch: Number(epoch) };
}

/** The text that is signed. */
export function renderCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${renderOrigin(origin)}\n${size}\n${base64(root)}\n`;
}

/** @throws TIEUP_E_VERIFY when the text is not exactly one checkpoint. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin, size, root, end, ...more] = text.split('\n');
  if (origin === undefined || size === undefined || root === undefined || end !== '' || more.length > 0) {
    throw refused('it does not consist of three lines: origin, size and root');
  }
  if (!COUNT.test(size) || !Number.isSafeInteger(Number(size)))
    throw refused(`its size ${JSON.stringify(size)} is not a number`);
  const bytes = strictBase64(root, HASH_LENGTH);
  if (bytes === undefined) throw refused(`its root ${JSON.stringify(root)} is not ${HASH_LENGTH} bytes in base64`);
  if (size === '0' && !sameHash(bytes, emptyRoot()))
    throw refused('it has no records, but not the root of an empty tree');
  return { origin: parseOrigin(origin), size: Number(size), root: bytes };
}

/** The checkpoint as a signed note. @throws TIEUP_E_FAILED when it cannot be one. */
export function signCheckpoint(checkpoint: Checkpoint, signer: NoteSigner): Uint8Array {
  return signNote(renderCheckpoint(checkpoint), [signer]);
}

/** {@link signCheckpoint} with a key that may be elsewhere. */
export function signCheckpointWith(checkpoint: Checkpoint, key: NoteKey): Promise<Uint8Array> {
  return signNoteWith(renderCheckpoint(checkpoint), [key]);
}

/**
 * Verifies a checkpoint that one of `keys` has signed, each the log key of a partner (`<partner>/log`).
 * @throws TIEUP_E_VERIFY when it is malformed, not signed by a known key, or of another partner's log than the key is of.
 */
export function openCheckpoint(note: Uint8Array, keys: readonly VerifierKey[]): OpenedCheckpoint {
  if (note.length > MAX_CHECKPOINT_NOTE) throw refused(`it is longer than ${MAX_CHECKPOINT_NOTE} bytes`);
  const { text, signers } = openNote(note, keys);
  const checkpoint = parseCheckpoint(text);
  const { partner } = checkpoint.origin;
  const stranger = signers.find(({ name }) => name !== `${partner}/log`);
  if (stranger !== undefined) {
    throw refused(`it is of the log of ${JSON.stringify(partner)}, but ${JSON.stringify(stranger.name)} has signed it`);
  }
  return { ...checkpoint, note, text };
}

/** @throws TIEUP_E_VERIFY when the checkpoint is not of the log that was asked for, with what is different. */
export function requireOrigin({ origin }: Checkpoint, wanted: LogOrigin): void {
  for (const part of ['partner', 'log', 'epoch', 'host'] as const) {
    if (origin[part] === wanted[part]) continue;
    throw refused(`its ${part} is ${JSON.stringify(origin[part])}, not ${JSON.stringify(wanted[part])}`);
  }
}

export function sameHead(a: TreeHead, b: TreeHead): boolean {
  return a.size === b.size && sameHash(a.root, b.root);
}

function refused(why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the checkpoint of the log is refused: ${why}`);
}
