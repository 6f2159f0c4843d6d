/** The redirects of the accepted release that are live here, for the web server to answer them itself. */
import { TieupError } from '../errors.ts';
import { liveRedirects, type Redirect } from '../merge/redirects.ts';
import { readLive } from '../publish/records.ts';
import { readAccepted } from './accepted-release.ts';
import { readChoices } from './choices-file.ts';
import type { PartnerSite } from './partner-site.ts';

export interface Redirects {
  readonly release: number;
  readonly redirects: readonly Redirect[];
}

/** Reads only. @throws TIEUP_E_NOT_FOUND when nothing was accepted yet. */
export async function redirects(site: PartnerSite): Promise<Redirects> {
  const accepted = await readAccepted(site);
  if (accepted === undefined) {
    throw new TieupError('TIEUP_E_NOT_FOUND', 'no release was accepted yet', { hint: 'tieup accept' });
  }
  const { ledger } = await readLive(site.ports, site.layout);
  const { release } = accepted;
  return { release: release.release, redirects: liveRedirects(release.files, await readChoices(site), ledger) };
}
