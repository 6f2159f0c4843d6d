/**
 * Where each partner stands: what it was sent, what it answered, what is live there.
 *
 *   record → outbox → one word a partner
 */
import pLimit from 'p-limit';
import type { Partnership } from '../config/partnership.ts';
import type { ScheduledPage } from '../content/schedule.ts';
import { TieupError } from '../errors.ts';
import type { Decision } from '../protocol/decision.ts';
import { instant } from '../protocol/instant.ts';
import type { Receipt } from '../protocol/receipt.ts';
import { changedSince, readCampaign } from './campaign.ts';
import { freshnessWarnings, lifetimeWarnings } from './lifetimes.ts';
import { learnRemote } from './learn-remote.ts';
import type { MainSite } from './main-site.ts';
import { loadPartnerships, whyNotInForce } from './partnerships.ts';
import { NO_ANSWER, receiptFollows, type Outbox } from './read-outbox.ts';
import { readRecord, recordFound, type PartnerRecord } from './record.ts';
import { takeInAnswers } from './take-in-answers.ts';

/** Worst first; `status` lists partners in this order. */
export const STATES = [
  'failed',
  'rejected',
  'suspended',
  'ended',
  'never',
  'pending',
  'accepted',
  'held',
  'left',
  'live',
] as const;
export type PartnerState = (typeof STATES)[number];

export interface PartnerStatus {
  readonly partner: string;
  readonly state: PartnerState;
  /** The release that was pushed last; null before the first push. */
  readonly pushed: number | null;
  /** The release that is live by the partner's last receipt that was seen. */
  readonly live: number | null;
  /** The reason of a rejection, the cause of a failure, the end of a contract. */
  readonly detail: string | null;
  readonly decision: Decision | null;
  readonly receipt: Receipt | null;
  readonly lastContact: string | null;
  /** What will go wrong unless somebody does something. */
  readonly warnings: readonly string[];
}

/** Asks every partner, a few at a time. */
export async function status(
  site: MainSite,
  partners: readonly string[],
  concurrency: number,
): Promise<readonly PartnerStatus[]> {
  const partnerships = await loadPartnerships(site, partners);
  const limit = pLimit(concurrency);
  const rows = await Promise.all(partnerships.map((partnership) => limit(() => askPartner(site, partnership))));
  const campaign = await readCampaign(site);
  const warned = await Promise.all(
    rows.map((asked, index) => withCampaign(site, partnerships[index], asked, campaign)),
  );
  return warned.toSorted(
    (a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) || (a.partner < b.partner ? -1 : 1),
  );
}

async function askPartner(site: MainSite, partnership: Partnership): Promise<PartnerStatus> {
  const partner = partnership.id;
  const before = await readRecord(site, partner);
  const contract = judgeContract(partnership, site.clock.now());
  const warnings = contract?.[0] === 'ended' ? [] : [...(await lifetimeWarnings(site, partner))];
  if (partnership.status === 'invited')
    return { ...row(partnership, before, NO_ANSWER, 'never', 'invited, has not joined yet'), warnings };
  try {
    const exchange = await site.connect(partnership);
    try {
      // Another machine may have pushed since, or this one never did.
      const { base, versions } = await learnRemote(site, partnership, exchange);
      if (base !== undefined) await recordFound(site, partner, base);
      const outbox = await takeInAnswers(site, partnership, exchange, versions.targets);
      const { pending } = outbox;
      warnings.push(...(pending === undefined ? [] : [pendingWarning(partner)]));
      if (contract?.[0] !== 'ended') warnings.push(...(await freshnessWarnings(site, partner, exchange)));
      const record = await readRecord(site, partner);
      const judged = contract ?? judge(record, outbox, site.clock.now());
      return { ...row(partnership, record, outbox, ...judged), warnings };
    } finally {
      await exchange.close();
    }
  } catch (error) {
    if (!(error instanceof TieupError)) throw error;
    // Nobody is surprised that a partner of old days cannot be reached.
    return { ...row(partnership, before, NO_ANSWER, ...(contract ?? (['failed', error.message] as const))), warnings };
  }
}

/** Pages come and go by date only when somebody pushes. */
async function withCampaign(
  site: MainSite,
  partnership: Partnership | undefined,
  found: PartnerStatus,
  scheduled: readonly ScheduledPage[],
): Promise<PartnerStatus> {
  const { pushed } = await readRecord(site, found.partner);
  const now = site.clock.now();
  if (partnership === undefined || pushed === null || whyNotInForce(partnership, now) !== undefined) return found;
  const due = changedSince(scheduled, partnership, pushed.at, now).map(({ source }) => source);
  if (due.length === 0) return found;
  const named = `${due.slice(0, 3).join(', ')}${due.length > 3 ? ` and ${due.length - 3} more` : ''}`;
  const warning = `pages came or went by date since the last push (${named}): tieup push ${found.partner}`;
  return { ...found, warnings: [...found.warnings, warning] };
}

function pendingWarning(partner: string): string {
  return `it has a new accept key, which answers nothing until you trust it: tieup keys trust ${partner}`;
}

/** The state that a contract gives which is not in force; undefined when what was pushed and answered counts. */
function judgeContract(partnership: Partnership, now: Date): readonly [PartnerState, string] | undefined {
  const why = whyNotInForce(partnership, now);
  switch (why?.kind) {
    case undefined:
    case 'invited':
    case 'early':
      return undefined;
    case 'suspended':
      return ['suspended', why.message];
    case 'ended':
    case 'over':
      return ['ended', why.message];
  }
}

/** The state of a partner from what was pushed and what it answered. */
export function judge(record: PartnerRecord, outbox: Outbox, now: Date): readonly [PartnerState, string | null] {
  const { pushed, failure } = record;
  const { decision, receipt } = outbox;
  if (failure !== null) return ['failed', failure.message];
  if (pushed === null) return ['never', null];
  if (receipt?.state === 'left') return ['left', 'the partner has taken all tie-up pages away'];
  if (receipt?.state === 'held') return ['held', `the partner holds release ${receipt.release} until it resumes`];
  const rejection = record.rejections.find(({ releaseDigest }) => releaseDigest === pushed.releaseDigest);
  if (rejection !== undefined) return ['rejected', rejection.reason];
  if (decision === undefined || decision.releaseDigest !== pushed.releaseDigest) return ['pending', null];
  if (receiptFollows(outbox)) return ['live', null];
  if (instant(now) <= decision.expires) return ['accepted', 'confirmed, not yet published'];
  return ['pending', `it was confirmed, but not published by ${decision.expires}; it has to be confirmed again`];
}

function row(
  partnership: Partnership,
  record: PartnerRecord,
  { decision, receipt }: Outbox,
  state: PartnerState,
  detail: string | null,
): Omit<PartnerStatus, 'warnings'> {
  // A partner that cannot be asked still shows what it said last.
  const told = receipt ?? record.receipt;
  return {
    partner: partnership.id,
    state,
    pushed: record.pushed?.release ?? null,
    live: told === null || told.state === 'left' ? null : told.release,
    detail,
    decision: decision ?? null,
    receipt: receipt ?? null,
    lastContact: record.lastContact,
  };
}
