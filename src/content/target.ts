/** One partner as rendering sees it, shared by all of its pages; what few pages need is made when one needs it. */
import type { Collections } from './collections.ts';
import type { ConditionFacts } from './condition.ts';
import type { Navigation } from './navigation.ts';
import type { PartnerView } from './source.ts';

export class RenderTarget implements ConditionFacts {
  readonly partner: PartnerView;
  /** Source paths of the pages that this partner gets. */
  readonly pages: ReadonlySet<string>;
  /** Whether this partner has a feed. */
  hasFeed = false;
  /** Encoded values by context and name. */
  readonly encoded = new Map<string, Uint8Array>();
  readonly #collections: Collections;
  readonly #makeNavigation: () => Navigation;
  readonly #ranks = new Map<string, ReadonlyMap<string, number>>();
  #navigation: Navigation | undefined;

  constructor(
    partner: PartnerView,
    pages: ReadonlySet<string>,
    collections: Collections,
    navigation: () => Navigation,
  ) {
    this.partner = partner;
    this.pages = pages;
    this.#collections = collections;
    this.#makeNavigation = navigation;
  }

  navigation(): Navigation {
    this.#navigation ??= this.#makeNavigation();
    return this.#navigation;
  }

  rank(collection: string, page: string): number | undefined {
    return this.#ranksOf(collection).get(page);
  }

  count(collection: string): number {
    return this.#ranksOf(collection).size;
  }

  #ranksOf(name: string): ReadonlyMap<string, number> {
    let ranks = this.#ranks.get(name);
    if (ranks === undefined) {
      const pages = this.#collections.get(name)?.pages ?? [];
      const own = pages.map(({ path }) => path).filter((path) => this.pages.has(path));
      ranks = new Map(own.map((path, index) => [path, index]));
      this.#ranks.set(name, ranks);
    }
    return ranks;
  }
}
