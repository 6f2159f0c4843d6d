/**
 * Makes a merge plan live. What has been decided is carried out; what is found to be otherwise than planned stops it before
 * anything changed.
 *
 *     plan → bytes of every file known → number, records → link: new tree beside, one switch
 *                                                       → overwrite: journal, then file by file
 */
import { TieupError } from '../errors.ts';
import { conflictError } from '../merge/conflict.ts';
import { type LedgerEntry, renderLedger } from '../merge/ledger.ts';
import type { MergePlan } from '../merge/plan.ts';
import { sha256 } from '../protocol/digest.ts';
import { instant } from '../protocol/instant.ts';
import { renderSums } from '../protocol/sums.ts';
import { resolveEntries, type ResolvedEntry } from './compose.ts';
import { publishByLink } from './link.ts';
import { readJournal } from './journal.ts';
import { objectsOf } from './objects.ts';
import { publishByOverwriting } from './overwrite.ts';
import type { Layout, Ports } from './ports.ts';
import type { Prepared, Publication, PublishInfo } from './publication.ts';
import { pruneTrees } from './prune.ts';
import { nextNumber, type PublicationRecord, readHeld, readLive } from './records.ts';

/**
 * @throws TIEUP_E_CONFLICT when the plan has conflicts or an earlier publication is held; TIEUP_E_DRIFT when the live tree or
 * an original is not what it was when the plan was made; TIEUP_E_STORAGE. The live tree is then what it was.
 */
export async function publish(ports: Ports, layout: Layout, plan: MergePlan, info: PublishInfo): Promise<Publication> {
  const held = await readHeld(ports.state);
  if (held !== undefined) {
    throw new TieupError('TIEUP_E_CONFLICT', `publication ${held.publication} is held since ${held.since}`, {
      hint: 'run tieup resume, then try again',
    });
  }
  return carryOut(ports, layout, plan, info, { restores: null, hold: false });
}

/** {@link publish}, also for a rollback: `restores` names the earlier publication, and the outcome may be held. */
export async function carryOut(
  ports: Ports,
  layout: Layout,
  plan: MergePlan,
  info: PublishInfo,
  how: { readonly restores: number | null; readonly hold: boolean },
): Promise<Publication> {
  if (plan.conflicts.length > 0) throw conflictError(plan.conflicts);
  if ((await readJournal(ports.state)) !== undefined) throw unfinished();
  const objects = objectsOf(ports);
  const owned = await resolveEntries(
    plan.entries.filter(({ from }) => from.kind !== 'live'),
    objects,
  );
  const live = await readLive(ports, layout);
  const ledger = renderLedger(info.releaseDigest, owned.map(ledgerEntry));
  const time = instant(info.now);
  const same = Buffer.compare(ledger, renderLedger(live.ledger.releaseDigest, live.ledger.entries.values())) === 0;
  if (same && !how.hold && live.record?.decision === info.decisionDigest && isInPlace(plan, owned)) {
    return { record: live.record, written: 0, removed: 0, changed: false, unpruned: [] };
  }
  const sums = renderSums(owned);
  const record: PublicationRecord = {
    number: await nextNumber(ports, layout),
    time,
    how: layout.how,
    mount: layout.mount,
    release:
      info.release === null || info.releaseDigest === null
        ? null
        : { number: info.release.number, digest: info.releaseDigest },
    decision: info.decisionDigest,
    restores: how.restores,
    pages: plan.counts,
    files: owned.length,
    sums: sha256(sums),
    redirects: plan.redirects,
    earlier: plan.earlier,
    folders: [],
  };
  const prepared: Prepared = { plan, owned, record, ledger, sums, hold: how.hold ? time : null };
  const done =
    layout.how === 'link'
      ? await publishByLink(ports, layout, prepared, objects)
      : await publishByOverwriting(ports, layout, prepared, objects);
  return { ...done, changed: true, unpruned: await pruneTrees(ports, layout) };
}

export function unfinished(): TieupError {
  return new TieupError('TIEUP_E_DRIFT', 'an earlier publication was interrupted and is not finished', {
    hint: 'run tieup status, which finishes or undoes it, then try again',
  });
}

function ledgerEntry({ path, length, digest, release }: ResolvedEntry): LedgerEntry {
  return { path, length, digest, release };
}

/** True when every file of the plan stands there already. */
function isInPlace(plan: MergePlan, owned: readonly ResolvedEntry[]): boolean {
  return plan.removals.length === 0 && owned.every(({ digest, before }) => before?.digest === digest);
}
