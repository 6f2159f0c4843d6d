/**
 * What every page says of itself in its `<head>`: where it comes from and what search engines are told, whatever its template;
 * and, where a template has `{{ meta }}`, how the page is shown when somebody shares it.
 */
import { instant } from '../protocol/instant.ts';
import { startOfMoment } from '../protocol/moment.ts';
import { encodePath } from './addresses.ts';
import { escapeAttribute, escapeJson } from './encode.ts';
import type { PageLanguage } from './languages.ts';
import type { AddressResolver } from './markdown.ts';
import type { Place, SegmentWriter } from './segment.ts';
import type { PageMeta, SiteIdentity } from './source.ts';

export interface PageHead {
  readonly site: SiteIdentity;
  readonly meta: Pick<PageMeta, 'title' | 'description' | 'date' | 'updated'>;
  readonly language: PageLanguage;
  /** The page's address at the main site. */
  readonly source: string;
  /** Below the mount, percent-encoded; undefined where the page has no image. */
  readonly image: string | undefined;
  /** For what has no place of its own. */
  readonly place: Place;
}

/** The image's path below the mount, percent-encoded. @param page path of the page below the mount */
export function imagePath(
  image: string | undefined,
  page: string,
  resolve: AddressResolver,
  place: Place,
): string | undefined {
  if (image === undefined) return undefined;
  const found = resolve({ address: `/${image}`, kind: 'source', place });
  if (found.kind !== 'address') return undefined;
  // The resolver answers as seen from the page.
  return new URL(found.address, `https://site.invalid/${encodePath(page)}`).pathname.slice(1);
}

/** At the end of `<head>`. */
export function writeOrigin(writer: SegmentWriter, { source, language, place }: PageHead): void {
  const encoder = new TextEncoder();
  writer.push({
    kind: 'search',
    canonical: encoder.encode(`<link rel="canonical" href="${escapeAttribute(source)}">\n`),
    noindex: encoder.encode('<meta name="robots" content="noindex">\n'),
  });
  if (language.alternates.length > 0) writer.push({ kind: 'alternates', alternates: language.alternates });
  writer.text('<meta name="generator" content="tieup">\n<meta name="tieup-release" content="');
  writer.value({ kind: 'partner', name: 'id' }, { context: 'attribute', place });
  writer.text(' ');
  writer.value({ kind: 'since' }, { context: 'attribute', place });
  writer.text(`">\n<meta name="tieup-source" content="${escapeAttribute(source)}">\n`);
}

/** Open Graph (ogp.me), a link to the feed, and JSON-LD (schema.org). */
export function writeMeta(writer: SegmentWriter, head: PageHead): void {
  const { site, meta, language, image, place } = head;
  const { published, modified } = datesOf(meta, site);
  const property = (name: string, content: string): void => {
    writer.text(`<meta property="${name}" content="${escapeAttribute(content)}">\n`);
  };
  property('og:type', published === undefined ? 'website' : 'article');
  property('og:title', meta.title);
  if (meta.description !== '') property('og:description', meta.description);
  property('og:site_name', site.name);
  property('og:locale', language.language.replaceAll('-', '_'));
  writer.text('<meta property="og:url" content="');
  writer.value({ kind: 'page-address', which: 'canonical' }, { context: 'attribute', place });
  writer.text('">\n');
  if (image !== undefined) {
    writer.text('<meta property="og:image" content="');
    writer.value({ kind: 'mount-address', path: image }, { context: 'attribute', place });
    writer.text('">\n');
  }
  if (published !== undefined) property('article:published_time', published);
  if (modified !== undefined) property('article:modified_time', modified);
  writer.text(`<meta name="twitter:card" content="${image === undefined ? 'summary' : 'summary_large_image'}">\n`);
  writer.push({ kind: 'feed-link' });
  writeJsonLd(writer, head);
  writer.push({ kind: 'trail', mainUrl: site.url });
}

/**
 * A data block, which no browser runs. Its constant text is encoded so that it cannot end the element, and so is every
 * value that comes later (context `json`).
 */
function writeJsonLd(writer: SegmentWriter, { site, meta, language, image, place }: PageHead): void {
  const { published, modified } = datesOf(meta, site);
  const field = (name: string, value: unknown): string =>
    value === undefined || value === '' ? '' : `,${JSON.stringify(name)}:${escapeJson(JSON.stringify(value))}`;
  const isArticle = published !== undefined;
  const type = isArticle ? 'Article' : 'WebPage';
  writer.text(`<script type="application/ld+json">{"@context":"https://schema.org","@type":"${type}"`);
  writer.text(field(isArticle ? 'headline' : 'name', meta.title));
  writer.text(field('description', meta.description));
  writer.text(field('inLanguage', language.language));
  writer.text(`${field('datePublished', published)}${field('dateModified', modified)},"url":"`);
  writer.value({ kind: 'page-address', which: 'canonical' }, { context: 'json', place });
  writer.text('"');
  if (image !== undefined) {
    writer.text(',"image":"');
    writer.value({ kind: 'mount-address', path: image }, { context: 'json', place });
    writer.text('"');
  }
  writer.text(`${field('publisher', { '@type': 'Organization', name: site.name, url: site.url })}}</script>\n`);
}

/** Instants; undefined where nobody said so. */
export function datesOf(
  { date, updated }: Pick<PageMeta, 'date' | 'updated'>,
  { timeZone = 'UTC' }: SiteIdentity,
): { readonly published: string | undefined; readonly modified: string | undefined } {
  const at = (text: string | undefined) => (text === undefined ? undefined : instant(startOfMoment(text, timeZone)));
  return { published: at(date), modified: at(updated) };
}
