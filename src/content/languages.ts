/** Pages in several languages: which language each is in, and which pages say the same in another one. */
import type { Problem } from '../errors.ts';
import { nearest } from '../protocol/nearest.ts';
import { publishedPath } from './addresses.ts';
import type { PageSource, SiteIdentity } from './source.ts';

/** A page that says the same as another one, in its language. */
export interface Alternate {
  /** Source path. */
  readonly page: string;
  /** Below the mount. */
  readonly path: string;
  readonly language: string;
  /** For visitors none of whose languages is there (`x-default`). */
  readonly isDefault: boolean;
}

export interface PageLanguage {
  readonly language: string;
  /** The page itself and its translations, by language; none when there is no translation. */
  readonly alternates: readonly Alternate[];
}

/**
 * Translations find each other in both directions, whoever of them names the other: by `translates`, or by the same path in the
 * folder of another language.
 */
export function pageLanguages(
  pages: readonly PageSource[],
  site: SiteIdentity,
  problems: Problem[],
): ReadonlyMap<string, PageLanguage> {
  const byPath = new Map(pages.map((page) => [page.path, page]));
  const groups = new Map<string, PageSource[]>();
  for (const page of pages) {
    const key = groupOf(page, byPath, site, problems);
    groups.set(key, [...(groups.get(key) ?? []), page]);
  }
  const found = new Map<string, PageLanguage>();
  for (const [original, group] of groups) {
    const members = group.map((page) => ({ page, language: languageOf(page, site) }));
    reportDoubles(members, problems);
    const preferred =
      members.find(({ language }) => same(language, site.language)) ??
      members.find(({ page }) => page.path === original) ??
      members[0];
    const alternates = members
      .map(({ page, language }): Alternate => {
        return { page: page.path, path: publishedPath(page.path), language, isDefault: page === preferred?.page };
      })
      .toSorted((a, b) => (a.language < b.language ? -1 : 1));
    for (const { page, language } of members)
      found.set(page.path, { language, alternates: members.length > 1 ? alternates : [] });
  }
  return found;
}

/** What the front matter says, or the folder, or the site. */
export function languageOf({ path, meta }: Pick<PageSource, 'path' | 'meta'>, site: SiteIdentity): string {
  return meta.language ?? folderLanguage(path, site) ?? site.language;
}

function folderLanguage(path: string, { language, languages = [] }: SiteIdentity): string | undefined {
  const [folder = '', ...below] = path.split('/');
  return below.length === 0 ? undefined : [language, ...languages].find((each) => same(each, folder));
}

/** The source path of the page that a group is named after; pages of one group are translations of each other. */
function groupOf(
  page: PageSource,
  byPath: ReadonlyMap<string, PageSource>,
  site: SiteIdentity,
  problems: Problem[],
): string {
  const { translates } = page.meta;
  if (translates === undefined) return keyOf(page.path, site);
  const target = byPath.get(translates);
  if (target === page || target === undefined) {
    const meant = nearest(translates, byPath.keys());
    const end = meant === undefined || meant === page.path ? '' : ` (did you mean ${JSON.stringify(meant)}?)`;
    const message =
      target === page
        ? '`translates` names the page itself'
        : `\`translates\` names ${JSON.stringify(translates)}, which is no page${end}`;
    problems.push({ file: page.file, message });
  } else if (target.meta.translates !== undefined) {
    const original = JSON.stringify(target.meta.translates);
    const message = `\`translates\` names ${JSON.stringify(translates)}, which is a translation itself: name ${original}`;
    problems.push({ file: page.file, message });
  }
  return keyOf(translates, site);
}

/** Without the folder of its language: `de/guide/intro.md` and `guide/intro.md` are one page in two languages. */
function keyOf(path: string, site: SiteIdentity): string {
  return folderLanguage(path, site) === undefined ? path : path.slice(path.indexOf('/') + 1);
}

function reportDoubles(
  members: readonly { readonly page: PageSource; readonly language: string }[],
  problems: Problem[],
): void {
  const seen = new Map<string, PageSource>();
  for (const { page, language } of members) {
    const other = seen.get(language.toLowerCase());
    if (other === undefined) seen.set(language.toLowerCase(), page);
    else {
      const message = `this page and ${other.file} are the same page in the same language, ${language}: give one its own \`language\``;
      problems.push({ file: page.file, message });
    }
  }
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
