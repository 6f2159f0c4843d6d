/**
 * Goes back to an earlier publication, at once and without the main site, and holds it: the next release does not undo it
 * until `tieup resume`.
 *
 *   publication → decision "rollback" → switch → receipt "held"        resume: decision → merge → receipt "live"
 */
import { TieupError } from '../errors.ts';
import type { Choices } from '../merge/choices.ts';
import type { Receipt } from '../protocol/receipt.ts';
import { history, readHeld, readLive, resume as endHold, type PublicationRecord } from '../publish/records.ts';
import { prepareRollback, type Restored } from '../publish/rollback.ts';
import { readKept } from './accepted-release.ts';
import { readChoices } from './choices-file.ts';
import { addChoices, carryOutRollback, intendRollback } from './decided-rollback.ts';
import { signDecision } from './decide.ts';
import { refuseWhereMainPublishes } from './hand-over.ts';
import { refuseAfterLeaving } from './left.ts';
import { mergeWith, requireAccepted, type Merged } from './merge.ts';
import type { PartnerSite } from './partner-site.ts';
import { writeReceipt } from './receipt-note.ts';
import { recoverSite, withLock } from './recover-site.ts';

export interface RolledBack {
  /** The publication that was restored. */
  readonly to: PublicationRecord;
  /** What is live now: `to` itself, or a new publication with its files. */
  readonly restored: Restored;
  readonly receipt: Receipt | undefined;
}

/**
 * @param number of a publication, see `tieup history`; the newest one with an earlier release unless given.
 * @throws TIEUP_E_CONFLICT when a file of the partner's own would be lost; `choices` then say what shall happen to it.
 */
export async function rollback(
  site: PartnerSite,
  number: number | undefined,
  choices: Choices['paths'] = {},
): Promise<RolledBack> {
  return withLock(site, async () => {
    await recoverSite(site);
    await refuseAfterLeaving(site);
    refuseWhereMainPublishes(site, 'going back at once');
    const to = await choosePublication(site, number);
    if (to.release === null) throw new TieupError('TIEUP_E_USAGE', `publication ${to.number} has no tie-up pages`);
    const kept = await readKept(site, to.release.digest);
    await prepareRollback(site.ports, site.layout, to.number, addChoices(await readChoices(site), choices));
    const intent = { publication: to.number, choices };
    await intendRollback(site, intent);
    const { digest } = await signDecision(site, {
      release: to.release.number,
      releaseDigest: to.release.digest,
      terms: kept.termsDigest,
      merge: null,
      verdict: 'rollback',
      by: 'manager',
      reason: null,
    });
    const restored = await carryOutRollback(site, intent, digest);
    return { to, restored, receipt: await writeReceipt(site) };
  });
}

/** Ends a hold and publishes the accepted release again. @throws TIEUP_E_USAGE when nothing is held. */
export async function resume(site: PartnerSite): Promise<Merged> {
  return withLock(site, async () => {
    await recoverSite(site);
    await refuseAfterLeaving(site);
    if ((await readHeld(site.ports.state)) === undefined) {
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
  const live = (await readLive(site.ports, site.layout)).record?.release?.number ?? Infinity;
  // By release, not by publication: going back twice must not lead forward again.
  const earlier = records.find(({ release }) => release !== null && release.number < live);
  if (earlier !== undefined) return earlier;
  throw new TieupError('TIEUP_E_USAGE', 'there is no earlier release to go back to', {
    hint: 'tieup history lists what was published',
  });
}
