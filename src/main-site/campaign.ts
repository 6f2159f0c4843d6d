/** Which pages come and go by date, without compiling the site: for `status`, and for what runs the next push. */
import { parseFrontMatter } from '../config/front-matter.ts';
import type { Partnership } from '../config/partnership.ts';
import { scheduleOf, type ScheduledPage } from '../content/schedule.ts';
import { isFor } from '../content/source.ts';
import type { Problem } from '../errors.ts';
import { instant } from '../protocol/instant.ts';
import { ownFiles } from './own-files.ts';
import { MAX_PAGE } from './read-pages.ts';
import type { MainSite } from './main-site.ts';

/** @throws TIEUP_E_CONTENT when the front matter of such a page cannot be read. */
export async function readCampaign({ config, files, clock }: MainSite): Promise<readonly ScheduledPage[]> {
  const { folders, site } = config;
  const scheduled: ScheduledPage[] = [];
  const problems: Problem[] = [];
  for await (const { path } of ownFiles(files, folders.pages)) {
    if (!path.endsWith('.md')) continue;
    const file = `${folders.pages}/${path}`;
    const text = new TextDecoder().decode(await files.read(file, MAX_PAGE));
    // Nearly no page has dates, and only YAML tells for sure.
    if (!/publish-(?:from|until)/.test(text)) continue;
    const { meta } = parseFrontMatter(text, file);
    const entry = meta.draft ? undefined : scheduleOf({ path, file, meta }, site.timeZone, clock.now(), problems);
    if (entry !== undefined) scheduled.push(entry);
  }
  return scheduled;
}

/** Pages for this partner that came or went since `pushed`, the instant of the last push. */
export function changedSince(
  scheduled: readonly ScheduledPage[],
  partnership: Partnership,
  pushed: string,
  now: Date,
): readonly ScheduledPage[] {
  const passed = (each: string | null): boolean => each !== null && each > pushed && each <= instant(now);
  return scheduled.filter((page) => isFor(page, partnership) && (passed(page.from) || passed(page.until)));
}
