/** Rendering: one pass over the segments, one copy of the bytes. Everything costly has happened before. */
import { TieupError } from '../errors.ts';
import { sha256, sha256Stream } from '../protocol/digest.ts';
import type { SlotRange } from '../protocol/release.ts';
import { addressBelow, encodePath, FEED_FILE, mountAddress } from './addresses.ts';
import { holds } from './condition.ts';
import { encodeValue, escapeAttribute, escapeJson, type HoleContext } from './encode.ts';
import type { CompiledPage } from './compiled-page.ts';
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
  #room = new Uint8Array(64 * 1024);
  /** Bytes that were written since {@link clear}. */
  length = 0;

  clear(): void {
    this.length = 0;
  }

  write(bytes: Uint8Array): void {
    const end = this.length + bytes.length;
    if (end > this.#room.length) this.#grow(end);
    this.#room.set(bytes, this.length);
    this.length = end;
  }

  /** Good until more is written. */
  written(): Uint8Array {
    return this.#room.subarray(0, this.length);
  }

  #grow(length: number): void {
    const room = new Uint8Array(length * 2);
    room.set(this.written());
    this.#room = room;
  }
}

/** For callers who keep the bytes, in copies of their own. */
const shared = new Scratch();

/** Raise it with every change of how a page is filled: what was written by an older version is written again. */
const RENDER_VERSION = 'render/4';

const encoder = new TextEncoder();
const EMPTY = new Uint8Array();

/**
 * @param since release in which the page last changed, so that an unchanged page keeps its bytes
 * @param scratch where to; the bytes are the caller's own without it
 */
export function renderPage(page: CompiledPage, target: RenderTarget, since: number, scratch?: Scratch): RenderedPage {
  const room = scratch ?? shared;
  room.clear();
  const slots: SlotRange[] = [];
  renderSegments(page.segments, { page, target, since }, room, slots);
  return { bytes: scratch === undefined ? room.written().slice() : room.written(), slots };
}

/** A page for one partner. */
interface Copy {
  readonly page: CompiledPage;
  readonly target: RenderTarget;
  readonly since: number;
}

function renderSegments(segments: readonly Segment[], copy: Copy, room: Scratch, slots: SlotRange[]): void {
  for (const segment of segments) {
    if (segment instanceof Uint8Array) {
      room.write(segment);
      continue;
    }
    switch (segment.kind) {
      case 'navigation':
        for (const piece of copy.target.navigation().pieces(copy.page)) room.write(piece);
        break;
      case 'choice':
        renderSegments(holds(segment.condition, copy.target) ? segment.yes : segment.no, copy, room, slots);
        break;
      case 'slot-start': {
        const { name } = segment;
        slots.push({ name, offset: room.length, length: 0, required: copy.page.required.has(name) });
        break;
      }
      case 'slot-end': {
        // Slots do not nest.
        const slot = slots.pop();
        if (slot !== undefined) slots.push({ ...slot, length: room.length - slot.offset });
        break;
      }
      case 'value':
      case 'link':
      case 'breadcrumbs':
      case 'trail':
      case 'search':
      case 'alternates':
      case 'feed-link':
        fillHole(segment, copy, room);
    }
  }
}

/**
 * Differs whenever the bytes or slots of {@link renderPage} would, and costs much less than they do: `constants` and a digest
 * of what they are filled with.
 * @param constants {@link constantsKey} of the page
 */
export function outputKey(page: CompiledPage, constants: string, target: RenderTarget, since: number): string {
  const filled: string[] = [];
  const collect = { write: (bytes: Uint8Array) => void filled.push(textOf(bytes)) };
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
          fillHole(segment, { page, target, since }, collect);
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
        key.update(encode([segment.kind, textOf(segment.canonical), textOf(segment.noindex)]));
      } else if (segment.kind === 'link') {
        key.update(encode([segment.kind, segment.page, textOf(segment.near), textOf(segment.far)]));
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

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}

/** Every hole that is neither of several parts nor a border of a slot. */
type FilledHole = ValueHole | LinkHole | BreadcrumbsHole | TrailHole | SearchHole | AlternatesHole | FeedLinkHole;

/** Writes what a hole is filled with for one partner. */
function fillHole(hole: FilledHole, { page, target, since }: Copy, to: Pick<Scratch, 'write'>): void {
  switch (hole.kind) {
    case 'value':
      fillValue(hole, { page, target, since }, to);
      break;
    case 'link':
      to.write(target.pages.has(hole.page) ? hole.near : hole.far);
      break;
    case 'breadcrumbs':
      to.write(target.navigation().breadcrumbs(page));
      break;
    case 'trail':
      to.write(trailData(hole, page, target));
      break;
    case 'search':
      to.write(searchRule(hole, target.partner));
      break;
    case 'alternates':
      to.write(alternateLinks(hole, target));
      break;
    case 'feed-link':
      if (target.hasFeed) to.write(feedLink(target.partner));
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

function fillValue(hole: ValueHole, { page, target, since }: Copy, to: Pick<Scratch, 'write'>): void {
  const { variable, context } = hole;
  switch (variable.kind) {
    case 'partner':
      to.write(encodedOnce(target.encoded, variable.name, context, () => partnerValueOf(variable.name, target)));
      break;
    case 'page-address': {
      const { partner } = target;
      const atMain = variable.which === 'canonical' && partner.search === 'canonical-to-main';
      // Encoding works on each character alone, so that the front, of all pages, and the rest, of all partners, are done once.
      if (!atMain) to.write(encodedOnce(target.encoded, '/', context, () => mountAddress('', partner)));
      if (atMain) to.write(encodedOnce(page.encoded, 'main', context, () => page.mainAddress));
      else to.write(encodedOnce(page.encoded, 'path', context, () => encodePath(page.path)));
      break;
    }
    case 'mount-address': {
      const address = `${mountAddress('', target.partner)}${variable.path}`;
      to.write(encoder.encode(encodeValue(address, context)));
      break;
    }
    case 'since':
      to.write(encoder.encode(String(since)));
      break;
    case 'total': {
      const { collection, size } = variable;
      to.write(encoder.encode(String(Math.max(1, Math.ceil(target.count(collection) / size)))));
    }
  }
}

function partnerValueOf(name: string, { partner }: RenderTarget): string {
  const value = partnerValue(partner, name);
  // The partner's values have been checked before any page of it can be rendered.
  if (value === undefined) throw new TieupError('TIEUP_E_FAILED', `the value of partner.${name} was not checked`);
  return value;
}

/** Encodes a value for where it stands unless that was done before. */
function encodedOnce(
  done: Map<string, Uint8Array>,
  name: string,
  context: HoleContext,
  value: () => string,
): Uint8Array {
  const key = `${context} ${name}`;
  let bytes = done.get(key);
  if (bytes === undefined) {
    bytes = encoder.encode(encodeValue(value(), context));
    done.set(key, bytes);
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
