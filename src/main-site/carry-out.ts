/**
 * Where the main site publishes (`publisher: main`): what a partner's manager has decided on is made live, over SFTP.
 *
 *   decision, signed and taken in → the release that it names → choices and slots by its digest → merge plan → publish
 *
 * The decision is the only reason to change a byte of the live tree, and says exactly what to: release, terms, choices and the
 * contents of slots each have their digest in it. What the site is otherwise is looked at here, and a conflict stops everything.
 */
import type { Partnership } from '../config/partnership.ts';
import { isTieupError, TieupError } from '../errors.ts';
import type { FileTree } from '../io/file-tree.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { parseMerge } from '../merge/choices.ts';
import { conflictError } from '../merge/conflict.ts';
import { planMerge } from '../merge/plan.ts';
import { decisionDigest, type Decision } from '../protocol/decision.ts';
import { sha256 } from '../protocol/digest.ts';
import { MAX_DECISION_NOTE, MAX_MERGE_TEXT, OUTBOX_DECISION, OUTBOX_MERGE } from '../protocol/exchange.ts';
import { instant } from '../protocol/instant.ts';
import { claimedText } from '../protocol/note.ts';
import { collectObjects } from '../publish/collect-objects.ts';
import { resolvePlan } from '../publish/compose.ts';
import type { ObjectStore } from '../publish/objects.ts';
import { objectsInUse } from '../publish/prune.ts';
import { publish } from '../publish/publish.ts';
import { readLive } from '../publish/records.ts';
import { survey } from '../publish/survey.ts';
import { currentTerms } from './current-terms.ts';
import { whyNotInForce } from './in-force.ts';
import { learnRemote } from './learn-remote.ts';
import { atLiveSite, makeWhole, type LiveSite } from './live-site.ts';
import type { MainSite } from './main-site.ts';
import { readRecord } from './record.ts';
import { readSent, type SentRelease } from './sent-releases.ts';
import { takeInAnswers } from './take-in-answers.ts';

/** A slot or a file of the partner's wish; what partners write is no longer. */
const MAX_CONTENT = 16 * 1024 * 1024;

export interface CarriedOut {
  readonly release: number;
  readonly releaseDigest: string;
  /** False when exactly this was live already. */
  readonly changed: boolean;
}

/**
 * Undefined when there is nothing to do: the partner publishes itself, has not decided, said no, or has confirmed it.
 * @param decision the partner's last, as it was verified and taken in
 * @param isAgain after a line that was cut: the lock may be our own
 * @throws TIEUP_E_CONFLICT and TIEUP_E_DRIFT when the site is otherwise than it was decided on, TIEUP_E_VERIFY for contents that
 * are not those of the decision, TIEUP_E_EXPIRED, TIEUP_E_CONFIG, TIEUP_E_LOCKED. The live tree is then what it was.
 */
export async function carryOut(
  site: MainSite,
  partnership: Partnership,
  exchange: FileTree,
  decision: Decision | undefined,
  isAgain = false,
): Promise<CarriedOut | undefined> {
  if (partnership.publisher !== 'main') return undefined;
  const due = await dueDecision(site, partnership, decision);
  if (due === undefined) return undefined;
  const sent = await releaseOf(site, partnership, due);
  return atLiveSite(site, partnership, isAgain, async (live) => {
    // The manager has signed another word meanwhile: the next push takes it in.
    if (!(await isLastWord(exchange, due))) return undefined;
    return publishDecided(site, live, { partnership, exchange, decision: due, sent });
  });
}

/** Whether the outbox still shows this decision; its signature was verified when it was taken in. */
async function isLastWord(exchange: FileTree, decision: Decision): Promise<boolean> {
  const note = await readIfThere(exchange, OUTBOX_DECISION, MAX_DECISION_NOTE);
  return note !== undefined && sha256(claimedText(note)) === decisionDigest(decision);
}

/** The decision, when it is a yes that was taken in and that the partner has not confirmed as done. */
async function dueDecision(
  site: MainSite,
  { id }: Partnership,
  decision: Decision | undefined,
): Promise<Decision | undefined> {
  if (decision?.verdict !== 'accepted' || decision.merge === null) return undefined;
  const { receipt, decisions } = await readRecord(site, id);
  return decisions.at(-1) === decisionDigest(decision) && receipt?.seq !== decision.seq ? decision : undefined;
}

export type Published =
  /** What the partner had agreed to is live now. */
  | { readonly kind: 'published'; readonly release: number }
  /** A publication that was cut off is finished, or undone. */
  | { readonly kind: 'recovered'; readonly how: 'finished' | 'undone' };

/**
 * Finishes what was cut off, looks for an answer and carries it out; after a push, so that what stands in its way keeps no new
 * release back.
 * @throws what taking in answers throws, and {@link carryOut}.
 */
export async function publishAnswered(
  site: MainSite,
  partnership: Partnership,
  exchange: FileTree,
  onProgress: (partner: string, step: Published) => void,
  isAgain = false,
): Promise<void> {
  if (partnership.publisher !== 'main') return;
  await recoverLive(site, partnership, exchange, onProgress, isAgain);
  const { versions } = await learnRemote(site, partnership, exchange);
  const answers = await takeInAnswers(site, partnership, exchange, versions.targets);
  const carried = await carryOut(site, answers.partnership, exchange, answers.decision, isAgain);
  if (carried?.changed === true) onProgress(partnership.id, { kind: 'published', release: carried.release });
}

/** The first part of {@link publishAnswered}, whatever the contract and the outbox say. */
export async function recoverLive(
  site: MainSite,
  partnership: Partnership,
  exchange: FileTree,
  onProgress: (partner: string, step: Published) => void,
  isAgain = false,
): Promise<void> {
  const { kind: how } = await makeWhole(site, partnership, exchange, isAgain);
  if (how !== 'nothing') onProgress(partnership.id, { kind: 'recovered', how });
}

/**
 * What a push still does for a partner to whom it may bring nothing: what is live is made whole, and where the contract is in
 * force what was decided on goes live, the pages of a rollback that is held above all.
 * @throws what {@link publishAnswered} throws
 */
export async function tendLive(
  site: MainSite,
  partnership: Partnership,
  onProgress: (partner: string, step: Published) => void,
): Promise<void> {
  if (partnership.publisher !== 'main' || partnership.sftp === null) return;
  const isInForce = whyNotInForce(partnership, site.clock.now()) === undefined;
  let exchange: FileTree;
  try {
    exchange = await site.connect(partnership);
  } catch (error) {
    // Who is no partner any more may have closed its server, or taken our login away.
    if (!isInForce && isTieupError(error, 'TIEUP_E_CONNECTION', 'TIEUP_E_LOGIN', 'TIEUP_E_HOST_KEY')) return;
    throw error;
  }
  try {
    await (isInForce ? publishAnswered : recoverLive)(site, partnership, exchange, onProgress);
  } finally {
    await exchange.close();
  }
}

interface Decided {
  readonly partnership: Partnership;
  readonly exchange: FileTree;
  readonly decision: Decision;
  readonly sent: SentRelease;
}

async function publishDecided(
  site: MainSite,
  { ports, layout, objects }: LiveSite,
  { partnership, exchange, decision, sent }: Decided,
): Promise<CarriedOut> {
  const { release, releaseDigest } = sent;
  const digest = decisionDigest(decision);
  const done: CarriedOut = { release: release.release, releaseDigest, changed: false };
  if ((await readLive(ports, layout)).record?.decision === digest) return done;
  // A decision is a word for some time, not for ever: the site it was made for may be another one by now.
  if (instant(site.clock.now()) > decision.expires) throw expired(partnership.id, decision);
  const merge = await readMerge(exchange, partnership.id, decision);
  const contents = await collectContents(exchange, partnership.id, objects, [...merge.slots, ...merge.shared]);
  await collectObjects({ exchange, objects }, release.files);
  await objects.flush();
  const lengthOf = <Named extends { readonly digest: string }>(each: Named) => ({
    ...each,
    length: contents.get(each.digest) ?? 0,
  });
  const found = await survey(ports, layout, release);
  const planned = planMerge({
    ...found,
    release,
    slots: merge.slots.map(lengthOf),
    shared: merge.shared.map(lengthOf),
    choices: merge.choices,
  });
  if (planned.conflicts.length > 0) throw conflictError(planned.conflicts);
  if (planned.mergeDigest !== decision.merge)
    throw refused(partnership.id, 'what would be published is not what its manager decided on');
  const { changed } = await publish(ports, layout, await resolvePlan(planned, objects), {
    release: { number: release.release },
    releaseDigest,
    decisionDigest: digest,
    now: site.clock.now(),
  });
  await site.history.add({ action: 'publish', partner: partnership.id, release: release.release, digest });
  if (changed) await makeRoom(objects, await objectsInUse(ports, layout), release.files);
  return { ...done, changed };
}

/** What the next publication and one that is interrupted need stays. */
async function makeRoom(
  objects: ObjectStore,
  inUse: ReadonlySet<string>,
  files: readonly { readonly digest: string }[],
): Promise<void> {
  await objects.prune(new Set([...inUse, ...files.map(({ digest }) => digest)]));
}

/** The release that the decision names, as it was sent, under the terms that are in force. */
async function releaseOf(site: MainSite, partnership: Partnership, decision: Decision): Promise<SentRelease> {
  const sent = await readSent(site, partnership.id, decision.release);
  if (sent === undefined || sent.releaseDigest !== decision.releaseDigest || sent.termsDigest !== decision.terms)
    throw refused(partnership.id, `its decision is on a release ${decision.release} that was not sent from here`);
  if ((await currentTerms(site, partnership)).digest === decision.terms) return sent;
  throw new TieupError('TIEUP_E_CONTRACT', `the terms of ${partnership.id} are others than its manager agreed to`, {
    hint: 'push, so that they are decided on; nothing was published',
  });
}

async function readMerge(exchange: FileTree, partner: string, { merge }: Decision) {
  const bytes = await readIfThere(exchange, `${OUTBOX_MERGE}/${merge}.txt`, MAX_MERGE_TEXT);
  if (bytes === undefined) throw refused(partner, 'it does not show what its manager decided on');
  if (sha256(bytes) !== merge) throw refused(partner, 'what it shows is not what its manager decided on');
  return parseMerge(new TextDecoder().decode(bytes));
}

/** By digest, the lengths of what fills slots; it is in the store then. */
async function collectContents(
  exchange: FileTree,
  partner: string,
  objects: ObjectStore,
  named: readonly { readonly digest: string }[],
): Promise<ReadonlyMap<string, number>> {
  const lengths = new Map<string, number>();
  for (const digest of new Set(named.map((each) => each.digest))) {
    const bytes = await readIfThere(exchange, `${OUTBOX_MERGE}/${digest}`, MAX_CONTENT);
    if (bytes === undefined) throw refused(partner, 'a text that fills a slot is missing');
    await objects.add(digest, bytes.length, bytes);
    lengths.set(digest, bytes.length);
  }
  return lengths;
}

function refused(partner: string, why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `nothing was published at ${partner}: ${why}`, {
    hint: 'the partner decides again with tieup accept, then push again',
  });
}

function expired(partner: string, { seq, expires }: Decision): TieupError {
  return new TieupError('TIEUP_E_EXPIRED', `decision ${seq} of ${partner} was good until ${expires}`, {
    hint: 'nothing was published; the partner decides again with tieup accept',
  });
}
