/**
 * Files outside the mount that both sites have a part in. There is one: the index that names the partner's own sitemaps and that of
 * the tie-up pages. It is made only where the manager asks for it, and `robots.txt` stays the partner's alone.
 */
import { mountAddress, SITEMAP_FILE } from '../content/addresses.ts';
import { renderSitemapIndex } from '../content/sitemap.ts';
import type { Choices, SharedFile } from '../merge/choices.ts';
import { sha256 } from '../protocol/digest.ts';
import type { Release } from '../protocol/release.ts';
import type { Terms } from '../protocol/terms.ts';
import type { PartnerSite } from './partner-site.ts';

/** As objects, so that merging treats them like any other file. */
export async function sharedFiles(
  { config, objects }: PartnerSite,
  release: Release,
  { mount }: Terms,
  choices: Choices,
): Promise<readonly SharedFile[]> {
  if (config.sitemap === undefined) return [];
  const { index, own } = config.sitemap;
  const ofTieUp = `${mount.slice(1)}${SITEMAP_FILE}`;
  const isThere = release.files.some(({ path }) => path === ofTieUp) && !choices.withheld.includes(ofTieUp);
  const addresses = [
    ...own.map((path) => new URL(path, config.url).href),
    ...(isThere ? [mountAddress(SITEMAP_FILE, { url: config.url, mount })] : []),
  ];
  if (addresses.length === 0) return [];
  const bytes = renderSitemapIndex(addresses);
  const digest = sha256(bytes);
  await objects.add(digest, bytes.length, bytes);
  return [{ path: index, digest, length: bytes.length }];
}
