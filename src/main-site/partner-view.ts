/** What pages and templates may know of a partner. */
import type { Partnership } from '../config/partnership.ts';
import type { PartnerView } from '../content/source.ts';

export function partnerView({ id, name, tags, url, mount, policy, values }: Partnership): PartnerView {
  return { id, name, tags, url, mount, search: policy.search, values };
}
