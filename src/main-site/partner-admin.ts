/**
 * The life of a partnership after its start, on the main site: suspended, resumed, ended. Each changes a few lines of
 * `partners/<id>.yaml` and nothing else: no connection, no key, and never a live page.
 *
 *   invited → active ⇄ suspended → ended
 */
import type { YamlEdit } from '../config/document.ts';
import type { Partnership } from '../config/partnership.ts';
import { TieupError } from '../errors.ts';
import { isInstant } from '../protocol/instant.ts';
import { endHold } from './holds.ts';
import type { MainSite } from './main-site.ts';
import { whyNotInForce, type NotInForce } from './in-force.ts';
import { editPartnership, loadPartnership, loadPartnerships } from './partnerships.ts';

/** A partnership with what its contract says today. */
export interface PartnershipView {
  readonly partnership: Partnership;
  /** Undefined when pages may be pushed. */
  readonly notInForce: NotInForce | undefined;
}

export interface Suspension {
  /** The last day, `YYYY-MM-DD`; undefined when nobody knows. */
  readonly until: string | undefined;
  /** One line, for colleagues; it stays on the main site. */
  readonly reason: string | undefined;
}

export async function listPartnerships(
  site: MainSite,
  wanted: readonly string[] = [],
): Promise<readonly PartnershipView[]> {
  return (await loadPartnerships(site, wanted)).map((partnership) => viewOf(site, partnership));
}

/** @throws TIEUP_E_USAGE when there is no such partnership, like all below. */
export async function showPartnership(site: MainSite, id: string): Promise<PartnershipView> {
  return viewOf(site, await loadPartnership(site, id));
}

/**
 * Suspends, or gives a suspension another date and reason.
 * @throws TIEUP_E_CONTRACT before the partner joined and after the end; TIEUP_E_USAGE for a date or reason that cannot be.
 */
export async function suspend(site: MainSite, id: string, { until, reason }: Suspension): Promise<PartnershipView> {
  const { status } = await loadPartnership(site, id);
  if (status !== 'active' && status !== 'suspended') throw wrongStatus(id, status, 'be suspended');
  if (until !== undefined) assertToCome(until, site.clock.now().toISOString().slice(0, 10));
  if (reason !== undefined && !/^[^\p{Cc}\p{Zl}\p{Zp}]{1,200}$/u.test(reason)) {
    throw new TieupError('TIEUP_E_USAGE', 'the reason must be one line of at most 200 characters');
  }
  return edit(site, id, [
    { path: ['status'], value: 'suspended' },
    { path: ['suspendedUntil'], value: until },
    { path: ['suspendedFor'], value: reason },
  ]);
}

function assertToCome(until: string, today: string): void {
  if (!isInstant(`${until}T00:00:00Z`)) {
    throw new TieupError('TIEUP_E_USAGE', `${JSON.stringify(until)} is not a date such as 2026-12-31`);
  }
  if (until >= today) return;
  throw new TieupError('TIEUP_E_USAGE', `a suspension until ${until} would be over already: today is ${today}`);
}

/**
 * Ends a suspension, also one whose date has not come, and what a rollback holds.
 * @throws TIEUP_E_CONTRACT unless it is suspended or something is held.
 */
export async function resume(site: MainSite, id: string): Promise<PartnershipView> {
  const partnership = await loadPartnership(site, id);
  const { status } = partnership;
  const wasHeld = await endHold(site, id);
  if (wasHeld && status !== 'suspended') return viewOf(site, partnership);
  if (status !== 'suspended') throw wrongStatus(id, status, 'be resumed');
  return edit(site, id, [{ path: ['status'], value: 'active' }, ...NO_SUSPENSION]);
}

/**
 * Ends the partnership for good; keys and address stay in its file as a record.
 * @param confirm the id once more: whoever ends the wrong partnership has to invite that partner again
 * @throws TIEUP_E_USAGE without it; TIEUP_E_CONTRACT when it has ended already.
 */
export async function end(site: MainSite, id: string, confirm: string | undefined): Promise<PartnershipView> {
  const { status } = await loadPartnership(site, id);
  if (status === 'ended') throw wrongStatus(id, status, 'end');
  if (confirm !== id) {
    const given = confirm === undefined ? 'needs --confirm' : `is not confirmed by ${JSON.stringify(confirm)}`;
    throw new TieupError('TIEUP_E_USAGE', `ending the partnership with ${id} ${given}`, {
      hint: `it cannot be taken back: tieup partner end ${id} --confirm ${id}`,
    });
  }
  return edit(site, id, [
    { path: ['status'], value: 'ended' },
    // An invitation that is still on its way must not bring it back to life.
    { path: ['invitation'], value: null },
    ...NO_SUSPENSION,
  ]);
}

const NO_SUSPENSION: readonly YamlEdit[] = [
  { path: ['suspendedUntil'], value: undefined },
  { path: ['suspendedFor'], value: undefined },
];

async function edit(site: MainSite, id: string, edits: readonly YamlEdit[]): Promise<PartnershipView> {
  const partnership = await editPartnership(site, id, edits);
  const { status, suspendedUntil, suspendedFor } = partnership;
  const until = suspendedUntil === undefined ? '' : ` until ${suspendedUntil}`;
  const because = suspendedFor === undefined ? '' : `: ${suspendedFor}`;
  await site.history.add({ action: 'contract', partner: id, detail: `${status}${until}${because}` });
  return viewOf(site, partnership);
}

function viewOf(site: MainSite, partnership: Partnership): PartnershipView {
  return { partnership, notInForce: whyNotInForce(partnership, site.clock.now()) };
}

const STATUS_HINT: Readonly<Record<Partnership['status'], string>> = {
  invited: 'it has not joined yet; its file can simply be removed',
  active: 'it is active: pages can be pushed',
  suspended: 'it is suspended already',
  ended: 'to start over, set its status to invited and its keys to null, then run tieup invite',
};

function wrongStatus(id: string, status: Partnership['status'], what: string): TieupError {
  return new TieupError('TIEUP_E_CONTRACT', `the partnership with ${id} cannot ${what}: its status is ${status}`, {
    hint: STATUS_HINT[status],
  });
}
