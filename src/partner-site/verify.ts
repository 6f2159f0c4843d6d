/** Compares the live tree with what was signed and published: every file changed, missing or extra. Reads only. */
import type { Choices } from '../merge/choices.ts';
import type { DeadLink } from '../merge/link-check.ts';
import { indexOccupants } from '../merge/occupants.ts';
import { byteOrder } from '../protocol/byte-order.ts';
import { readLive, type PublicationRecord } from '../publish/records.ts';
import { verifyLive, type Difference } from '../publish/verify.ts';
import { checkLiveLinks } from './check-links.ts';
import { readChoices } from './choices-file.ts';
import { liveRelease } from './go-live.ts';
import { undecided } from './hand-over.ts';
import type { PartnerSite } from './partner-site.ts';
import { recoverSite, withLock } from './recover-site.ts';

export interface Verification {
  /** Undefined when nothing was published yet. */
  readonly live: PublicationRecord | undefined;
  readonly differences: readonly Difference[];
  /** Own files under the mount that the manager chose to keep where a tie-up page would stand; from the web root. */
  readonly kept: readonly string[];
  /** Undefined unless it was looked for. */
  readonly deadLinks: readonly DeadLink[] | undefined;
}

/** @param links follow the links of all live pages as well */
export async function verify(
  site: PartnerSite,
  { links }: { readonly links: boolean } = { links: false },
): Promise<Verification> {
  return withLock(site, async () => {
    await recoverSite(site);
    const { record } = await readLive(site.ports, site.layout);
    const differences = [...(await verifyLive(site.ports, site.layout)), ...(await notDecided(site))];
    const kept = keptByChoice(differences, await readChoices(site));
    return {
      live: record,
      differences: differences.filter(({ kind, path }) => kind !== 'extra' || !kept.has(path)),
      kept: [...kept],
      deadLinks: links ? await checkLiveLinks(site) : undefined,
    };
  });
}

/** Where the main site publishes, its records are no proof: what is live is compared with what was decided here. */
async function notDecided(site: PartnerSite): Promise<readonly Difference[]> {
  if (site.publisher !== 'main' || (await liveRelease(site)) === undefined) return [];
  return (await undecided(site)).map((path) => ({ kind: 'changed', path }));
}

/** What stands in the way of a tie-up page for which the manager said: keep mine, or publish yours under another name. */
function keptByChoice(differences: readonly Difference[], { paths }: Choices): ReadonlySet<string> {
  const extra = differences.filter(({ kind }) => kind === 'extra').map(({ path }) => ({ path, kind: 'file' }) as const);
  const index = indexOccupants(extra);
  const kept = Object.entries(paths)
    .filter(([, choice]) => choice !== 'take-theirs')
    .flatMap(([path]) => index.collidingWith(path).map((found) => found.path));
  return new Set(kept.toSorted(byteOrder));
}
