/** A page for one partner taken apart: what is the same everywhere, and what was filled in for this partner. */
import type { CompiledPage } from './compiled-page.ts';
import { holds } from './condition.ts';
import { renderPage } from './render.ts';
import type { Segment } from './segment.ts';
import type { RenderTarget } from './target.ts';

export type PagePart =
  | { readonly kind: 'constant'; readonly bytes: Uint8Array }
  /** `name` as in templates where it has one: `partner.name`. */
  | { readonly kind: 'hole'; readonly name: string; readonly bytes: Uint8Array }
  /** `bytes` are the fallback, which stands there until the partner has filled the slot. */
  | { readonly kind: 'slot'; readonly name: string; readonly bytes: Uint8Array };

/** In order; together they are what {@link renderPage} gives. */
export function dissectPage(page: CompiledPage, target: RenderTarget, since: number): readonly PagePart[] {
  const parts: PagePart[] = [];
  let slot: { readonly name: string; readonly fallback: Uint8Array[] } | undefined;
  const add = (part: PagePart): void => {
    if (slot === undefined) parts.push(part);
    else slot.fallback.push(part.bytes);
  };
  const visit = (segments: readonly Segment[], chosen: boolean): void => {
    for (const segment of segments) {
      if (segment instanceof Uint8Array) {
        add(chosen ? { kind: 'hole', name: 'choice', bytes: segment } : { kind: 'constant', bytes: segment });
      } else if (segment.kind === 'choice') {
        visit(holds(segment.condition, target) ? segment.yes : segment.no, true);
      } else if (segment.kind === 'slot-start') slot = { name: segment.name, fallback: [] };
      else if (segment.kind === 'slot-end') {
        parts.push({ kind: 'slot', name: segment.name, bytes: Buffer.concat(slot?.fallback ?? []) });
        slot = undefined;
      } else {
        const { bytes } = renderPage({ ...page, segments: [segment] }, target, since);
        add({ kind: 'hole', name: holeName(segment), bytes });
      }
    }
  };
  visit(page.segments, false);
  return parts;
}

function holeName(segment: Exclude<Segment, Uint8Array>): string {
  if (segment.kind === 'link') return `link to ${segment.page}`;
  if (segment.kind !== 'value') return segment.kind;
  const { variable } = segment;
  switch (variable.kind) {
    case 'partner':
      return `partner.${variable.name}`;
    case 'page-address':
      return `page.${variable.which}`;
    case 'mount-address':
      return `address of ${variable.path}`;
    case 'since':
      return 'release.since';
    case 'total':
      return 'pagination.total';
  }
}
