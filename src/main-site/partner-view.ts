/** What pages and templates may know of a partner. */
import type { Partnership } from '../config/partnership.ts';
import type { PartnerView } from '../content/source.ts';
import type { MainSite } from './main-site.ts';
import { loadPartnerImages, type CheckedImage } from './partner-images.ts';

/** With the partner's pictures. @throws TIEUP_E_CONTENT with everything that is wrong with them. */
export async function loadPartnerView(
  site: Pick<MainSite, 'config' | 'files'>,
  partnership: Partnership,
): Promise<PartnerView> {
  return partnerView(partnership, await loadPartnerImages(site, partnership));
}

/** A picture `logo` gives the values `logo`, its address, and `logo.width` and `logo.height` where they are known. */
export function partnerView(partnership: Partnership, images: readonly CheckedImage[] = []): PartnerView {
  const { id, name, tags, url, mount, policy, values } = partnership;
  const own = images.flatMap(({ name: key, image, size }): (readonly [string, string])[] => [
    [key, `${mount}${image.path}`],
    ...(size === undefined
      ? []
      : [[`${key}.width`, String(size.width)] as const, [`${key}.height`, String(size.height)] as const]),
  ]);
  return {
    id,
    name,
    tags,
    url,
    mount,
    search: policy.search,
    values: { ...values, ...Object.fromEntries(own) },
    images: images.map(({ image }) => image),
  };
}
