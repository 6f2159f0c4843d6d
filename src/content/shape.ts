/** What of a page decides which elements, ids and references it has: copies that agree in it need be read only once. */
import { sha256 } from '../protocol/digest.ts';
import { holds } from './condition.ts';
import type { HoleContext } from './encode.ts';
import type { CompiledPage } from './compiled-page.ts';
import { pageAddress } from './render.ts';
import type { AlternatesHole, FeedLinkHole, Segment, ValueHole } from './segment.ts';
import type { PartnerView } from './source.ts';
import type { RenderTarget } from './target.ts';
import { partnerValue } from './variables.ts';

/** Where a value is neither an id nor an address. */
const SHOWN: ReadonlySet<HoleContext> = new Set(['text', 'colour', 'json']);

/** Enough of what stands before a hole to know the attribute in which it stands. */
const LOOK_BACK = 500;
const IN_ATTRIBUTE = /[\s/]([^\s"'<>/=]+)\s*=\s*(?:"[^"]*|'[^']*)$/;

/**
 * Equal for copies with the same elements, the same ids and the same references, apart from the partner's web root in front of
 * them and from the partner's own pictures.
 * @param constants {@link constantsKey} of the page
 */
export function shapeKey(page: CompiledPage, constants: string, target: RenderTarget): string {
  const { partner } = target;
  const filled: unknown[] = [partner.mount, new URL(partner.url).pathname];
  const fill = (segments: readonly Segment[]): void => {
    // The end of what stands before a segment, where every hole is a letter.
    let before = '';
    for (const segment of segments) {
      if (segment instanceof Uint8Array) {
        before = `${before}${Buffer.from(segment.subarray(-LOOK_BACK)).toString('latin1')}`.slice(-LOOK_BACK);
        continue;
      }
      if (segment.kind === 'value') {
        const inert = segment.context === 'attribute' && !mayBeId(before);
        filled.push(inert ? null : shapeOf(segment, page, partner));
      } else if (segment.kind === 'link') filled.push(target.pages.has(segment.page));
      else if (segment.kind === 'navigation') filled.push(target.navigation().key(page));
      else if (segment.kind === 'alternates' || segment.kind === 'feed-link') filled.push(linksIn(segment, target));
      else if (segment.kind === 'breadcrumbs')
        filled.push(Buffer.from(target.navigation().breadcrumbs(page)).toString());
      else if (segment.kind === 'choice') {
        const held = holds(segment.condition, target);
        filled.push(held);
        fill(held ? segment.yes : segment.no);
      }
      before = segment.kind === 'choice' ? '' : `${before}x`;
    }
  };
  fill(page.segments);
  return sha256(`${constants} ${JSON.stringify(filled)}`);
}

/** How many links there are, and to what; where the partner's pages lie is said already. */
function linksIn(hole: AlternatesHole | FeedLinkHole, { partner, pages, hasFeed }: RenderTarget): unknown {
  if (hole.kind === 'feed-link') return hasFeed;
  return partner.search === 'own' && hole.alternates.filter(({ page }) => pages.has(page)).map(({ page }) => page);
}

function shapeOf({ variable, context }: ValueHole, page: CompiledPage, partner: PartnerView): unknown {
  if (SHOWN.has(context)) return null;
  if (variable.kind === 'page-address') {
    return pageAddress(page, partner, variable.which) === page.mainAddress;
  }
  // Releases and pages are counted for each partner.
  if (variable.kind !== 'partner') return [variable.kind, partner.id];
  if (variable.name === 'url') return null;
  const value = partnerValue(partner, variable.name);
  return isOwnPicture(value, partner) ? true : value;
}

/** Whether the attribute in which `before` ends gives an element its id, or may do so. */
function mayBeId(before: string): boolean {
  const name = IN_ATTRIBUTE.exec(before)?.[1];
  return name === undefined || /^(?:id|name)$/i.test(name);
}

/** Judged before it is published, and published beside the pages that show it. */
export function isOwnPicture(value: string | undefined, { images = [], mount }: PartnerView): boolean {
  return images.some(({ path }) => value === `${mount}${path}`);
}
