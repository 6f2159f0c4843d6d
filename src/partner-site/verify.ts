/** Compares the live tree with what was signed and published: every file changed, missing or extra. Reads only. */
import type { Choices } from '../merge/choices.ts';
import type { DeadLink } from '../merge/link-check.ts';
import { indexOccupants } from '../merge/occupants.ts';
import { byteOrder } from '../protocol/byte-order.ts';
import { readLive, type PublicationRecord } from '../publish/records.ts';
import { verifyLive, type Difference } from '../publish/verify.ts';
import { checkLiveLinks } from './check-links.ts';
import { readChoices } from './choices-file.ts';
import { notAsDecided, undecidedRelease, type Undecided } from './not-decided.ts';
import type { PartnerSite } from './partner-site.ts';
import { recoverSite, withLock } from './recover-site.ts';

export interface Verification {
  /** Undefined when nothing was published yet. */
  readonly live: PublicationRecord | undefined;
  /** Where the main site publishes: what it says is live and nobody here has decided on; undefined where there is no such thing. */
  readonly undecided: Undecided | undefined;
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
    const differences = joined(await verifyLive(site.ports, site.layout), await notAsDecided(site, record));
    const kept = keptByChoice(differences, await readChoices(site));
    return {
      live: record,
      undecided: await undecidedRelease(site, record),
      differences: differences.filter(({ kind, path }) => kind !== 'extra' || !kept.has(path)),
      kept: [...kept],
      deadLinks: links ? await checkLiveLinks(site) : undefined,
    };
  });
}

/** Sorted by path; of each path the first that is said. */
function joined(...found: readonly (readonly Difference[])[]): readonly Difference[] {
  const byPath = new Map<string, Difference>();
  for (const each of found.flat()) if (!byPath.has(each.path)) byPath.set(each.path, each);
  return [...byPath.values()].toSorted((a, b) => byteOrder(a.path, b.path));
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
