/**
 * Opens what a partner answered: the decision and the receipt in its outbox, each verified against the keys that the
 * partner enrolled with. The outbox is the partner's, so everything in it is a claim until a signature holds it; whether it
 * follows from what was sent and said before is judged by take-in-answers.ts.
 */
import type { Partnership } from '../config/partnership.ts';
import { TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { DECISION_TYPE, decisionDigest, parseDecision, type Decision } from '../protocol/decision.ts';
import {
  OUTBOX_DECISION,
  OUTBOX_POLICY,
  OUTBOX_RECEIPT,
  MAX_DECISION_NOTE,
  MAX_RECEIPT_NOTE,
} from '../protocol/exchange.ts';
import { together } from '../io/together.ts';
import { openNote } from '../protocol/note.ts';
import { MAX_POLICY_NOTE, parsePolicy, POLICY_TYPE, type AcceptPolicy } from '../protocol/policy.ts';
import { parseReceipt, RECEIPT_TYPE, type Receipt } from '../protocol/receipt.ts';
import { parseVkey } from '../protocol/vkey.ts';

/** What a partner says, as far as it is believed. */
export interface Outbox {
  readonly decision: Decision | undefined;
  readonly receipt: Receipt | undefined;
}

/** A note whose signature was verified, with its bytes. */
export interface Opened<Statement> {
  readonly statement: Statement;
  readonly note: Uint8Array;
}

export interface OpenedOutbox {
  readonly decision: Opened<Decision> | undefined;
  readonly receipt: Opened<Receipt> | undefined;
}

/** Nothing was said yet. */
export const NO_ANSWER: Outbox = { decision: undefined, receipt: undefined };

/** @throws TIEUP_E_VERIFY when a note is not of this partner's keys, or not of this partnership. */
export async function openOutbox(exchange: Pick<FileTree, 'read'>, partnership: Partnership): Promise<OpenedOutbox> {
  const readDecision = async (): Promise<Opened<Decision> | undefined> => {
    const note = await readIfThere(exchange, OUTBOX_DECISION, MAX_DECISION_NOTE);
    return note && { statement: openDecision(note, partnership), note };
  };
  const [receipt, decision] = await together([readReceipt(exchange, partnership), readDecision()]);
  if (receipt === undefined || receiptFollows({ decision: decision?.statement, receipt: receipt.statement }))
    return { decision, receipt };
  // The partner answered while we were reading: the decision that a receipt follows was shown before it.
  return { decision: await readDecision(), receipt };
}

/** True when `receipt` says that the release with this digest is what the partner carried out. */
export function carriesOut({ receipt }: Outbox, releaseDigest: string): boolean {
  return receipt !== undefined && receipt.releaseDigest === releaseDigest && receipt.state !== 'left';
}

/** True when `receipt` belongs to `decision`. */
export function receiptFollows({ decision, receipt }: Outbox): boolean {
  return decision !== undefined && receipt !== undefined && receipt.decision === decisionDigest(decision);
}

/** @throws TIEUP_E_VERIFY unless the key signed it whose right it is: the accept key for the manager, either for a policy. */
export function openDecision(bytes: Uint8Array, partnership: Partnership): Decision {
  const keys = partnerKeys(partnership);
  const note = openNote(bytes, [keys.accept, keys.site], { type: DECISION_TYPE });
  const decision = parseDecision(note.text);
  assertPartner(decision.partner, partnership, 'decision');
  if (decision.by === 'manager' && !note.signers.some(({ name }) => name === keys.accept.name))
    throw refuse(partnership, 'its decision claims to be the manager’s, but the accept key did not sign it');
  return decision;
}

/** The policy note of the manager; undefined when there is none. @throws TIEUP_E_VERIFY when it is not the manager's. */
export async function readPolicy(
  exchange: Pick<FileTree, 'read'>,
  partnership: Partnership,
): Promise<Opened<AcceptPolicy> | undefined> {
  const note = await readIfThere(exchange, OUTBOX_POLICY, MAX_POLICY_NOTE);
  if (note === undefined) return undefined;
  const statement = parsePolicy(openNote(note, [partnerKeys(partnership).accept], { type: POLICY_TYPE }).text);
  assertPartner(statement.partner, partnership, 'policy');
  return { statement, note };
}

async function readReceipt(
  exchange: Pick<FileTree, 'read'>,
  partnership: Partnership,
): Promise<Opened<Receipt> | undefined> {
  const note = await readIfThere(exchange, OUTBOX_RECEIPT, MAX_RECEIPT_NOTE);
  if (note === undefined) return undefined;
  const statement = parseReceipt(openNote(note, [partnerKeys(partnership).site], { type: RECEIPT_TYPE }).text);
  assertPartner(statement.partner, partnership, 'receipt');
  return { statement, note };
}

function partnerKeys({ id, keys }: Partnership) {
  if (keys === null)
    throw new TieupError('TIEUP_E_CONTRACT', `${id} has not joined yet`, { hint: 'run tieup enroll with its answer' });
  return { accept: parseVkey(keys.accept), site: parseVkey(keys.site) };
}

function assertPartner(named: string, partnership: Partnership, what: string): void {
  if (named !== partnership.id) throw refuse(partnership, `its ${what} names the partner ${JSON.stringify(named)}`);
}

function refuse(partnership: Partnership, why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', cannotBeTrusted(partnership.id, why));
}

export function cannotBeTrusted(partner: string, why: string): string {
  return `the outbox of ${partner} cannot be trusted: ${why}`;
}
