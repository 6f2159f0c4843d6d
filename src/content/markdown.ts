/** What the rest of tieup asks of a Markdown engine, and nothing more: another one can take its place. */
import type { AddressUse, MarkdownFragment } from './fragment.ts';
import type { Place } from './segment.ts';

/**
 * Part of the key of every cached fragment. Raise the number with every change of what the engine makes of a text: its
 * steps, their options, the sanitiser's schema, the packages it is made of, the shape of a fragment.
 */
export const ENGINE_VERSION = 'unified/4';

export interface MarkdownEngine {
  /**
   * Markdown (CommonMark and GFM) or HTML to sanitised HTML: constant text and typed holes.
   * Depends on nothing but `source`, so that its result can be kept and made elsewhere.
   * Never throws for what a text says; that is in `problems`, with places.
   */
  compile(source: MarkdownSource): Promise<MarkdownFragment>;
}

/** Compiles texts, wherever and however often that has to be done. */
export interface MarkdownCompiler {
  /** @returns one fragment for each source, in their order. */
  compile(sources: readonly MarkdownSource[]): Promise<readonly MarkdownFragment[]>;
}

/** All that a fragment depends on beside {@link ENGINE_VERSION}: every field is part of its key. */
export interface MarkdownSource {
  readonly text: string;
  readonly format: 'md' | 'html';
  /** Whose text it is: the main site's pages may do more than what fills a slot. */
  readonly schema: 'page' | 'slot';
  /** For every id and for what refers to it; with the empty one, headings get ids of their own. */
  readonly idPrefix: string;
  /** `{{ variables }}` and `<slot>` lines are understood; otherwise they are text. */
  readonly holes: boolean;
  /** BCP 47, for the words that Markdown adds. */
  readonly language: string;
  /** Fenced code gets the colours of its language. */
  readonly highlight: boolean;
  /** Headings with ids get a link to themselves. */
  readonly headingLinks: boolean;
}

/** An address in a text, on its way to where it leads from the published page. */
export interface AddressReference {
  /** As it is written, percent-encoded. */
  readonly address: string;
  readonly kind: AddressUse;
  readonly place: Place;
}

export type ResolvedAddress =
  /** As written. */
  | { readonly kind: 'keep' }
  | { readonly kind: 'address'; readonly address: string }
  /** A picture whose size is known, with the other widths it is there in; all unescaped. */
  | { readonly kind: 'image'; readonly address: string; readonly attributes: Readonly<Record<string, string>> }
  /** Another page of the site; both addresses unescaped. */
  | { readonly kind: 'page'; readonly page: string; readonly near: string; readonly far: string };

export type AddressResolver = (reference: AddressReference) => ResolvedAddress;
