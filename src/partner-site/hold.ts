/** A hold: after a rollback no other release is published until the manager resumes. */
import { TieupError } from '../errors.ts';
import { readHeld, readRecord } from '../publish/records.ts';
import type { PartnerSite } from './partner-site.ts';

/** @throws TIEUP_E_CONFLICT while an earlier release is held. */
export async function refuseWhileHeld(site: PartnerSite): Promise<void> {
  const held = await readHeld(site.ports.state);
  if (held === undefined) return;
  const release = (await readRecord(site.ports.state, held.publication))?.release?.number;
  throw new TieupError(
    'TIEUP_E_CONFLICT',
    `this site holds release ${release ?? '?'} since ${held.since}, so no other one is published`,
    {
      hint: 'run tieup resume first',
    },
  );
}
