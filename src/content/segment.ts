/** A compiled page: constant bytes and typed holes, in the order in which they are copied out. */
import type { Condition } from './condition.ts';
import { encodeValue, valueFault, type HoleContext } from './encode.ts';
import type { Alternate } from './languages.ts';
import type { Variable } from './variables.ts';

/** Where something stands in a source file, for problems. */
export interface Place {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 code units. */
  readonly column: number;
}

/** A named variable before the page is known which it belongs to. */
export interface NamedHole {
  readonly kind: 'variable';
  readonly name: string;
  readonly context: HoleContext;
  /** In the address of a link, which does nothing unless a visitor follows it. */
  readonly follow?: boolean;
  readonly place: Place;
}

/** A value that differs from partner to partner. */
export interface ValueHole {
  readonly kind: 'value';
  readonly variable: Exclude<Variable, { kind: 'constant' }>;
  readonly context: HoleContext;
  /** As that of {@link NamedHole}. */
  readonly follow?: boolean;
  readonly place: Place;
}

/** The address of another page: near when the partner has it too, at the main site otherwise; both already encoded. */
export interface LinkHole {
  readonly kind: 'link';
  /** Path of the page's source. */
  readonly page: string;
  readonly near: Uint8Array;
  readonly far: Uint8Array;
}

/** Borders of a slot; what lies between is its fallback. */
export type SlotHole =
  | { readonly kind: 'slot-start'; readonly name: string; readonly place: Place }
  | { readonly kind: 'slot-end'; readonly name: string };

/** Links to the partner's pages. */
export interface NavigationHole {
  readonly kind: 'navigation';
}

/** Links to the pages on the way to this one. */
export interface BreadcrumbsHole {
  readonly kind: 'breadcrumbs';
}

/** The same for search engines, as JSON-LD. */
export interface TrailHole {
  readonly kind: 'trail';
  /** Of the main site, under which pages have the same paths as below a mount. */
  readonly mainUrl: string;
}

/** What search engines are told, by the policy of the partnership. */
export interface SearchHole {
  readonly kind: 'search';
  readonly canonical: Uint8Array;
  readonly noindex: Uint8Array;
}

/** Which of two branches a partner gets. */
export interface Choice<T> {
  readonly kind: 'choice';
  readonly condition: Condition;
  readonly yes: readonly T[];
  readonly no: readonly T[];
}

/** The page in other languages, as far as the partner has them and search engines are to find them there. */
export interface AlternatesHole {
  readonly kind: 'alternates';
  readonly alternates: readonly Alternate[];
}

/** A link to the partner's feed, if it has one. */
export interface FeedLinkHole {
  readonly kind: 'feed-link';
}

/** What rendering copies or fills. */
export type Segment =
  | Uint8Array
  | ValueHole
  | LinkHole
  | SlotHole
  | NavigationHole
  | BreadcrumbsHole
  | TrailHole
  | SearchHole
  | AlternatesHole
  | FeedLinkHole
  | Choice<Segment>;

/** What a template or a Markdown text gives, before variables are resolved for one page. */
export type Part =
  | string
  | Uint8Array
  | NamedHole
  | LinkHole
  | SlotHole
  | NavigationHole
  | BreadcrumbsHole
  | SearchHole
  | Choice<Part>;

const encoder = new TextEncoder();
/** Copying an array is cheaper than walking over one more segment for every partner, up to about this size. */
const MAX_JOINED = 4096;

/** Collects segments and joins constants that stand side by side. Large byte arrays are shared, not copied. */
export class SegmentWriter {
  readonly #segments: Segment[] = [];
  #pending: Uint8Array[] = [];
  #text = '';

  text(text: string): void {
    this.#text += text;
  }

  push(segment: Segment): void {
    if (segment instanceof Uint8Array) return this.#bytes(segment);
    this.#flush();
    this.#segments.push(segment);
    return undefined;
  }

  /** @returns what is wrong with a value that is known by now, as the end of a sentence; it is written all the same. */
  value(variable: Variable, { context, follow, place }: Omit<NamedHole, 'kind' | 'name'>): string | undefined {
    if (variable.kind === 'constant') {
      this.#text += encodeValue(variable.value, context);
      return valueFault(variable.value, context);
    }
    this.push({ kind: 'value', variable, context, ...(follow === true ? { follow } : {}), place });
    // Those of a partner are judged once the partner is known; nothing else that comes so late is a colour.
    return context === 'colour' && variable.kind !== 'partner' ? 'is no colour' : undefined;
  }

  finish(): readonly Segment[] {
    this.#flush();
    return this.#segments;
  }

  #bytes(bytes: Uint8Array): void {
    if (bytes.length > MAX_JOINED) {
      this.#flush();
      this.#segments.push(bytes);
      return;
    }
    this.#encode();
    this.#pending.push(bytes);
  }

  #encode(): void {
    if (this.#text === '') return;
    this.#pending.push(encoder.encode(this.#text));
    this.#text = '';
  }

  #flush(): void {
    this.#encode();
    const [only] = this.#pending;
    if (only === undefined) return;
    this.#segments.push(this.#pending.length === 1 ? only : Buffer.concat(this.#pending));
    this.#pending = [];
  }
}
