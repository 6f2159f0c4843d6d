/** Rendering: one pass over the segments, one copy of the bytes. Everything costly has happened before. */
import { TieupError } from '../errors.ts';
import { sha256, sha256Stream } from '../protocol/digest.ts';
import type { SlotRange } from '../protocol/release.ts';
import { addressBelow, FEED_FILE, mountAddress } from './addresses.ts';
import { holds } from './condition.ts';
import { encodeValue, escapeAttribute, escapeJson, type HoleContext } from './encode.ts';
import type { CompiledPage } from './page.ts';
import type {
  AlternatesHole,
  BreadcrumbsHole,
  FeedLinkHole,
  LinkHole,
  SearchHole,
  Segment,
  TrailHole,
  ValueHole,
} from './segment.ts';
import type { PartnerView } from './source.ts';
import type { RenderTarget } from './target.ts';
import { partnerValue } from './variables.ts';

export interface RenderedPage {
  readonly bytes: Uint8Array;
  /** In order of offset; empty unless the page is a framework page. */
  readonly slots: readonly SlotRange[];
}

/**
 * Room that renderings share: what was rendered into it is good until the next one. Who looks at each page of each partner
 * and keeps none of it makes no garbage outside of the heap, which would grow with the partners.
 */
export class Scratch {
  #room = new Uint8Array(0);

  take(length: number): Uint8Array {
    if (length > this.#room.length) this.#room = new Uint8Array(length * 2);
    return this.#room.subarray(0, length);
  }
}

/** Raise it with every change of how a page is filled: what was written by an older version is written again. */
const RENDER_VERSION = 'render/4';

const encoder = new TextEncoder();
const EMPTY = new Uint8Array();

/**
 * @param since release in which the page last changed, so that an unchanged page keeps its bytes
 * @param scratch where to; the bytes are the caller's own without it
 */
export function renderPage(page: CompiledPage, target: RenderTarget, since: number, scratch?: Scratch): RenderedPage {
  const collected = new Collected(page, target, since);
  collected.segments(page.segments);
  const { chunks, length, slots } = collected;
  const bytes = scratch?.take(length) ?? new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return { bytes, slots };
}

/** The bytes of a page before they are joined. */
class Collected {
  readonly chunks: Uint8Array[] = [];
  readonly slots: SlotRange[] = [];
  length = 0;
  readonly #page: CompiledPage;
  readonly #target: RenderTarget;
  readonly #since: number;
  #slotStart = 0;

  constructor(page: CompiledPage, target: RenderTarget, since: number) {
    this.#page = page;
    this.#target = target;
    this.#since = since;
  }

  segments(segments: readonly Segment[]): void {
    const page = this.#page;
    const target = this.#target;
    for (const segment of segments) {
      if (segment instanceof Uint8Array) {
        this.#copy(segment);
        continue;
      }
      switch (segment.kind) {
        case 'navigation':
          for (const piece of target.navigation().pieces(page)) this.#copy(piece);
          break;
        case 'choice':
          this.segments(holds(segment.condition, target) ? segment.yes : segment.no);
          break;
        case 'slot-start':
          this.#slotStart = this.length;
          break;
        case 'slot-end': {
          const { name } = segment;
          const offset = this.#slotStart;
          this.slots.push({ name, offset, length: this.length - offset, required: page.required.has(name) });
          break;
        }
        case 'value':
        case 'link':
        case 'breadcrumbs':
        case 'trail':
        case 'search':
        case 'alternates':
        case 'feed-link':
          this.#copy(filling(segment, page, target, this.#since));
      }
    }
  }

  #copy(bytes: Uint8Array): void {
    this.chunks.push(bytes);
    this.length += bytes.length;
  }
}

/**
 * Differs whenever the bytes or slots of {@link renderPage} would, and costs much less than they do: `constants` and a digest
 * of what they are filled with.
 * @param constants {@link constantsKey} of the page
 */
export function outputKey(page: CompiledPage, constants: string, target: RenderTarget, since: number): string {
  const filled: string[] = [];
  const fill = (segments: readonly Segment[]): void => {
    for (const segment of segments) {
      if (segment instanceof Uint8Array) continue;
      switch (segment.kind) {
        case 'link':
          filled.push(target.pages.has(segment.page) ? 'near' : 'far');
          break;
        case 'navigation':
          filled.push(target.navigation().key(page));
          break;
        case 'choice': {
          const held = holds(segment.condition, target);
          filled.push(held ? 'yes' : 'no');
          fill(held ? segment.yes : segment.no);
          break;
        }
        case 'slot-start':
        case 'slot-end':
          break;
        case 'value':
        case 'breadcrumbs':
        case 'trail':
        case 'search':
        case 'alternates':
        case 'feed-link':
          filled.push(Buffer.from(filling(segment, page, target, since)).toString());
      }
    }
  };
  fill(page.segments);
  return `${constants}-${sha256(JSON.stringify(filled))}`;
}

/** Of what a page is made of before it is filled. */
export function constantsKey({ segments, required, inherit, title, path, listedAt }: CompiledPage): string {
  const key = sha256Stream();
  const encode = (value: unknown): Uint8Array => encoder.encode(`${JSON.stringify(value)}\n`);
  key.update(encode([RENDER_VERSION, inherit, title, path, listedAt, [...required]]));
  const add = (inside: readonly Segment[]): void => {
    key.update(encode(inside.length));
    for (const segment of inside) {
      if (segment instanceof Uint8Array) {
        key.update(encode(segment.length));
        key.update(segment);
      } else if (segment.kind === 'search') {
        key.update(
          encode([segment.kind, Buffer.from(segment.canonical).toString(), Buffer.from(segment.noindex).toString()]),
        );
      } else if (segment.kind === 'choice') {
        key.update(encode([segment.kind, segment.condition]));
        add(segment.yes);
        add(segment.no);
      } else key.update(encode(segment));
    }
  };
  add(segments);
  return key.digest();
}

/** Every hole that is neither of several parts nor a border of a slot. */
type FilledHole = ValueHole | LinkHole | BreadcrumbsHole | TrailHole | SearchHole | AlternatesHole | FeedLinkHole;

/** What a hole is filled with for one partner. */
function filling(hole: FilledHole, page: CompiledPage, target: RenderTarget, since: number): Uint8Array {
  switch (hole.kind) {
    case 'value':
      return valueOf(hole, page, target, since);
    case 'link':
      return encoder.encode(target.pages.has(hole.page) ? hole.near : hole.far);
    case 'breadcrumbs':
      return target.navigation().breadcrumbs(page);
    case 'trail':
      return trailData(hole, page, target);
    case 'search':
      return searchRule(hole, target.partner);
    case 'alternates':
      return alternateLinks(hole, target);
    case 'feed-link':
      return target.hasFeed ? feedLink(target.partner) : EMPTY;
  }
}

/**
 * BreadcrumbList of schema.org, with the addresses that search engines are told. Folders without a page of their own have no
 * address and are no step; one step alone is no trail.
 */
function trailData({ mainUrl }: TrailHole, page: CompiledPage, target: RenderTarget): Uint8Array {
  const { partner } = target;
  const atMain = partner.search === 'canonical-to-main';
  const steps = target
    .navigation()
    .trail(page)
    .flatMap(({ label, path }) => (path === undefined ? [] : [{ label, path }]));
  if (steps.length < 2) return EMPTY;
  const items = steps.map(({ label, path }, index) => ({
    '@type': 'ListItem',
    position: index + 1,
    name: label.toWellFormed(),
    item: atMain ? addressBelow(mainUrl, path) : mountAddress(path, partner),
  }));
  const list = { '@context': 'https://schema.org', '@type': 'BreadcrumbList', itemListElement: items };
  return encoder.encode(`<script type="application/ld+json">${escapeJson(JSON.stringify(list))}</script>\n`);
}

function searchRule({ canonical, noindex }: SearchHole, { search }: PartnerView): Uint8Array {
  if (search === 'canonical-to-main') return canonical;
  return search === 'noindex' ? noindex : EMPTY;
}

function valueOf(hole: ValueHole, page: CompiledPage, target: RenderTarget, since: number): Uint8Array {
  const { variable, context } = hole;
  if (variable.kind === 'since') return encoder.encode(String(since));
  if (variable.kind === 'total') {
    const { collection, size } = variable;
    return encoder.encode(String(Math.max(1, Math.ceil(target.count(collection) / size))));
  }
  if (variable.kind === 'mount-address') {
    const { url, mount } = target.partner;
    return encoder.encode(encodeValue(`${addressBelow(url, mount.slice(1))}${variable.path}`, context));
  }
  if (variable.kind === 'partner') return partnerBytes(variable.name, context, target);
  return encoder.encode(encodeValue(pageAddress(page, target.partner, variable.which), context));
}

function partnerBytes(name: string, context: HoleContext, target: RenderTarget): Uint8Array {
  const key = `${context} ${name}`;
  let bytes = target.encoded.get(key);
  if (bytes === undefined) {
    const value = partnerValue(target.partner, name);
    // The partner's values have been checked before any page of it can be rendered.
    if (value === undefined) throw new TieupError('TIEUP_E_FAILED', `the value of partner.${name} was not checked`);
    bytes = encoder.encode(encodeValue(value, context));
    target.encoded.set(key, bytes);
  }
  return bytes;
}

/** Only where search engines are to index the partner's copies, and only what that partner has: each names all others. */
function alternateLinks({ alternates }: AlternatesHole, { partner, pages }: RenderTarget): Uint8Array {
  const present = partner.search === 'own' ? alternates.filter(({ page }) => pages.has(page)) : [];
  if (present.length < 2) return EMPTY;
  const link = (language: string, path: string): string =>
    `<link rel="alternate" hreflang="${escapeAttribute(language)}" href="${escapeAttribute(mountAddress(path, partner))}">\n`;
  const links = present.map(({ language, path }) => link(language, path));
  const fallback = present.find(({ isDefault }) => isDefault);
  return encoder.encode([...links, ...(fallback === undefined ? [] : [link('x-default', fallback.path)])].join(''));
}

function feedLink({ name, mount }: PartnerView): Uint8Array {
  const href = `${mount}${FEED_FILE}`;
  return encoder.encode(
    `<link rel="alternate" type="application/atom+xml" title="${escapeAttribute(name)}" href="${escapeAttribute(href)}">\n`,
  );
}

/** `url`: the page at the partner. `canonical`: the address that search engines are told. */
export function pageAddress(page: CompiledPage, partner: PartnerView, which: 'url' | 'canonical'): string {
  if (which === 'canonical' && partner.search === 'canonical-to-main') return page.mainAddress;
  return mountAddress(page.path, partner);
}
