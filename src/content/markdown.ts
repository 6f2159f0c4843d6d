/** What the rest of tieup asks of a Markdown engine, and nothing more: another one can take its place. */
import type { Problem } from '../errors.ts';
import type { Part, Place } from './segment.ts';

export interface MarkdownEngine {
  /**
   * Markdown (CommonMark and GFM) or HTML to sanitised HTML: constant text and typed holes.
   * Never throws for what a text says; that is in `problems`, with places.
   */
  compile(source: MarkdownSource): MarkdownFragment;
}

export interface MarkdownSource {
  readonly text: string;
  readonly format: 'md' | 'html';
  readonly file: string;
  /** 1-based line of the file on which `text` starts. */
  readonly firstLine: number;
  /** Whose text it is: the main site's pages may do more than what fills a slot. */
  readonly schema: 'page' | 'slot';
  /** For every id and for what refers to it; with the empty one, headings get ids of their own. */
  readonly idPrefix: string;
  /** `{{ variables }}` and `<slot>` lines are understood; otherwise they are text. */
  readonly holes: boolean;
  readonly resolve: AddressResolver;
}

/** An address in a text, on its way to where it leads from the published page. */
export interface AddressReference {
  /** As it is written, percent-encoded. */
  readonly address: string;
  /** What a visitor follows, or what the page shows. */
  readonly kind: 'link' | 'source';
  readonly place: Place;
}

export type ResolvedAddress =
  /** As written. */
  | { readonly kind: 'keep' }
  | { readonly kind: 'address'; readonly address: string }
  /** Another page of the site; both addresses unescaped. */
  | { readonly kind: 'page'; readonly page: string; readonly near: string; readonly far: string };

export type AddressResolver = (reference: AddressReference) => ResolvedAddress;

export interface MarkdownFragment {
  readonly parts: readonly Part[];
  readonly problems: readonly Problem[];
}
