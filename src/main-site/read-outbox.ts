/**
 * Reads what a partner answered: the decision and the receipt in its outbox, each verified against the keys that the
 * partner enrolled with. The outbox is the partner's, so everything in it is a claim until a signature holds it.
 */
import type { Partnership } from '../config/partnership.ts';
import { TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { readIfThere } from '../io/read-if-there.ts';
import {
  DECISION_TYPE,
  decisionDigest,
  MAX_DECISION_NOTE,
  parseDecision,
  type Decision,
} from '../protocol/decision.ts';
import { OUTBOX_DECISION, OUTBOX_POLICY, OUTBOX_RECEIPT } from '../protocol/exchange.ts';
import { openNote } from '../protocol/note.ts';
import { MAX_POLICY_NOTE, parsePolicy, POLICY_TYPE } from '../protocol/policy.ts';
import { MAX_RECEIPT_NOTE, parseReceipt, RECEIPT_TYPE, type Receipt } from '../protocol/receipt.ts';
import { parseVkey } from '../protocol/vkey.ts';

export interface Outbox {
  readonly decision: Decision | undefined;
  readonly receipt: Receipt | undefined;
}

/** Nothing was said yet. */
export const NO_ANSWER: Outbox = { decision: undefined, receipt: undefined };

/** @throws TIEUP_E_VERIFY when a note is not of this partner's keys, or not of this partnership. */
export async function readOutbox(exchange: Pick<FileTree, 'read'>, partnership: Partnership): Promise<Outbox> {
  const decision = await readDecision(exchange, partnership);
  const receipt = await readReceipt(exchange, partnership);
  return { decision, receipt };
}

/** True when `receipt` says that the release with this digest is what the partner carried out. */
export function carriesOut({ receipt }: Outbox, releaseDigest: string): boolean {
  return receipt !== undefined && receipt.releaseDigest === releaseDigest && receipt.state !== 'left';
}

/** True when `receipt` belongs to `decision`. */
export function receiptFollows({ decision, receipt }: Outbox): boolean {
  return decision !== undefined && receipt !== undefined && receipt.decision === decisionDigest(decision);
}

async function readDecision(exchange: Pick<FileTree, 'read'>, partnership: Partnership): Promise<Decision | undefined> {
  const bytes = await readIfThere(exchange, OUTBOX_DECISION, MAX_DECISION_NOTE);
  if (bytes === undefined) return undefined;
  const keys = partnerKeys(partnership);
  const note = openNote(bytes, [keys.accept, keys.site], { type: DECISION_TYPE });
  const decision = parseDecision(note.text);
  assertPartner(decision.partner, partnership, 'decision');
  const signers = note.signers.map(({ name }) => name);
  if (decision.by === 'manager') {
    if (!signers.includes(keys.accept.name))
      throw refuse(partnership, 'its decision claims to be the manager’s, but the accept key did not sign it');
    return decision;
  }
  await assertPolicy(exchange, partnership, decision);
  return decision;
}

/** A decision by policy counts only under a policy note of the manager that was in force at its time. */
async function assertPolicy(
  exchange: Pick<FileTree, 'read'>,
  partnership: Partnership,
  decision: Decision,
): Promise<void> {
  const bytes = await readIfThere(exchange, OUTBOX_POLICY, MAX_POLICY_NOTE);
  if (bytes === undefined)
    throw refuse(partnership, 'its decision is by policy, but there is no policy of the manager');
  const policy = parsePolicy(openNote(bytes, [partnerKeys(partnership).accept], { type: POLICY_TYPE }).text);
  assertPartner(policy.partner, partnership, 'policy');
  if (decision.time < policy.from || decision.time > policy.until) {
    throw refuse(partnership, `its decision of ${decision.time} is by policy, but the policy was not in force then`);
  }
}

async function readReceipt(exchange: Pick<FileTree, 'read'>, partnership: Partnership): Promise<Receipt | undefined> {
  const bytes = await readIfThere(exchange, OUTBOX_RECEIPT, MAX_RECEIPT_NOTE);
  if (bytes === undefined) return undefined;
  const receipt = parseReceipt(openNote(bytes, [partnerKeys(partnership).site], { type: RECEIPT_TYPE }).text);
  assertPartner(receipt.partner, partnership, 'receipt');
  return receipt;
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
  return new TieupError('TIEUP_E_VERIFY', `the outbox of ${partnership.id} cannot be trusted: ${why}`);
}
