/**
 * Where each partner stands: what it was sent, what it answered, what is live there.
 *
 *   record → inbox → outbox → one word a partner
 */
import pLimit from 'p-limit';
import type { Partnership } from '../config/partnership.ts';
import type { ScheduledPage } from '../content/schedule.ts';
import { asTieupError } from '../errors.ts';
import type { Decision } from '../protocol/decision.ts';
import type { Receipt } from '../protocol/receipt.ts';
import { changedSince, readCampaign } from './campaign.ts';
import { withDeadline } from './deadline.ts';
import { heldText, readHold } from './holds.ts';
import { freshnessOf, lifetimeWarnings } from './lifetimes.ts';
import { glanceAtRemote, type BriefState } from './learn-remote.ts';
import type { MainSite } from './main-site.ts';
import { judge, judgeContract, judgeRecord, nextCommand, STATES, type Judgement } from './partner-state.ts';
import type { PartnerState } from './partner-state.ts';
import { whyNotInForce } from './in-force.ts';
import { NO_ANSWER, type Outbox } from './read-outbox.ts';
import { readRecord, recordFound, type PartnerRecord } from './record.ts';
import { selectPartners, type Selection } from './select-partners.ts';
import { takeInAnswers } from './take-in-answers.ts';

/** What is known of a partner, as it can be handed on from machine to machine. */
export interface StatusRow {
  readonly partner: string;
  readonly state: PartnerState;
  /** The release that was pushed last; null before the first push. */
  readonly pushed: number | null;
  /** When; ISO 8601 UTC. */
  readonly pushedAt: string | null;
  /** The release that is live by the partner's last receipt that was seen. */
  readonly live: number | null;
  /** The reason of a rejection, the cause of a failure, the end of a contract. */
  readonly detail: string | null;
  readonly lastContact: string | null;
  /** The command that brings it on; null where nothing is to be done here. */
  readonly next: string | null;
  /** False when the partner should have been asked and could not be, or could not be believed. */
  readonly refreshed: boolean;
  /** What will go wrong unless somebody does something. */
  readonly warnings: readonly string[];
}

export interface PartnerStatus extends StatusRow {
  readonly decision: Decision | null;
  readonly receipt: Receipt | null;
}

export interface StatusOptions extends Omit<Selection, 'partners'> {
  /** These states alone. */
  readonly states?: ReadonlySet<PartnerState> | undefined;
  /** Asks nobody: what this machine knew last. */
  readonly cached?: boolean;
  /** A partner that does not answer within this has failed. */
  readonly deadlineMs?: number | undefined;
  /** What {@link readCampaign} has found, where that was asked before. */
  readonly campaign?: readonly ScheduledPage[] | undefined;
}

/** Asks every partner, a few at a time; the worst come first. */
export async function status(
  site: MainSite,
  partners: readonly string[],
  concurrency: number,
  { states, cached = false, deadlineMs, campaign: read, ...selection }: StatusOptions = {},
): Promise<readonly PartnerStatus[]> {
  const partnerships = await selectPartners(site, { partners, ...selection });
  const limit = pLimit(concurrency);
  const look = cached ? recallPartner : askWithin(deadlineMs);
  const campaign = read ?? (await readCampaign(site));
  const rows = await Promise.all(
    partnerships.map((partnership) =>
      limit(async () => {
        const found = await look(site, partnership);
        const hold = await readHold(site, partnership.id);
        // Then pages come and go by date only once it has ended.
        return hold === undefined
          ? withCampaign(site.clock.now(), partnership, found, campaign)
          : { ...found, warnings: [...found.warnings, heldText(partnership.id, hold)] };
      }),
    ),
  );
  return rows.filter(({ state }) => states?.has(state) ?? true).toSorted(worstFirst);
}

export function worstFirst(a: StatusRow, b: StatusRow): number {
  return STATES.indexOf(a.state) - STATES.indexOf(b.state) || (a.partner < b.partner ? -1 : 1);
}

type Look = (site: MainSite, partnership: Partnership) => Promise<PartnerStatus>;

/** What this machine knew last. */
export const recallPartner: Look = async (site, partnership) => {
  const now = site.clock.now();
  const record = await readRecord(site, partnership.id);
  const judged = judgeContract(partnership, now) ?? judgeRecord(record, now);
  return row(partnership, record, { judged, isReached: record.lastContact !== null, refreshed: true });
};

function askWithin(deadlineMs: number | undefined): Look {
  return async (site, partnership) => {
    const partner = partnership.id;
    const before = await readRecord(site, partner);
    const contract = judgeContract(partnership, site.clock.now());
    const warnings = contract?.[0] === 'ended' ? [] : await lifetimeWarnings(site, partner);
    if (partnership.status === 'invited' && contract !== undefined)
      return row(partnership, before, { judged: contract, isReached: false, refreshed: true, warnings });
    const ask = (limited: MainSite) => askPartner(limited, partnership, contract, warnings);
    try {
      return await withDeadline(site, partner, deadlineMs, ask);
    } catch (error) {
      // Nobody is surprised that a partner of old days cannot be reached.
      const judged = contract ?? (['failed', asTieupError(error).message] as const);
      return row(partnership, before, { judged, isReached: false, refreshed: contract !== undefined, warnings });
    }
  };
}

async function askPartner(
  site: MainSite,
  partnership: Partnership,
  contract: Judgement | undefined,
  lifetimes: readonly string[],
): Promise<PartnerStatus> {
  const partner = partnership.id;
  const exchange = await site.connect(partnership);
  try {
    // Another machine may have pushed since, or this one never did.
    const remote = await glanceAtRemote(site, partnership, exchange);
    if (remote.base !== undefined) await recordFound(site, partner, remote.base);
    const outbox = await takeInAnswers(site, partnership, exchange, remote.versions.targets);
    const freshness = contract?.[0] === 'ended' ? undefined : await freshnessOf(site, partner, exchange);
    const record = await readRecord(site, partner);
    const judged = contract ?? worsen(judge(record, outbox, site.clock.now()), remote, freshness?.expired);
    const warnings = [
      ...lifetimes,
      ...(outbox.pending === undefined ? [] : [pendingWarning(partner)]),
      ...(freshness?.warnings ?? []),
    ];
    return row(partnership, record, { judged, outbox, isReached: true, refreshed: true, warnings });
  } finally {
    await exchange.close();
  }
}

/** What the inbox is like may be worse than what was answered. */
function worsen(
  judged: Judgement,
  { base, hasObjects, isRekeyed }: BriefState,
  expired: string | undefined,
): Judgement {
  const isWorse = (state: PartnerState): boolean => STATES.indexOf(state) < STATES.indexOf(judged[0]);
  if (base !== undefined && !hasObjects && !isRekeyed && isWorse('drifted'))
    return ['drifted', 'its inbox does not hold what was pushed last'];
  return expired !== undefined && isWorse('expired') ? ['expired', expired] : judged;
}

/** Pages come and go by date only when somebody pushes. */
function withCampaign(
  now: Date,
  partnership: Partnership,
  found: PartnerStatus,
  scheduled: readonly ScheduledPage[],
): PartnerStatus {
  if (found.pushedAt === null || whyNotInForce(partnership, now) !== undefined) return found;
  const due = changedSince(scheduled, partnership, found.pushedAt, now).map(({ source }) => source);
  if (due.length === 0) return found;
  const named = `${due.slice(0, 3).join(', ')}${due.length > 3 ? ` and ${due.length - 3} more` : ''}`;
  const warning = `pages came or went by date since the last push (${named}): tieup push ${found.partner}`;
  return { ...found, warnings: [...found.warnings, warning] };
}

function pendingWarning(partner: string): string {
  return `it has a new accept key, which answers nothing until you trust it: tieup keys trust ${partner}`;
}

interface Found {
  readonly judged: Judgement;
  readonly outbox?: Outbox;
  readonly isReached: boolean;
  readonly refreshed: boolean;
  readonly warnings?: readonly string[];
}

function row(
  partnership: Partnership,
  record: PartnerRecord,
  { judged, outbox = NO_ANSWER, isReached, refreshed, warnings = [] }: Found,
): PartnerStatus {
  const [state, detail] = judged;
  const { decision, receipt } = outbox;
  // A partner that cannot be asked still shows what it said last.
  const told = receipt ?? record.receipt;
  return {
    partner: partnership.id,
    state,
    pushed: record.pushed?.release ?? null,
    pushedAt: record.pushed?.at ?? null,
    live: told === null || told.state === 'left' ? null : told.release,
    detail,
    decision: decision ?? null,
    receipt: receipt ?? null,
    lastContact: record.lastContact,
    next: nextCommand(partnership, state, isReached),
    refreshed,
    warnings,
  };
}
