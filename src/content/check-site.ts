/** What is wrong with a site as a whole: its paths, and names that would hide variables. */
import type { Problem } from '../errors.ts';
import { ASSETS, checkPublishedPaths, FEED_FILE, SITEMAP_FILE, type PublishedPath } from './addresses.ts';
import { isFurther, RESERVED_TAGS, type PageToCompile } from './collections.ts';
import type { SiteSource } from './source.ts';
import { BUILT_IN } from './variables.ts';

export function checkSite(source: SiteSource, wanted: readonly PageToCompile[], problems: Problem[]): void {
  const paths: PublishedPath[] = [
    ...[FEED_FILE, SITEMAP_FILE].map((path) => ({ path, file: path })),
    ...source.assets.map(({ path }) => ({ path: `${ASSETS}${path}`, file: `${ASSETS}${path}` })),
  ];
  for (const { source: page, path, pagination } of wanted) {
    const { file, meta } = page;
    paths.push({ path, file });
    if (isFurther(pagination)) continue;
    if (!page.path.endsWith('.md')) {
      problems.push({ file, message: 'a page is a Markdown file whose name ends with .md' });
    }
    for (const tag of meta.tags.filter((name) => RESERVED_TAGS.includes(name))) {
      problems.push({ file, message: `the tag "${tag}" would hide the collection of that name: choose another` });
    }
    for (const alias of meta.aliases) {
      if (alias.endsWith('.html')) paths.push({ path: alias, file });
      else problems.push({ file, message: `the alias ${JSON.stringify(alias)} does not end with .html` });
    }
  }
  problems.push(...checkPublishedPaths(paths));
  for (const key of Object.keys(source.site.values)) {
    if (BUILT_IN.site.includes(key))
      problems.push({ message: `the site's value "${key}" would hide the variable \`site.${key}\`` });
  }
}
