/** What compiling a site gives: for each partner the files it gets, rendered when they are asked for. */
import type { Problem } from '../errors.ts';
import type { Inheritance } from '../protocol/release.ts';
import type { PagePart } from './dissect.ts';
import type { RenderedPage, Scratch } from './render.ts';
import type { ScheduledPage } from './schedule.ts';
import type { PartnerView } from './source.ts';

export interface CompiledSite {
  /**
   * What the partner gets, sorted by path in byte order. Cheap: nothing is rendered before it is asked for.
   * @throws TIEUP_E_CONTENT with every value that the partner lacks or that cannot stand where a page has it.
   */
  filesFor(partner: PartnerView): readonly SiteFile[];
  /** Pages that are published, drafts left out, by path. */
  readonly pages: readonly PageSummary[];
  /** What is probably not meant, such as links that lead nowhere. */
  readonly warnings: readonly Problem[];
  /** Pages that come or go by date, drafts left out. */
  readonly scheduled: readonly ScheduledPage[];
}

export interface PageSummary {
  /** Below the folder of pages. */
  readonly source: string;
  readonly file: string;
  /** Below the mount. */
  readonly path: string;
  readonly inherit: Inheritance;
  readonly title: string;
}

/** Every `path` is from the web root, `with-main/guide/intro.html`; every `file` is the main site's, for messages. */
export type SiteFile = SitePage | SiteRedirect | SiteDocument | SiteAsset;

export interface SitePage {
  readonly kind: 'page';
  readonly path: string;
  readonly file: string;
  readonly inherit: Inheritance;
  readonly title: string;
  /** Files that its text takes in: `includes/hours.md`. */
  readonly includes: readonly string[];
  /** Differs whenever what {@link render} gives does, and is had without rendering. */
  key(since: number): string;
  /** The same for copies that differ in nothing a browser acts on by itself: in words, in labels, in where links lead. */
  alike(): string;
  /** The same for copies with the same elements, ids and references, apart from web roots and from partners' own pictures. */
  shape(): string;
  /**
   * @param since the release in which this page last changed; an unchanged page keeps its bytes
   * @param scratch for who needs the bytes no longer than until the next page
   */
  render(since: number, scratch?: Scratch): RenderedPage;
  /** What is the same at every partner, and what was filled in for this one. */
  dissect(since: number): readonly PagePart[];
}

export interface SiteRedirect {
  readonly kind: 'redirect';
  readonly path: string;
  readonly file: string;
  /** From the web root as well. */
  readonly target: string;
  render(): Uint8Array;
}

/** A list of pages for machines. */
export interface SiteDocument {
  readonly kind: 'document';
  readonly path: string;
  readonly file: string;
  render(): Uint8Array;
}

export interface SiteAsset {
  readonly kind: 'asset';
  readonly path: string;
  readonly file: string;
  /** Below the folder of assets. */
  readonly asset: string;
  readonly length: number;
  readonly digest: string;
  /** What is published in place of the file's own bytes. */
  readonly bytes?: Uint8Array | undefined;
}
