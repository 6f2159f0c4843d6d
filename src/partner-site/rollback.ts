/**
 * Goes back to an earlier publication, at once and without the main site, and holds it: the next release does not undo it
 * until `tieup resume`.
 *
 *   publication → decision "rollback" → switch → receipt "held"        resume: decision → merge → receipt "live"
 */
import { TieupError } from '../errors.ts';
import type { Receipt } from '../protocol/receipt.ts';
import { history, readHeld, readLive, resume as endHold, type PublicationRecord } from '../publish/records.ts';
import { prepareRollback } from '../publish/rollback.ts';
import { readKept } from './accepted-release.ts';
import { readChoices } from './choices-file.ts';
import { carryOutRollback, intendRollback } from './decided-rollback.ts';
import { signDecision } from './decide.ts';
import { refuseAfterLeaving } from './left.ts';
import { mergeWith, requireAccepted, type Merged } from './merge.ts';
import type { PartnerSite } from './partner-site.ts';
import { writeReceipt } from './receipt-note.ts';
import { recoverSite, withLock } from './recover-site.ts';

export interface RolledBack {
  /** The publication that was restored. */
  readonly to: PublicationRecord;
  readonly receipt: Receipt | undefined;
}

/** @param number of a publication, see `tieup history`; the last one with another release unless given. */
export async function rollback(site: PartnerSite, number: number | undefined): Promise<RolledBack> {
  return withLock(site, async () => {
    await recoverSite(site);
    await refuseAfterLeaving(site);
    const to = await choosePublication(site, number);
    if (to.release === null) throw new TieupError('TIEUP_E_USAGE', `publication ${to.number} has no tie-up pages`);
    const kept = await readKept(site, to.release.digest);
    await prepareRollback(site.ports, site.layout, to.number, await readChoices(site));
    await intendRollback(site, to.number);
    const { digest } = await signDecision(site, {
      release: to.release.number,
      releaseDigest: to.release.digest,
      terms: kept.termsDigest,
      merge: null,
      verdict: 'rollback',
      by: 'manager',
      reason: null,
    });
    await carryOutRollback(site, to.number, digest);
    return { to, receipt: await writeReceipt(site) };
  });
}

/** Ends a hold and publishes the accepted release again. @throws TIEUP_E_USAGE when nothing is held. */
export async function resume(site: PartnerSite): Promise<Merged> {
  return withLock(site, async () => {
    await recoverSite(site);
    await refuseAfterLeaving(site);
    if ((await readHeld(site.state)) === undefined) {
      throw new TieupError('TIEUP_E_USAGE', 'nothing is held', { hint: 'tieup status shows what is live' });
    }
    const accepted = await requireAccepted(site);
    // The hold ends with the decision, not before: what is refused until then leaves it in force.
    return mergeWith(site, accepted, await readChoices(site), () => endHold(site.ports));
  });
}

async function choosePublication(site: PartnerSite, number: number | undefined): Promise<PublicationRecord> {
  const records = await history(site.ports);
  if (number !== undefined) {
    const found = records.find((record) => record.number === number);
    if (found !== undefined) return found;
    const known = records.map((record) => record.number).join(', ');
    throw new TieupError('TIEUP_E_USAGE', `there is no publication ${number}`, {
      hint: `there are: ${known === '' ? 'none yet' : known}`,
    });
  }
  const live = await readLive(site.ports, site.layout);
  const earlier = records.find(
    (record) =>
      record.number < live.number && record.release !== null && record.release.digest !== live.record?.release?.digest,
  );
  if (earlier !== undefined) return earlier;
  throw new TieupError('TIEUP_E_USAGE', 'there is no earlier release to go back to', {
    hint: 'tieup history lists what was published',
  });
}
