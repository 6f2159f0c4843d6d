/** A page of the site as one partner gets it: nothing is rendered before it is asked for. */
import type { Inheritance } from '../protocol/release.ts';
import type { SitePage } from './compiled-site.ts';
import { dissectPage, type PagePart } from './dissect.ts';
import { actingValues, type Acting, type Need } from './needed-values.ts';
import type { CompiledPage } from './compiled-page.ts';
import { constantsKey, outputKey, renderPage, type RenderedPage, type Scratch } from './render.ts';
import { shapeKey } from './shape.ts';
import type { RenderTarget } from './target.ts';

/** A page before it is known for which partner. */
export interface PageEntry {
  readonly kind: 'page';
  readonly path: string;
  readonly page: CompiledPage;
  readonly needs: readonly Need[];
  readonly acting: readonly Acting[];
  /** Key of its constants, once somebody has asked for it. */
  constants?: string;
}

/** A class, because there is one for each page of each partner, and most are looked at once. */
export class PartnerPage implements SitePage {
  readonly kind = 'page';
  readonly path: string;
  readonly #entry: PageEntry;
  readonly #target: RenderTarget;

  constructor(path: string, entry: PageEntry, target: RenderTarget) {
    this.path = path;
    this.#entry = entry;
    this.#target = target;
  }

  get file(): string {
    return this.#entry.page.file;
  }

  get inherit(): Inheritance {
    return this.#entry.page.inherit;
  }

  get title(): string {
    return this.#entry.page.title;
  }

  get includes(): readonly string[] {
    return this.#entry.page.includes;
  }

  key(since: number): string {
    return outputKey(this.#entry.page, this.#constants(), this.#target, since);
  }

  alike(): string {
    const { page, acting } = this.#entry;
    return `${this.#constants()} ${actingValues(page, acting, this.#target)}`;
  }

  shape(): string {
    return shapeKey(this.#entry.page, this.#constants(), this.#target);
  }

  render(since: number, scratch?: Scratch): RenderedPage {
    return renderPage(this.#entry.page, this.#target, since, scratch);
  }

  dissect(since: number): readonly PagePart[] {
    return dissectPage(this.#entry.page, this.#target, since);
  }

  #constants(): string {
    return (this.#entry.constants ??= constantsKey(this.#entry.page));
  }
}
