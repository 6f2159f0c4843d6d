/** What is wrong with a site as a whole: its paths, and names that would hide variables. */
import type { Problem } from '../errors.ts';
import { ASSETS, checkPublishedPaths, publishedPath, type PublishedPath } from './addresses.ts';
import type { PageSource, SiteSource } from './source.ts';
import { BUILT_IN } from './variables.ts';

export function checkSite(source: SiteSource, published: readonly PageSource[], problems: Problem[]): void {
  const paths: PublishedPath[] = source.assets.map(({ path }) => ({
    path: `${ASSETS}${path}`,
    file: `${ASSETS}${path}`,
  }));
  for (const { path, file, meta } of published) {
    if (!path.endsWith('.md')) problems.push({ file, message: 'a page is a Markdown file whose name ends with .md' });
    paths.push({ path: publishedPath(path), file });
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
