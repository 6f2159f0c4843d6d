/** What the main site can read of a partner's answers, each verified with the partner's keys. */
import { readIfThere } from '../../src/io/read-if-there.ts';
import { DECISION_TYPE, decisionDigest, parseDecision, type Decision } from '../../src/protocol/decision.ts';
import { OUTBOX_DECISION, OUTBOX_DECISIONS, OUTBOX_RECEIPT } from '../../src/protocol/exchange.ts';
import { publicKeyOf } from '../../src/protocol/ed25519.ts';
import { openNote } from '../../src/protocol/note.ts';
import { parseReceipt, RECEIPT_TYPE, type Receipt } from '../../src/protocol/receipt.ts';
import { parseVkey, renderVkey } from '../../src/protocol/vkey.ts';
import { folderTree } from '../../src/io/folder-tree.ts';
import type { PartnerFixture } from './partner-fixture.ts';

export interface Answers {
  readonly decision: Decision | undefined;
  /** Digest of the decision. */
  readonly digest: string | undefined;
  /** Who signed the decision: `harbour/accept`. */
  readonly signers: readonly string[];
  readonly receipt: Receipt | undefined;
  /** Every decision in the outbox, the first one first. */
  readonly chain: readonly Decision[];
}

export async function answersOf(shop: PartnerFixture): Promise<Answers> {
  const exchange = folderTree(shop.path('exchange'));
  const keys = await Promise.all((['accept', 'site'] as const).map((role) => keyOf(shop, role)));
  const open = (bytes: Uint8Array) => {
    const { text, signers } = openNote(bytes, keys, { type: DECISION_TYPE });
    return { decision: parseDecision(text), signers: signers.map(({ name }) => name) };
  };
  const note = await readIfThere(exchange, OUTBOX_DECISION, 1e6);
  const last = note && open(note);
  const receipt = await readIfThere(exchange, OUTBOX_RECEIPT, 1e6);
  const chain: Decision[] = [];
  for (const { name } of await exchange.list(OUTBOX_DECISIONS)) {
    chain.push(open(await exchange.read(`${OUTBOX_DECISIONS}/${name}`, 1e6)).decision);
  }
  return {
    decision: last?.decision,
    digest: last && decisionDigest(last.decision),
    signers: last?.signers ?? [],
    receipt: receipt && parseReceipt(openNote(receipt, keys.slice(1), { type: RECEIPT_TYPE }).text),
    chain: chain.toSorted((a, b) => a.seq - b.seq),
  };
}

/** What is wrong with a chain of decisions: numbers must rise by one, each naming the one before. */
export function chainFaults(chain: readonly Decision[]): string[] {
  return chain.flatMap((decision, index) => {
    const before = chain[index - 1];
    const previous = before === undefined ? null : decisionDigest(before);
    if (decision.seq !== index + 1) return [`decision ${decision.seq} stands at place ${index + 1}`];
    return decision.previous === previous ? [] : [`decision ${decision.seq} does not name the one before`];
  });
}

async function keyOf(shop: PartnerFixture, role: 'accept' | 'site') {
  const seed = await shop.keys.load(role);
  return parseVkey(renderVkey(`${shop.id}/${role}`, publicKeyOf(seed)));
}
