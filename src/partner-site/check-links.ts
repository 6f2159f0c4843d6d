/** Finds what leads nowhere in the live tree, original pages and tie-up pages together. Reads only. */
import { type DeadLink, LinkCheck } from '../merge/link-check.ts';
import { hasLinks, readLinks } from '../merge/page-links.ts';
import { lookAround } from '../publish/look.ts';
import { treePathOf, within } from '../publish/ports.ts';
import { readLive } from '../publish/records.ts';
import type { PartnerSite } from './partner-site.ts';

/** Larger pages are not looked into. */
const MAX_PAGE = 50 * 1024 * 1024;

/** Sorted by place; the caller holds the lock. */
export async function checkLiveLinks({ ports, layout }: PartnerSite): Promise<readonly DeadLink[]> {
  const { number } = await readLive(ports, layout);
  if (layout.how === 'link' && number === 0) return [];
  const base = treePathOf(layout, number);
  const seen = (await lookAround(ports.web, base)).filter(({ kind }) => kind === 'file' || kind === 'link');
  const check = new LinkCheck({ files: new Set(seen.map(({ path }) => path)), within: '' });
  for (const { path, kind, length } of seen) {
    if (kind !== 'file' || length > MAX_PAGE || !hasLinks(path)) continue;
    const bytes = await ports.web.read(within(base, path), MAX_PAGE);
    check.add(path, readLinks(path, new TextDecoder().decode(bytes)));
  }
  return check.finish();
}
