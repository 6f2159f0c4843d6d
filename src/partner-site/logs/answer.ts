/**
 * Answers the main site's demand to see a sample of log O: exactly the records that were drawn, of exactly the tree that it names.
 *
 *   demand opened → of this epoch, of a tree of this site, newer than the last → within the manager's bound → noted → part → answer
 *
 * The main site could gain by demanding again and again, until it has seen the partner's own visitors; so the manager bounds how many
 * records are shown in a day. The thief of its login can put an old demand back, which gets no second answer.
 */
import { z } from 'zod';
import { isTieupError } from '../../errors.ts';
import { readIfThere } from '../../io/read-if-there.ts';
import { signCheckpointWith } from '../../protocol/checkpoint.ts';
import { sha256 } from '../../protocol/digest.ts';
import { INBOX_DEMAND, OUTBOX_ANSWER, OUTBOX_ANSWER_PART } from '../../protocol/exchange.ts';
import { instant } from '../../protocol/instant.ts';
import { LOG_ANSWER_TYPE, MAX_LOG_ANSWER_NOTE, parseLogAnswer, renderLogAnswer } from '../../protocol/log-answer.ts';
import {
  DEMAND_TYPE,
  demandedIndexes,
  type LogDemand,
  MAX_DEMAND_NOTE,
  parseDemand,
} from '../../protocol/log-demand.ts';
import { renderPartHead } from '../../protocol/log-part-header.ts';
import { sameHash } from '../../protocol/merkle.ts';
import { openNote, signNoteWith } from '../../protocol/note.ts';
import { parseVkey } from '../../protocol/vkey.ts';
import { readJson, writeJson } from '../../publish/records.ts';
import { ownKey, ownSigner } from '../own-keys.ts';
import type { PartnerSite } from '../partner-site.ts';
import { type LogState, originOf, treeSize } from './log-state.ts';
import { OTHERS_FAULTS } from './pins.ts';
import { partMembers } from './part-lines.ts';
import { frontierAt, stretchesOf } from './segments.ts';
import { writePart } from './write-part.ts';

export type Answer =
  | { readonly kind: 'none' }
  | { readonly kind: 'answered-before' }
  /** `dropped` of the records cannot be shown any more: they were older than logs.keepDays. */
  | { readonly kind: 'answered'; readonly records: number; readonly dropped: number }
  /** In plain words; the export goes on. */
  | { readonly kind: 'refused'; readonly why: string };

interface Answered {
  /** SHA-256 and time of the demand that was answered last. */
  readonly demand: string;
  readonly time: string;
  /** How many records were shown on which day. */
  readonly day: string;
  readonly shown: number;
}

const FILE = 'logs/answered.json';
const schema: z.ZodType<Answered> = z.strictObject({
  demand: z.string().regex(/^[0-9a-f]{64}$/),
  time: z.string(),
  day: z.string(),
  shown: z.int().min(0),
});

/** What is answered, before anything is written: the records of log O at these places leave. */
export interface PlannedAnswer {
  readonly kind: 'planned';
  readonly demand: LogDemand;
  readonly digest: string;
  readonly indexes: readonly number[];
  /** To be noted first; undefined when it is, and the answer was lost. */
  readonly note: Answered | undefined;
}

/** Answers as planned, see {@link planAnswer}. */
export async function answerDemand(site: PartnerSite, state: LogState, perDay: number): Promise<Answer> {
  const plan = await planAnswer(site, state, perDay);
  if (plan.kind !== 'planned') return plan;
  const { demand, digest, indexes, note } = plan;
  // Noted first: a crash must not let the same demand count for nothing.
  if (note !== undefined) await writeJson(site.state, FILE, note);
  return { kind: 'answered', records: indexes.length, dropped: await writeAnswer(site, state, demand, digest) };
}

/** @param perDay how many records are shown in a day (UTC) at most */
export async function planAnswer(
  site: PartnerSite,
  state: LogState,
  perDay: number,
): Promise<PlannedAnswer | Exclude<Answer, { kind: 'answered' }>> {
  const found = await readDemand(site);
  if (found === undefined) return { kind: 'none' };
  if (found.kind === 'refused') return found;
  const { demand, digest } = found;
  const last = await readJson(site.state, FILE, schema);
  const isAgain = last?.demand === digest;
  if (isAgain && (await isShown(site, digest))) return { kind: 'answered-before' };
  if (last !== undefined && !isAgain && demand.time <= last.time) {
    return refused('it is not newer than the one that was answered last');
  }
  const why = await strangeness(site, state, demand);
  if (why !== undefined) return refused(why);
  const indexes = demandedIndexes(demand);
  if (isAgain) return { kind: 'planned', demand, digest, indexes, note: undefined };
  const day = instant(site.clock.now()).slice(0, 10);
  const shown = (last?.day === day ? last.shown : 0) + indexes.length;
  if (shown > perDay) {
    return refused(
      `it would show ${indexes.length} records, ${shown} on this day, and logs.audit.perDay in tieup.yaml allows ${perDay}`,
    );
  }
  return { kind: 'planned', demand, digest, indexes, note: { demand: digest, time: demand.time, day, shown } };
}

async function readDemand(
  site: PartnerSite,
): Promise<{ kind: 'demand'; demand: LogDemand; digest: string } | Extract<Answer, { kind: 'refused' }> | undefined> {
  try {
    const note = await readIfThere(site.exchange, INBOX_DEMAND, MAX_DEMAND_NOTE);
    if (note === undefined) return undefined;
    const { text } = openNote(note, [parseVkey(site.config.main.keys.document)], { type: DEMAND_TYPE });
    return { kind: 'demand', demand: parseDemand(text), digest: sha256(text) };
  } catch (error) {
    if (!isTieupError(error, ...OTHERS_FAULTS)) throw error;
    return refused(error.message);
  }
}

/** Why the demand is not of a tree of this site; undefined when it is. */
async function strangeness(
  site: PartnerSite,
  state: LogState,
  { partner, epoch, tree }: LogDemand,
): Promise<string | undefined> {
  if (partner !== site.config.partner) return `it is for ${JSON.stringify(partner)}`;
  if (epoch !== state.epoch) return `it is of epoch ${epoch}, and this site is in epoch ${state.epoch}`;
  if (tree.size > treeSize(state.counts, 'O')) return `it is of ${tree.size} records, and log O has fewer`;
  const own = await frontierAt(site, epoch, 'O', tree.size);
  return sameHash(own.root(), tree.root) ? undefined : 'log O of this site has another root at that size';
}

/** How many of the records were dropped. */
async function writeAnswer(site: PartnerSite, state: LogState, demand: LogDemand, digest: string): Promise<number> {
  const { epoch, tree } = demand;
  const signer = await ownSigner(site, 'log');
  const note = await signCheckpointWith({ origin: originOf(site, 'O', epoch), ...tree }, signer);
  const stretches = await stretchesOf(site, state.epoch, 'O', 0, tree.size);
  const indexes = demandedIndexes(demand);
  const members = partMembers(site, renderPartHead(note, 0, []), stretches, {
    kind: 'indexes',
    indexes: new Set(indexes),
  });
  const file = await writePart(site, members, () => OUTBOX_ANSWER_PART);
  const time = instant(site.clock.now());
  const text = renderLogAnswer({ partner: site.config.partner, demand: digest, file, time });
  await site.exchange.write(OUTBOX_ANSWER, await signNoteWith(text, [signer]));
  const isDropped = (index: number) =>
    stretches.some(({ segment, from, to }) => segment.lines === undefined && index >= from && index < to);
  return indexes.filter(isDropped).length;
}

async function isShown(site: PartnerSite, digest: string): Promise<boolean> {
  const note = await readIfThere(site.exchange, OUTBOX_ANSWER, MAX_LOG_ANSWER_NOTE);
  if (note === undefined) return false;
  try {
    const answer = parseLogAnswer(openNote(note, [await ownKey(site, 'log')], { type: LOG_ANSWER_TYPE }).text);
    const part = await site.exchange.stat(OUTBOX_ANSWER_PART);
    return answer.demand === digest && part?.length === answer.file.length;
  } catch {
    return false;
  }
}

function refused(why: string): Extract<Answer, { kind: 'refused' }> {
  return { kind: 'refused', why: `the demand of the main site is not answered: ${why}` };
}
