/** Files that list a partner's pages for machines: the sitemap, where its terms want the copies found, and the feed. */
import { byteOrder } from '../protocol/byte-order.ts';
import { FEED_FILE, mountAddress, SITEMAP_FILE } from './addresses.ts';
import { renderFeed, type FeedEntry } from './feed.ts';
import type { CompiledPage } from './compiled-page.ts';
import { renderSitemapIndex, renderSitemaps, SITEMAP_LIMITS, type SitemapEntry } from './sitemap.ts';
import type { SiteDocument, SiteFile } from './compiled-site.ts';
import type { PartnerView, SiteIdentity } from './source.ts';

interface ListDocument {
  /** Below the mount. */
  readonly path: string;
  render(): Uint8Array;
}

/** @param pages those that the partner gets */
export function listDocuments(
  pages: readonly CompiledPage[],
  partner: PartnerView,
  site: SiteIdentity,
): readonly SiteDocument[] {
  const prefix = partner.mount.slice(1);
  return [...sitemaps(pages, partner), ...feeds(pages, partner, site)].map((list) => {
    return { kind: 'document', path: `${prefix}${list.path}`, file: list.path, render: () => list.render() };
  });
}

/** Into files that are sorted by path. */
export function insertByPath(files: readonly SiteFile[], file: SiteFile): readonly SiteFile[] {
  let [low, high] = [0, files.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (byteOrder(files[middle]?.path ?? '', file.path) < 0) low = middle + 1;
    else high = middle;
  }
  return files.toSpliced(low, 0, file);
}

/** Whether the partner has a feed: nothing is news that has no date. */
export function hasFeed(pages: readonly CompiledPage[]): boolean {
  return pages.some(({ published }) => published !== undefined);
}

/** Search engines are shown no list of pages that they are told to leave out, or to find at the main site. */
function sitemaps(pages: readonly CompiledPage[], partner: PartnerView): readonly ListDocument[] {
  if (partner.search !== 'own' || pages.length === 0) return [];
  const entries = (): SitemapEntry[] =>
    pages.map((page) => ({ address: mountAddress(page.path, partner), modified: page.modified ?? page.published }));
  // An address is far shorter than a kilobyte in all but one case in a million; only large sites are rendered to be counted.
  if (pages.length <= SITEMAP_LIMITS.entries / 10)
    return [{ path: SITEMAP_FILE, render: () => renderSitemaps(entries())[0] ?? new Uint8Array() }];
  const files = renderSitemaps(entries());
  const [only] = files;
  if (files.length === 1 && only !== undefined) return [{ path: SITEMAP_FILE, render: () => only }];
  const parts = files.map((bytes, index) => ({ path: `sitemap-${index + 1}.xml`, render: () => bytes }));
  const addresses = parts.map(({ path }) => mountAddress(path, partner));
  return [{ path: SITEMAP_FILE, render: () => renderSitemapIndex(addresses) }, ...parts];
}

function feeds(pages: readonly CompiledPage[], partner: PartnerView, site: SiteIdentity): readonly ListDocument[] {
  if (!hasFeed(pages)) return [];
  const render = (): Uint8Array =>
    renderFeed(
      {
        title: `${site.name} · ${partner.name}`,
        address: mountAddress(FEED_FILE, partner),
        home: mountAddress(pages.find(({ path }) => path === 'index.html')?.path ?? '', partner),
        entries: pages.flatMap((page) => feedEntry(page, partner)),
      },
      site,
    );
  return [{ path: FEED_FILE, render }];
}

function feedEntry(page: CompiledPage, partner: PartnerView): FeedEntry[] {
  const { title, description, language, published, modified, day, path, aliases, mainAddress } = page;
  if (published === undefined || day === undefined) return [];
  const address = mountAddress(path, partner);
  return [
    {
      title,
      summary: description,
      language,
      firstPath: aliases[0] ?? path,
      day,
      published,
      updated: modified === undefined || modified < published ? published : modified,
      address,
      canonical: partner.search === 'canonical-to-main' ? mainAddress : address,
    },
  ];
}
