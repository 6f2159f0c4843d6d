/**
 * Follows a partner's decisions from the last one that was seen to the newest: numbers rise by one, each names the digest of the
 * one before. A decision of the manager vouches for all before it, whatever key signed them; what was decided by policy since
 * then has only its own signature.
 */
import type { Partnership } from '../config/partnership.ts';
import type { FileTree } from '../io/file-tree.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { decisionDigest, parseDecision, type Decision } from '../protocol/decision.ts';
import { OUTBOX_DECISIONS, MAX_DECISION_NOTE } from '../protocol/exchange.ts';
import { claimedText } from '../protocol/note.ts';
import { RefusedAnswer } from './evidence.ts';
import { cannotBeTrusted, openDecision, type Opened } from './read-outbox.ts';

export interface Link {
  readonly decision: Decision;
  readonly digest: string;
  readonly note: Uint8Array;
  /** A later decision of the manager stands for it: what it says is history, and only its place in the chain counts. */
  readonly isVouchedFor: boolean;
}

/** So many at a time: the answer to the first is not waited for before the second is asked for. */
const AT_ONCE = 16;

/**
 * The decisions after those with the digests `seen`, oldest first; empty when there is nothing new.
 * @param seenNote the last one of `seen`, to be shown beside what contradicts it
 * @throws RefusedAnswer when the newest is older than what was seen or another one under its number, or the chain has a gap;
 * TIEUP_E_VERIFY when a link that nobody vouches for is not signed as it must be.
 */
export async function followChain(
  exchange: FileTree,
  partnership: Partnership,
  newest: Opened<Decision>,
  seen: readonly string[],
  seenNote: Uint8Array | undefined,
): Promise<readonly Link[]> {
  const { id } = partnership;
  const { seq } = newest.statement;
  const proof = new Map<string, Uint8Array>([
    ...(seenNote === undefined ? [] : [[`seen-${seen.length}.note`, seenNote] as const]),
    [`received-${seq}.note`, newest.note],
  ]);
  const wentBack = (why: string) => new RefusedAnswer(`the outbox of ${id} went back in time: ${why}`, proof);
  if (seq < seen.length) throw wentBack(`it holds decision ${seq}, but ${seen.length} was seen before`);
  if (seq === seen.length) {
    if (decisionDigest(newest.statement) === seen.at(-1)) return [];
    throw wentBack(`decision ${seq} was another one before`);
  }
  const notes = [...(await readBetween(exchange, partnership, seen.length + 1, seq, proof)), newest.note];
  const links: Link[] = [];
  for (const [index, note] of notes.entries()) {
    const number = seen.length + 1 + index;
    const decision = parseDecision(claimedText(note));
    const before = links.at(-1)?.digest ?? seen.at(-1) ?? null;
    if (decision.seq !== number || decision.previous !== before) {
      proof.set(`received-${number}.note`, note);
      throw number === seen.length + 1 && seen.length > 0
        ? wentBack(`decision ${number} does not follow decision ${seen.length} as it was seen`)
        : new RefusedAnswer(cannotBeTrusted(id, `decision ${number} does not follow the one before`), proof);
    }
    links.push({ decision, digest: decisionDigest(decision), note, isVouchedFor: false });
  }
  return verifyStanding(links, partnership);
}

/** The notes from number `from` up to `end`, which is left out. */
async function readBetween(
  exchange: FileTree,
  { id }: Partnership,
  from: number,
  end: number,
  proof: ReadonlyMap<string, Uint8Array>,
): Promise<readonly Uint8Array[]> {
  const notes: Uint8Array[] = [];
  // A signed number can be as high as it likes: what is read is bounded by what is there.
  for (let next = from; next < end; next += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, end - next) }, (_, index) => next + index);
    const read = await Promise.all(
      numbers.map((number) => readIfThere(exchange, `${OUTBOX_DECISIONS}/${number}.note`, MAX_DECISION_NOTE)),
    );
    for (const [index, note] of read.entries()) {
      if (note === undefined)
        throw new RefusedAnswer(
          cannotBeTrusted(id, `it holds decision ${end}, but not decision ${next + index} before it`),
          proof,
        );
      notes.push(note);
    }
  }
  return notes;
}

/** From the newest back to the manager's last word. */
function verifyStanding(links: readonly Link[], partnership: Partnership): readonly Link[] {
  for (let index = links.length - 1; index >= 0; index -= 1) {
    const link = links[index];
    if (link === undefined || openDecision(link.note, partnership).by === 'policy') continue;
    return links.map((each, place) => ({ ...each, isVouchedFor: place < index }));
  }
  return links;
}
