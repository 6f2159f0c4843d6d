/** Sitemaps (sitemaps.org, protocol 0.9): what of a partner's tie-up pages search engines shall know. */
import { escapeAttribute } from './encode.ts';

export interface SitemapEntry {
  /** Absolute and percent-encoded. */
  readonly address: string;
  /** When the page was last revised, a day or an instant; undefined when nobody said so. */
  readonly modified: string | undefined;
}

export interface SitemapLimits {
  readonly entries: number;
  readonly bytes: number;
}

/** What search engines read of one file. */
export const SITEMAP_LIMITS: SitemapLimits = { entries: 50_000, bytes: 50 * 1024 * 1024 };

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n';
const END = '</urlset>\n';

/** As many files as the limits need, at least one; entries keep their order. */
export function renderSitemaps(
  entries: readonly SitemapEntry[],
  limits: SitemapLimits = SITEMAP_LIMITS,
): readonly Uint8Array[] {
  const files: string[][] = [[]];
  let length = HEAD.length + END.length;
  for (const entry of entries) {
    const line = renderEntry('url', entry);
    const bytes = Buffer.byteLength(line);
    const current = files.at(-1) ?? [];
    if (current.length > 0 && (current.length >= limits.entries || length + bytes > limits.bytes)) {
      files.push([line]);
      length = HEAD.length + END.length + bytes;
    } else {
      current.push(line);
      length += bytes;
    }
  }
  return files.map((lines) => new TextEncoder().encode(`${HEAD}${lines.join('')}${END}`));
}

/** The file that names other sitemaps, by their addresses. */
export function renderSitemapIndex(addresses: readonly string[]): Uint8Array {
  const lines = addresses.map((address) => renderEntry('sitemap', { address, modified: undefined }));
  return new TextEncoder().encode(
    `<?xml version="1.0" encoding="UTF-8"?>\n<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n${lines.join('')}</sitemapindex>\n`,
  );
}

function renderEntry(element: 'url' | 'sitemap', { address, modified }: SitemapEntry): string {
  const time = modified === undefined ? '' : `<lastmod>${escapeAttribute(modified)}</lastmod>`;
  return `<${element}><loc>${escapeAttribute(address)}</loc>${time}</${element}>\n`;
}
