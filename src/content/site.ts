/**
 * The main site, compiled once for all partners: cost grows with pages plus partners, and for each partner's page with
 * the bytes that are copied.
 */
import { TieupError, type Problem } from '../errors.ts';
import { byteOrder } from '../protocol/byte-order.ts';
import { nearest } from '../protocol/nearest.ts';
import { pathFault } from '../protocol/names.ts';
import { ASSETS, publishedPath } from './addresses.ts';
import { hasFeed, insertByPath, listDocuments } from './documents.ts';
import { pageLanguages } from './languages.ts';
import { AssetNames, type PublishedAsset } from './assets.ts';
import { checkSite } from './check-site.ts';
import { collect, isFurther, paginate, type Collections } from './collections.ts';
import { holds } from './condition.ts';
import { foldPath, linkResolver } from './links.ts';
import { compileHere } from './compile-here.ts';
import type { CompiledSite, PageSummary, SiteAsset, SiteFile } from './compiled-site.ts';
import type { MarkdownFragment } from './fragment.ts';
import type { MarkdownCompiler, MarkdownSource } from './markdown.ts';
import { Navigation, type NavigationEntry } from './navigation.ts';
import { textsOf, type PageTexts } from './page-texts.ts';
import type { CompiledPage } from './compiled-page.ts';
import { compilePage } from './page.ts';
import { PartnerPage, type PageEntry } from './partner-page.ts';
import { renderRedirect } from './redirect.ts';
import { actingHoles, needsOf, valueProblems } from './needed-values.ts';
import { applySchedule, type Schedule, type ScheduledPage } from './schedule.ts';
import { isFor, type PageSource, type PartnerView, type SiteIdentity, type SiteSource } from './source.ts';
import { withoutAssets } from './template-assets.ts';
import { RenderTarget } from './target.ts';
import type { Template } from './template-parts.ts';
import { compileTemplate } from './template.ts';
import { BUILT_IN } from './variables.ts';

/**
 * @param compiler compiles in this process unless given
 * @throws TIEUP_E_CONTENT with every problem of every page and template, each with its place.
 */
export async function compileSite(source: SiteSource, compiler: MarkdownCompiler = compileHere): Promise<CompiledSite> {
  const texts = siteTexts(source);
  const sources = [...texts.values()].flatMap(({ body, slots }) => [
    ...(body === undefined ? [] : [body]),
    ...slots.values(),
  ]);
  const fragments = await compiler.compile(sources);
  return composeSite(
    source,
    texts,
    new Map(
      fragments.flatMap((fragment, index) => {
        const text = sources[index];
        return text === undefined ? [] : [[text, fragment]];
      }),
    ),
  );
}

/** What has to be compiled before a site can be put together. */
export type SiteTexts = ReadonlyMap<PageSource, PageTexts>;

export function siteTexts(source: SiteSource): SiteTexts {
  return new Map(source.pages.filter(({ meta }) => !meta.draft).map((page) => [page, textsOf(page, source)]));
}

/** {@link compileSite}, where all texts have been compiled. */
export function composeSite(
  source: SiteSource,
  texts: SiteTexts,
  fragments: ReadonlyMap<MarkdownSource, MarkdownFragment>,
): CompiledSite {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const finished = [...texts.keys()].toSorted((a, b) => byteOrder(a.path, b.path));
  const { current: published, upcoming, scheduled } = scheduleFor(source, finished, problems);
  const notYet = new Set(upcoming);
  const known = [...published, ...upcoming];

  const tags = new Set(source.pages.flatMap(({ meta }) => meta.tags));
  const collections = collect(published, tags, source.site.timeZone ?? 'UTC');
  const wanted = known.flatMap((page) => paginate(page, collections, problems));
  checkSite(source, wanted, problems);
  const templateTexts = source.templates.map(({ text }) => withoutAssets(text));
  const assets = new AssetNames(source.assets, {
    hashed: source.hashAssets === true,
    texts: templateTexts,
    imageSizes: source.imageSizes,
    problems,
    warnings,
  });
  const templates = new Map(
    source.templates.map((each) => [each.name, compileTemplate(each, { names: source, assets, problems, warnings })]),
  );
  const targets = {
    pages: new Map(known.map((page) => [page.path, page.meta.partners === undefined && !notYet.has(page)])),
    folded: new Map(known.map(({ path }) => [foldPath(path), path])),
    aliases: new Set(published.flatMap((page) => page.meta.aliases)),
    assets,
    mainUrl: source.site.url,
  };
  const languages = pageLanguages(known, source.site, problems);
  const pages: CompiledPage[] = [];
  const valueNames = new Set(known.flatMap(({ meta }) => Object.keys(meta.values)));
  for (const each of wanted) {
    const page = each.source;
    const template = templateOf(page, templates, problems);
    const own = texts.get(page);
    const language = languages.get(page.path);
    if (template === undefined || own === undefined || language === undefined) continue;
    const resolve = linkResolver(page.path, each.path, targets, warnings);
    const { site, data } = source;
    const context = { site, data, collections, known: valueNames, texts: own, fragments, resolve, problems, warnings };
    // The second page of a list is no translation of the second page of another.
    const spoken = isFurther(each.pagination) ? { ...language, alternates: [] } : language;
    const compiled = compilePage(each, template, { ...context, language: spoken });
    if (!notYet.has(page)) pages.push(compiled);
  }
  const files = assets.published();
  if (problems.length > 0) throw contentError('the pages and templates have', unique(problems));
  const listed = { navigation: published.map(navigationEntry), collections };
  return new Site(source.site, pages, files, listed, unique(warnings), scheduled);
}

function scheduleFor({ site, at }: SiteSource, pages: readonly PageSource[], problems: Problem[]): Schedule {
  return at === undefined
    ? { current: pages, upcoming: [], scheduled: [] }
    : applySchedule(pages, site.timeZone ?? 'UTC', at, problems);
}

function templateOf(
  page: PageSource,
  templates: ReadonlyMap<string, Template>,
  problems: Problem[],
): Template | undefined {
  const { template } = page.meta;
  const found = templates.get(template);
  if (found !== undefined) return found;
  const meant = nearest(template, templates.keys());
  const end = meant === undefined ? '' : ` (did you mean ${JSON.stringify(meant)}?)`;
  problems.push({ file: page.file, message: `there is no template ${JSON.stringify(template)}${end}` });
  return undefined;
}

function navigationEntry({ path, meta }: PageSource): NavigationEntry {
  const label = typeof meta.navigation === 'string' ? meta.navigation : meta.title;
  return { source: path, path: publishedPath(path), label, order: meta.order, hidden: meta.navigation === false };
}

/** Where pages are named beside their own place. */
interface Listed {
  readonly navigation: readonly NavigationEntry[];
  readonly collections: Collections;
}

/** A file before it is known for which partner. */
type Entry =
  | PageEntry
  | { readonly kind: 'redirect'; readonly path: string; readonly page: CompiledPage; readonly bytes: Uint8Array }
  | { readonly kind: 'asset'; readonly path: string; readonly asset: PublishedAsset };

class Site implements CompiledSite {
  readonly pages: readonly PageSummary[];
  readonly warnings: readonly Problem[];
  readonly scheduled: readonly ScheduledPage[];
  /** Sorted by path; a mount before all of them does not change the order. */
  readonly #entries: readonly Entry[];
  readonly #listed: Listed;
  readonly #navigations = new Map<string, Navigation>();
  readonly #longest: string;
  readonly #site: SiteIdentity;

  constructor(
    site: SiteIdentity,
    pages: readonly CompiledPage[],
    assets: readonly PublishedAsset[],
    listed: Listed,
    warnings: readonly Problem[],
    scheduled: readonly ScheduledPage[],
  ) {
    this.#site = site;
    this.pages = pages;
    this.scheduled = scheduled;
    this.warnings = warnings;
    this.#listed = listed;
    const entries = [
      ...pages.map((page): Entry => ({
        kind: 'page',
        path: page.path,
        page,
        needs: needsOf(page),
        acting: actingHoles(page),
      })),
      ...pages.flatMap((page) =>
        page.aliases.map((path): Entry => {
          const bytes = renderRedirect(path, page.path, page.title, page.language);
          return { kind: 'redirect', path, page, bytes };
        }),
      ),
      ...assets.map((asset): Entry => ({ kind: 'asset', path: `${ASSETS}${asset.path}`, asset })),
    ];
    this.#entries = entries.sort((a, b) => byteOrder(a.path, b.path));
    this.#longest = entries.reduce(
      (longest, { path }) => (Buffer.byteLength(path) > Buffer.byteLength(longest) ? path : longest),
      '',
    );
  }

  filesFor(partner: PartnerView): readonly SiteFile[] {
    const own = this.#entries.filter((entry) => entry.kind === 'asset' || isFor(entry.page, partner));
    const pages = new Set(own.flatMap((entry) => (entry.kind === 'page' ? [entry.page.source] : [])));
    const target = new RenderTarget(partner, pages, this.#listed.collections, () =>
      this.#navigationOf(pages, partner.mount),
    );
    const entries = own.filter((entry) => {
      const condition = entry.kind === 'page' ? entry.page.condition : undefined;
      return condition === undefined || holds(condition, target);
    });
    this.#check(entries, target);
    const compiled = entries.flatMap((entry) => (entry.kind === 'page' ? [entry.page] : []));
    target.hasFeed = hasFeed(compiled);
    const prefix = partner.mount.slice(1);
    const files = entries.map((entry) => siteFile(entry, prefix, target));
    const further = [...listDocuments(compiled, partner, this.#site), ...imageFiles(partner)];
    return further.reduce(insertByPath, files);
  }

  /** Partners that have the same pages at the same place share theirs. */
  #navigationOf(pages: ReadonlySet<string>, mount: string): Navigation {
    const shown = this.#listed.navigation.filter(({ source }) => pages.has(source));
    const key = JSON.stringify([mount, ...shown.map(({ source }) => source)]);
    const navigation = this.#navigations.get(key) ?? new Navigation(shown, mount);
    this.#navigations.set(key, navigation);
    return navigation;
  }

  #check(entries: readonly Entry[], target: RenderTarget): void {
    const { partner } = target;
    const problems: Problem[] = [];
    for (const key of Object.keys(partner.values)) {
      if (BUILT_IN.partner.includes(key)) {
        problems.push({
          message: `the value "${key}" of partner "${partner.id}" would hide the variable \`partner.${key}\``,
        });
      }
    }
    const fault = this.#longest === '' ? undefined : pathFault(`${partner.mount.slice(1)}${this.#longest}`);
    if (fault !== undefined)
      problems.push({ message: `${JSON.stringify(this.#longest)} below the mount ${partner.mount} ${fault}` });
    const needs = entries.flatMap((entry) => (entry.kind === 'page' ? [entry.needs] : []));
    problems.push(...valueProblems(needs, target));
    if (problems.length > 0) throw contentError(`the pages for partner "${partner.id}" have`, problems);
  }
}

function siteFile(entry: Entry, prefix: string, target: RenderTarget): SiteFile {
  const path = `${prefix}${entry.path}`;
  if (entry.kind === 'asset') {
    const { source, length, digest, bytes } = entry.asset;
    return { kind: 'asset', path, file: `${ASSETS}${source.path}`, asset: source.path, length, digest, bytes };
  }
  if (entry.kind === 'page') return new PartnerPage(path, entry, target);
  const { file, path: own } = entry.page;
  return { kind: 'redirect', path, file, target: `${prefix}${own}`, render: () => entry.bytes.slice() };
}

/** Their names have a hash of their content, so that no asset of the site is in their way. */
function imageFiles({ images = [], mount }: PartnerView): readonly SiteAsset[] {
  return images.map(({ file, path, bytes, digest }) => {
    return { kind: 'asset', path: `${mount.slice(1)}${path}`, file, asset: path, length: bytes.length, digest, bytes };
  });
}

/** Each once, by place. */
function unique(problems: readonly Problem[]): Problem[] {
  const each = [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
  return each.sort(
    (a, b) =>
      byteOrder(a.file ?? '', b.file ?? '') || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
}

function contentError(what: string, problems: readonly Problem[]): TieupError {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  return new TieupError('TIEUP_E_CONTENT', `${what} ${count}`, { problems });
}
