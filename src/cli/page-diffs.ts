/** What changes in the text of each page, for a manager who wants to read it before deciding. */
import { diffPages, renderDiff } from '../merge/diff.ts';
import { isHtml } from '../merge/file-nature.ts';
import type { PartnerSite } from '../partner-site/partner-site.ts';
import { readChange } from '../partner-site/read-change.ts';
import type { Review } from '../partner-site/review.ts';
import type { Output } from './output.ts';
import { visible, visibleLines } from './visible.ts';

/** One text for each page that is new, changes or goes, by path. */
export async function pageDiffs(output: Output, site: PartnerSite, review: Review): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const path of changedPages(review)) {
    const { before, after } = await readChange(site, review.plan, path);
    texts.push(`${output.strong(visible(path))}\n${visibleLines(renderDiff(diffPages(before, after)))}`);
  }
  return texts;
}

function changedPages({ plan }: Review): readonly string[] {
  const changed = plan.entries.filter(
    ({ from, before, digest }) => from.kind === 'object' && before?.digest !== digest,
  );
  return [...changed, ...plan.removals]
    .map(({ path }) => path)
    .filter(isHtml)
    .toSorted();
}
