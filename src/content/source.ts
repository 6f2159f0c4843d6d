/** What a site is made of before it is compiled: plain data that whoever reads the folders hands over. */
import type { ImageSize } from './image-header.ts';
import type { Inheritance } from '../protocol/release.ts';
import type { DataMapping } from './data.ts';

/** What a page says about itself in its front matter. */
export interface PageMeta {
  readonly title: string;
  readonly description: string;
  readonly inherit: Inheritance;
  /** Name of the template, `page` unless given. */
  readonly template: string;
  readonly slots: Readonly<Record<string, SlotMeta>>;
  /** `{{ page.<key> }}`. */
  readonly values: Readonly<Record<string, string>>;
  /** Ids or tags of the partners that get the page; undefined for all. */
  readonly partners: readonly string[] | undefined;
  readonly draft: boolean;
  /** Former paths below the mount, `old/path.html`, which redirect to the page. */
  readonly aliases: readonly string[];
  /** Place in the navigation; pages without one come after those with one, by path. */
  readonly order: number | undefined;
  /** Label in the navigation instead of the title; false leaves the page out of it. */
  readonly navigation: string | false | undefined;
  /** BCP 47; the site's own, or that of the page's folder, unless given. */
  readonly language?: string | undefined;
  /** Source path of the page of which this one is a translation. */
  readonly translates?: string | undefined;
  /** Asset that stands for the page where it is shared: `assets/night-road.png`. */
  readonly image?: string | undefined;
  /** When it was first published, and when it was last revised; a day or a time as in protocol/moment.ts. */
  readonly date?: string | undefined;
  readonly updated?: string | undefined;
  /** First and last moment at which partners get the page. */
  readonly publishFrom?: string | undefined;
  readonly publishUntil?: string | undefined;
  /** Names of the collections that the page is in. */
  readonly tags: readonly string[];
  /** The collection that the page lists, and how many of its pages on each of its own. */
  readonly paginate?: { readonly collection: string; readonly size: number } | undefined;
}

/** A named hole; in a framework page the partner fills it, in other pages the main site does. */
export interface SlotMeta {
  /** What belongs here, for the partner. */
  readonly description: string;
  /** Markdown of the main site; not for framework pages. */
  readonly content: string | undefined;
  /** Markdown that stands there until the partner has filled the slot. */
  readonly fallback: string | undefined;
  /** Without content of the partner the page is left out. */
  readonly required: boolean;
}

export interface PageSource {
  /** Below the folder of pages: `guide/intro.md`. */
  readonly path: string;
  /** For messages: `pages/guide/intro.md`. */
  readonly file: string;
  readonly meta: PageMeta;
  readonly markdown: string;
  /** 1-based line of the file on which `markdown` starts. */
  readonly firstLine: number;
}

/** Markdown that several pages share. */
export interface IncludeSource {
  /** Below the folder of includes: `hours.md`. */
  readonly path: string;
  /** For messages: `includes/hours.md`. */
  readonly file: string;
  /** With LF line ends. */
  readonly text: string;
}

export interface TemplateSource {
  /** `page` */
  readonly name: string;
  /** For messages: `templates/page.html`. */
  readonly file: string;
  readonly text: string;
}

/** A file to publish; its bytes stay with whoever reads the folders. */
export interface AssetSource {
  /** Below the folder of assets: `style.css`. */
  readonly path: string;
  readonly length: number;
  /** SHA-256, lower-case hex. */
  readonly digest: string;
  /** Of what may refer to other assets: style sheets, scripts, drawings and the like. */
  readonly text?: string | undefined;
  /** Of a picture whose header says it. */
  readonly size?: ImageSize | undefined;
  /** The same picture in smaller widths. */
  readonly widths?: readonly ImageWidth[] | undefined;
}

/** A picture made smaller; it is published beside the one that it was made of. */
export interface ImageWidth {
  /** Pixels. */
  readonly width: number;
  readonly bytes: Uint8Array;
}

export interface SiteIdentity {
  readonly name: string;
  /** `https://main.example/`, under which the pages have the same paths as under a mount. */
  readonly url: string;
  /** BCP 47, for `<html lang>`. */
  readonly language: string;
  /** Further languages, each with a folder of pages: `de` → `pages/de/`. */
  readonly languages?: readonly string[] | undefined;
  /** In which days and times without an offset are meant; UTC unless given. */
  readonly timeZone?: string | undefined;
  readonly values: Readonly<Record<string, string>>;
}

export interface SiteSource {
  readonly site: SiteIdentity;
  readonly pages: readonly PageSource[];
  readonly templates: readonly TemplateSource[];
  readonly assets: readonly AssetSource[];
  /** Assets that pages load get a hash of their content in their names. */
  readonly hashAssets?: boolean;
  readonly markdown: { readonly highlight: boolean; readonly headingLinks: boolean };
  /** What `{{ include "…" }}` takes. */
  readonly includes: readonly IncludeSource[];
  /** `{{ data.<name> }}`. */
  readonly data: DataMapping;
  /** The moment for which the site is compiled; without one no page comes or goes by date. */
  readonly at?: Date | undefined;
  /** How wide pictures are shown, for browsers to choose among the widths of a picture: the attribute `sizes`. */
  readonly imageSizes?: string | undefined;
}

/** What rendering needs to know of a partner. */
export interface PartnerView {
  readonly id: string;
  readonly name: string;
  readonly tags: readonly string[];
  /** Address of the web root: `https://alpha.example/`. */
  readonly url: string;
  /** `/with-main/` */
  readonly mount: string;
  /** What search engines are told about the copies. */
  readonly search: 'canonical-to-main' | 'noindex' | 'own';
  readonly values: Readonly<Record<string, string>>;
  /** Its own pictures, whose addresses are among the values. */
  readonly images?: readonly PartnerImage[];
}

/** A picture of one partner, checked; published below the folder of assets. */
export interface PartnerImage {
  /** For messages: `partners/harbour/logo.svg`. */
  readonly file: string;
  /** Below the mount: `assets/partner/logo.3f9a1c2b.svg`. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** SHA-256, lower-case hex. */
  readonly digest: string;
}

/** Whether a partner gets what is for `partners`, by id or tag. */
export function isFor(
  { partners }: { readonly partners: readonly string[] | undefined },
  { id, tags }: Pick<PartnerView, 'id' | 'tags'>,
): boolean {
  return partners === undefined || partners.some((name) => name === id || tags.includes(name));
}
