/** Compares the live tree with what was signed and published: every file changed, missing or extra. Reads only. */
import { readLive, type PublicationRecord } from '../publish/records.ts';
import { verifyLive, type Difference } from '../publish/verify.ts';
import type { PartnerSite } from './partner-site.ts';
import { recoverSite, withLock } from './recover-site.ts';

export interface Verification {
  /** Undefined when nothing was published yet. */
  readonly live: PublicationRecord | undefined;
  readonly differences: readonly Difference[];
}

export async function verify(site: PartnerSite): Promise<Verification> {
  return withLock(site, async () => {
    await recoverSite(site);
    const { record } = await readLive(site.ports, site.layout);
    return { live: record, differences: await verifyLive(site.ports, site.layout) };
  });
}
