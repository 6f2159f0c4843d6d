/** Judges what is about to be sent by the terms of the partnership, so that nothing is sent which the partner has to refuse. */
import type { Partnership } from '../config/partnership.ts';
import { TieupError } from '../errors.ts';
import { fileKey, judgeRelease } from '../merge/judge-release.ts';
import { assetsOf } from './assets.ts';
import { harmlessContents } from './harmless.ts';
import type { MainSite } from './main-site.ts';
import { partnershipFile } from './partnerships.ts';
import type { ReleasePlan } from './plan-release.ts';
import type { SentRelease } from './sent-releases.ts';

/**
 * Files of the plan with scripts and the like, as of {@link SentRelease}; null when nobody has looked at all of them. What the
 * base had is not judged again unless the terms are others now.
 * @throws TIEUP_E_CONTENT with every page that the terms do not allow, and why.
 */
export async function judgeContent(
  site: MainSite,
  partnership: Partnership,
  plan: Pick<ReleasePlan, 'files' | 'termsDiffer'>,
  base: Pick<SentRelease, 'release' | 'active'> | undefined,
): Promise<readonly string[] | null> {
  const known = base === undefined || plan.termsDiffer ? [] : base.release.files;
  const contents = new Map(plan.files.map((planned) => [planned.file.path, planned.content]));
  const assets = assetsOf(site);
  const files = plan.files.map(({ file }) => file);
  const unchanged = new Set(known.map(fileKey));
  const harmless = harmlessContents(site.memory, site.identity);
  const unseen = plan.files.filter(
    (planned) => !harmless.has(planned) && (unchanged.size === 0 || !unchanged.has(fileKey(planned.file))),
  );
  const { found, problems } = await judgeRelease(
    unseen.map(({ file }) => file),
    [],
    partnership.policy,
    async ({ path, digest }) => {
      const content = contents.get(path);
      if (content?.kind === 'bytes') return content.render();
      return assets.read(content?.asset ?? path, digest);
    },
  );
  if (problems.length > 0) {
    throw new TieupError('TIEUP_E_CONTENT', `the terms of ${partnership.id} do not allow what its release contains`, {
      problems,
      hint: `change the pages, or the policy in ${partnershipFile(site, partnership.id)}: its manager has to accept other terms`,
    });
  }
  harmless.add(
    unseen,
    found.map(({ path }) => path),
  );
  const active = new Set(found.flatMap(({ kind, path }) => (kind === 'remote' ? [] : [path])));
  const news = files.filter(({ path }) => active.has(path)).map(fileKey);
  if (known.length === 0) return news;
  if (base === undefined || base.active === null) return null;
  const there = new Set(files.map(fileKey));
  return [...base.active.filter((each) => there.has(each)), ...news];
}
