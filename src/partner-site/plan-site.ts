/** Plans the merge of a release with this site as it is now: originals, slots, live tree and remembered choices. */
import type { ActiveContent } from '../merge/active-content.ts';
import type { Choices } from '../merge/choices.ts';
import { earlierAssets } from '../merge/earlier-assets.ts';
import { isHtml } from '../merge/file-nature.ts';
import { planMerge, type MergePlan } from '../merge/plan.ts';
import { absentPages, linksTo, type StrayLinks } from '../merge/stray-links.ts';
import { TieupError, type Problem } from '../errors.ts';
import type { ReleaseDocuments } from './open-release.ts';
import type { Release } from '../protocol/release.ts';
import type { Terms } from '../protocol/terms.ts';
import { composeEntry, resolvePlan } from '../publish/compose.ts';
import { treeNumbers } from '../publish/records.ts';
import { survey } from '../publish/survey.ts';
import type { PartnerSite } from './partner-site.ts';
import { sharedFiles } from './shared-files.ts';
import { readSlots } from './read-slots.ts';

export interface SitePlan {
  readonly plan: MergePlan;
  /** Slot files that fill nothing. */
  readonly unusedSlotFiles: readonly string[];
  /** Links between tie-up pages that lead to one which this site does not get. */
  readonly strayLinks: readonly StrayLinks[];
}

/** Reads only; slot contents become objects in the state. */
export async function planSite(
  site: PartnerSite,
  { release, releaseDigest, terms }: Pick<ReleaseDocuments, 'release' | 'releaseDigest' | 'terms'>,
  choices: Choices,
): Promise<SitePlan> {
  // A link in place of the folder of trees is refused now, not when the decision is signed and out.
  await treeNumbers(site.ports.web, site.layout);
  const slots = await readSlots(site, release, terms);
  const found = await survey(site.ports, { ...site.layout, mount: terms.mount }, release);
  // Digests of pages with filled slots: only so can be said which of them change.
  const shared = await sharedFiles(site, release, terms, choices);
  // Where the main site publishes, what is live is not this side's own word, and exactly what is decided on is published.
  const earlier =
    site.publisher === 'main' ? [] : earlierAssets(found.publication, { files: release.files, digest: releaseDigest });
  const merged = planMerge({ ...found, release, slots: slots.contents, shared, earlier, choices });
  const plan = await resolvePlan(merged, site.objects);
  await assertHarmlessWhenFilled(site, plan, terms);
  return { plan, unusedSlotFiles: slots.unused, strayLinks: await findStrayLinks(site, plan, release) };
}

/** Nothing is read where the site gets every page. */
async function findStrayLinks(site: PartnerSite, plan: MergePlan, release: Release): Promise<readonly StrayLinks[]> {
  const absent = absentPages(plan, release);
  if (absent.size === 0) return [];
  const pages = new Map<string, string[]>([...absent.keys()].map((target) => [target, []]));
  for (const entry of plan.entries) {
    if (entry.from.kind !== 'object' || !isHtml(entry.path)) continue;
    const page = await composeEntry(entry, site.objects);
    for (const target of linksTo(absent, page, entry.path)) pages.get(target)?.push(entry.path);
  }
  return [...absent]
    .map(([target, instead]) => ({ target, instead, pages: pages.get(target) ?? [] }))
    .filter((stray) => stray.pages.length > 0);
}

/**
 * Filling a slot can change how a browser reads what stands around it: a fallback that opens a comment hides what follows only
 * until it is replaced. So a page is judged as visitors will get it, not only as it was signed.
 *
 * Not instead of it: opening judges and shows the whole release as signed, because a slot that is emptied or a page that is no
 * longer withheld goes live later without a new review.
 */
async function assertHarmlessWhenFilled(site: PartnerSite, plan: MergePlan, { policy }: Terms): Promise<void> {
  const problems: Problem[] = [];
  for (const entry of plan.entries) {
    const { from, path, before, digest } = entry;
    if (from.kind !== 'object' || from.splices.length === 0 || before?.digest === digest) continue;
    const { findActiveContent, judgeActiveContent } = await import('../merge/active-content.ts');
    const signed = await site.objects.read(from.digest, from.length);
    const asFilled = findActiveContent(await composeEntry(entry, site.objects), path);
    const forbidden = judgeActiveContent(asFilled, policy);
    // Slot content is sanitised and brings none of its own: more than was signed and shown can only have been hidden.
    const hidden = uncovered(findActiveContent(signed, path), asFilled).map(({ what, line, column }) => ({
      file: path,
      message: `filling its slots uncovers ${what}, which was hidden from the review`,
      ...(line === undefined ? {} : { line }),
      ...(column === undefined ? {} : { column }),
    }));
    problems.push(...(forbidden.length > 0 ? forbidden : hidden));
  }
  if (problems.length === 0) return;
  throw new TieupError('TIEUP_E_VERIFY', 'a page whose slots you fill contains what the terms do not allow', {
    problems,
    hint: 'withhold the page or reject the release, and tell the main site',
  });
}

/**
 * What is there more often when the slots are filled than as signed, but for pictures and the like from elsewhere, which a
 * partner's own text may show within the same terms.
 */
function uncovered(signed: readonly ActiveContent[], filled: readonly ActiveContent[]): readonly ActiveContent[] {
  const shown = new Map<string, number>();
  for (const each of signed) shown.set(nameOf(each), (shown.get(nameOf(each)) ?? 0) + 1);
  return filled.filter((each) => {
    const left = shown.get(nameOf(each)) ?? 0;
    shown.set(nameOf(each), left - 1);
    return each.kind !== 'remote' && left <= 0;
  });
}

/** Without its place, which moves with what the partner writes before it. */
function nameOf({ kind, what, origin, url, integrity }: ActiveContent): string {
  return JSON.stringify([kind, what, origin, url, integrity]);
}
