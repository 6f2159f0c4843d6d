/** Rendering: one pass over the segments, one copy of the bytes. Everything costly has happened before. */
import { TieupError } from '../errors.ts';
import { sha256, sha256Stream } from '../protocol/digest.ts';
import type { SlotRange } from '../protocol/release.ts';
import { addressBelow } from './addresses.ts';
import { encodeValue, type HoleContext } from './encode.ts';
import type { Navigation } from './navigation.ts';
import type { CompiledPage } from './page.ts';
import type { ValueHole } from './segment.ts';
import type { PartnerView } from './source.ts';
import { partnerValue } from './variables.ts';

export interface RenderedPage {
  readonly bytes: Uint8Array;
  /** In order of offset; empty unless the page is a framework page. */
  readonly slots: readonly SlotRange[];
}

/** One partner as rendering sees it, shared by all of its pages. */
export interface RenderTarget {
  readonly partner: PartnerView;
  /** Source paths of the pages that this partner gets. */
  readonly pages: ReadonlySet<string>;
  readonly navigation: () => Navigation;
  /** Encoded values by context and name. */
  readonly encoded: Map<string, Uint8Array>;
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
const RENDER_VERSION = 'render/1';

const encoder = new TextEncoder();

/**
 * @param since release in which the page last changed, so that an unchanged page keeps its bytes
 * @param scratch where to; the bytes are the caller's own without it
 */
export function renderPage(page: CompiledPage, target: RenderTarget, since: number, scratch?: Scratch): RenderedPage {
  const chunks: Uint8Array[] = [];
  const ranges: SlotRange[] = [];
  let length = 0;
  let slotStart = 0;
  const copy = (bytes: Uint8Array): void => {
    chunks.push(bytes);
    length += bytes.length;
  };
  for (const segment of page.segments) {
    if (segment instanceof Uint8Array) {
      copy(segment);
      continue;
    }
    switch (segment.kind) {
      case 'value':
        copy(valueOf(segment, page, target, since));
        break;
      case 'link':
        copy(encoder.encode(target.pages.has(segment.page) ? segment.near : segment.far));
        break;
      case 'navigation':
        for (const piece of target.navigation().pieces(page.path)) copy(piece);
        break;
      case 'search':
        if (target.partner.search === 'canonical-to-main') copy(segment.canonical);
        else if (target.partner.search === 'noindex') copy(segment.noindex);
        break;
      case 'slot-start':
        slotStart = length;
        break;
      case 'slot-end': {
        const { name } = segment;
        ranges.push({ name, offset: slotStart, length: length - slotStart, required: page.required.has(name) });
        break;
      }
    }
  }
  const bytes = scratch?.take(length) ?? new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return { bytes, slots: ranges };
}

/**
 * Differs whenever the bytes or slots of {@link renderPage} would, and costs much less than they do: `constants` and a digest
 * of what they are filled with.
 * @param constants {@link constantsKey} of the page
 */
export function outputKey(page: CompiledPage, constants: string, target: RenderTarget, since: number): string {
  const filled: string[] = [];
  for (const segment of page.segments) {
    if (segment instanceof Uint8Array) continue;
    if (segment.kind === 'value') filled.push(Buffer.from(valueOf(segment, page, target, since)).toString());
    else if (segment.kind === 'link') filled.push(target.pages.has(segment.page) ? 'near' : 'far');
    else if (segment.kind === 'navigation') filled.push(target.navigation().key(page.path));
    else if (segment.kind === 'search') filled.push(target.partner.search);
  }
  return `${constants}-${sha256(JSON.stringify(filled))}`;
}

/** Of what a page is made of before it is filled. */
export function constantsKey({ segments, required, inherit, title, path }: CompiledPage): string {
  const key = sha256Stream();
  const encode = (value: unknown): Uint8Array => encoder.encode(`${JSON.stringify(value)}\n`);
  key.update(encode([RENDER_VERSION, inherit, title, path, [...required]]));
  for (const segment of segments) {
    if (segment instanceof Uint8Array) {
      key.update(encode(segment.length));
      key.update(segment);
    } else if (segment.kind === 'search') {
      key.update(
        encode([segment.kind, Buffer.from(segment.canonical).toString(), Buffer.from(segment.noindex).toString()]),
      );
    } else key.update(encode(segment));
  }
  return key.digest();
}

function valueOf(hole: ValueHole, page: CompiledPage, target: RenderTarget, since: number): Uint8Array {
  const { variable, context } = hole;
  if (variable.kind === 'since') return encoder.encode(String(since));
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

/** `url`: the page at the partner. `canonical`: the address that search engines are told. */
export function pageAddress(page: CompiledPage, partner: PartnerView, which: 'url' | 'canonical'): string {
  if (which === 'canonical' && partner.search === 'canonical-to-main') return page.mainAddress;
  return addressBelow(partner.url, `${partner.mount.slice(1)}${page.path}`);
}
