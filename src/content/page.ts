/** One page compiled: its text in its template, slots in place, every variable resolved as far as no partner is needed. */
import { TieupError, type Problem } from '../errors.ts';
import type { Inheritance } from '../protocol/release.ts';
import { nearest } from '../protocol/nearest.ts';
import { addressBelow, publishedPath } from './addresses.ts';
import { escapeAttribute, escapeText } from './encode.ts';
import { placePart, type MarkdownFragment, type PlacedPart } from './fragment.ts';
import type { AddressResolver, MarkdownSource } from './markdown.ts';
import { SegmentWriter, type NamedHole, type Part, type Place, type Segment, type SlotHole } from './segment.ts';
import type { PageSource, SiteIdentity } from './source.ts';
import { MAX_MARKDOWN, type PageTexts } from './page-texts.ts';
import { CONTENT_SLOT, type Template, type TemplateSlot } from './template.ts';
import { BUILT_IN, lookUp, type PageScope } from './variables.ts';

export interface CompiledPage {
  /** Source path. */
  readonly source: string;
  readonly file: string;
  /** Below the mount. */
  readonly path: string;
  /** The same page at the main site. */
  readonly mainAddress: string;
  readonly inherit: Inheritance;
  readonly title: string;
  readonly partners: readonly string[] | undefined;
  readonly aliases: readonly string[];
  /** Slots without whose content the page is left out. */
  readonly required: ReadonlySet<string>;
  readonly segments: readonly Segment[];
}

export interface PageContext {
  readonly site: SiteIdentity;
  readonly texts: PageTexts;
  /** What has become of each text. */
  readonly fragments: ReadonlyMap<MarkdownSource, MarkdownFragment>;
  readonly resolve: AddressResolver;
  /** What is found is added; a page with problems is not to be rendered. */
  readonly problems: Problem[];
}

export function compilePage(page: PageSource, template: Template, context: PageContext): CompiledPage {
  const path = publishedPath(page.path);
  const compiler = new PageCompiler(page, template, context);
  compiler.checkMeta();
  const mainAddress = addressBelow(context.site.url, path);
  const { title, inherit, partners, aliases } = page.meta;
  const required = new Set(Object.keys(page.meta.slots).filter((name) => page.meta.slots[name]?.required === true));
  const segments = compiler.compile();
  return {
    source: page.path,
    file: page.file,
    path,
    mainAddress,
    inherit,
    title,
    partners,
    aliases,
    required,
    segments,
  };
}

class PageCompiler {
  readonly #page: PageSource;
  readonly #template: Template;
  readonly #context: PageContext;
  readonly #scope: PageScope;
  readonly #writer = new SegmentWriter();
  readonly #placed = new Set<string>();

  constructor(page: PageSource, template: Template, context: PageContext) {
    this.#page = page;
    this.#template = template;
    this.#context = context;
    const path = publishedPath(page.path);
    const { title, description, values } = page.meta;
    this.#scope = { title, description, path, source: addressBelow(context.site.url, path), values };
  }

  /** What the front matter says that cannot be. */
  checkMeta(): void {
    const { inherit, slots, values } = this.#page.meta;
    for (const key of Object.keys(values)) {
      if (BUILT_IN.page.includes(key)) this.#problem(`the value "${key}" would hide the variable \`page.${key}\``);
    }
    for (const [name, slot] of Object.entries(slots)) {
      if (name === CONTENT_SLOT) this.#problem('the slot "content" is the page itself: choose another name');
      if (inherit === 'framework' && slot.content !== undefined) {
        this.#problem(`slot "${name}" of a framework page is the partner's: write \`fallback\` instead of \`content\``);
      }
    }
  }

  compile(): readonly Segment[] {
    for (const part of this.#template.parts) {
      if (typeof part === 'string' || part instanceof Uint8Array) this.#part(part);
      else if (part.kind === 'head-end') this.#head();
      else if (part.kind === 'template-slot') this.#templateSlot(part);
      else this.#part(part);
    }
    const known = Object.keys(this.#page.meta.slots);
    for (const name of known) {
      if (!this.#placed.has(name)) {
        this.#problem(
          `slot "${name}" is declared, but neither the page nor the template "${this.#template.name}" has it`,
        );
      }
    }
    return this.#writer.finish();
  }

  /** Where the page comes from: every page says so, whatever its template. */
  #head(): void {
    const writer = this.#writer;
    const { source } = this.#scope;
    const { place } = this;
    const encoder = new TextEncoder();
    writer.push({
      kind: 'search',
      canonical: encoder.encode(`<link rel="canonical" href="${escapeAttribute(source)}">\n`),
      noindex: encoder.encode('<meta name="robots" content="noindex">\n'),
    });
    writer.text('<meta name="generator" content="tieup">\n<meta name="tieup-release" content="');
    writer.value({ kind: 'partner', name: 'id' }, { context: 'attribute', place });
    writer.text(' ');
    writer.value({ kind: 'since' }, { context: 'attribute', place });
    writer.text(`">\n<meta name="tieup-source" content="${escapeAttribute(source)}">\n`);
  }

  #templateSlot(slot: TemplateSlot): void {
    if (slot.name === CONTENT_SLOT) return this.#body();
    const meta = this.#declared(slot.name);
    if (meta === undefined) return this.#parts(slot.fallback);
    this.#placed.add(slot.name);
    const framework = this.#page.meta.inherit === 'framework';
    const own = this.#context.texts.slots.get(slot.name);
    const content = own === undefined ? slot.fallback : this.#slotText(slot.name, own);
    if (framework) this.#part({ kind: 'slot-start', name: slot.name, place: slot.place });
    this.#parts(content);
    if (framework) this.#part({ kind: 'slot-end', name: slot.name });
    return undefined;
  }

  #body(): void {
    const { meta, file, firstLine } = this.#page;
    if (meta.inherit === 'link') return this.#teaser();
    const { texts, problems } = this.#context;
    if (texts.body === undefined) return this.#problem(`the page has more than ${MAX_MARKDOWN} characters`);
    const fragment = this.#fragment(texts.body);
    problems.push(
      ...fragment.problems.map(({ line, column, message }) => ({ file, line: firstLine + line - 1, column, message })),
    );
    let index = 0;
    const parts = fragment.parts.map((part) => placePart(part, file, firstLine));
    while (index < parts.length) {
      const part = parts[index++];
      if (part === undefined) continue;
      if (!isSlotStart(part)) {
        this.#part(part);
        continue;
      }
      const end = parts.findIndex((other, at) => at >= index && isSlotEnd(other));
      const inside = parts.slice(index, end === -1 ? parts.length : end);
      index = end === -1 ? parts.length : end + 1;
      this.#bodySlot(part, inside);
    }
    return undefined;
  }

  /** `<slot name="…">` in the page's text. */
  #bodySlot(start: SlotHole & { kind: 'slot-start' }, inside: readonly PagePart[]): void {
    const { name, place } = start;
    const meta = this.#declared(name);
    if (meta === undefined) {
      const known = Object.keys(this.#page.meta.slots);
      const meant = nearest(name, known);
      const end = meant === undefined ? 'add it to `slots` in the front matter' : `did you mean "${meant}"?`;
      return this.#problemAt(place, `slot "${name}" is not declared: ${end}`);
    }
    if (this.#placed.has(name) || this.#template.slots.has(name)) {
      return this.#problemAt(place, `slot "${name}" is there twice: the template has it as well`);
    }
    this.#placed.add(name);
    const framework = this.#page.meta.inherit === 'framework';
    const own = this.#context.texts.slots.get(name);
    const empty = inside.every(isBlank);
    if (!empty && meta.fallback !== undefined) {
      this.#problemAt(place, `slot "${name}" has two fallbacks: one here and one in the front matter`);
    }
    if (framework) this.#part(start);
    this.#parts(own === undefined ? inside : this.#slotText(name, own));
    if (framework) this.#part({ kind: 'slot-end', name });
    return undefined;
  }

  /** What stands at the partner of a page whose text stays at the main site. */
  #teaser(): void {
    const { title, description } = this.#page.meta;
    const { site } = this.#context;
    const paragraph = description === '' ? '' : `\n<p>${escapeText(description)}</p>`;
    const label = `${escapeText(title)} – ${escapeText(site.name)}`;
    const href = escapeAttribute(this.#scope.source);
    this.#writer.text(
      `<h1>${escapeText(title)}</h1>${paragraph}\n<p><a class="tieup-source" href="${href}">${label}</a></p>`,
    );
  }

  /** Markdown of the front matter. */
  #slotText(name: string, text: MarkdownSource): readonly PagePart[] {
    const { problems } = this.#context;
    const { file } = this.#page;
    const fragment = this.#fragment(text);
    for (const { message } of fragment.problems) problems.push({ file, message: `in slot "${name}": ${message}` });
    const parts = fragment.parts.map((part) => placePart(part, file, 1));
    return parts.filter((part) => {
      const nested = isSlotStart(part) || isSlotEnd(part);
      if (isSlotStart(part)) problems.push({ file, message: `in slot "${name}": a slot cannot stand in another` });
      return !nested;
    });
  }

  #fragment(text: MarkdownSource): MarkdownFragment {
    const fragment = this.#context.fragments.get(text);
    if (fragment === undefined) throw new TieupError('TIEUP_E_FAILED', `a text of ${this.#page.file} was not compiled`);
    return fragment;
  }

  #parts(parts: readonly PagePart[]): void {
    for (const part of parts) this.#part(part);
  }

  #part(part: PagePart): void {
    if (typeof part === 'string') this.#writer.text(part);
    else if (part instanceof Uint8Array) this.#writer.push(part);
    else if (part.kind === 'reference') this.#reference(part);
    else if (part.kind === 'variable') this.#variable(part);
    else this.#writer.push(part);
  }

  /** An address in the text, now that it is known where it leads from here. */
  #reference({ address, use, place }: Reference): void {
    const resolved = this.#context.resolve({ address, kind: use, place });
    if (resolved.kind === 'keep') this.#writer.text(escapeAttribute(address));
    else if (resolved.kind === 'address') this.#writer.text(escapeAttribute(resolved.address));
    else {
      const { page, near, far } = resolved;
      this.#writer.push({ kind: 'link', page, near: escapeAttribute(near), far: escapeAttribute(far) });
    }
  }

  #variable(hole: NamedHole): void {
    const { name, place } = hole;
    if (name === 'navigation') {
      return this.#problemAt(place, 'the navigation belongs into a template, not into a page');
    }
    const found = lookUp(name, this.#context.site, this.#scope);
    if (found.kind === 'unknown') this.#problemAt(place, this.#forThisPage(place, found.message));
    else if (found.kind !== 'later') {
      const fault = this.#writer.value(found, hole);
      if (fault === undefined || found.kind !== 'constant') return undefined;
      this.#problemAt(
        place,
        this.#forThisPage(place, `the value ${JSON.stringify(found.value)} of \`${name}\` ${fault}`),
      );
    }
    return undefined;
  }

  /** A template is right for one page and wrong for another. */
  #forThisPage(place: Place, message: string): string {
    return place.file === this.#page.file ? message : `${message}, in the page ${this.#page.file}`;
  }

  #declared(name: string): PageSource['meta']['slots'][string] | undefined {
    const { slots } = this.#page.meta;
    return Object.hasOwn(slots, name) ? slots[name] : undefined;
  }

  /** For what has no place of its own. */
  get place(): Place {
    return { file: this.#page.file, line: 1, column: 1 };
  }

  #problem(message: string): void {
    this.#context.problems.push({ file: this.#page.file, message });
  }

  #problemAt(place: Place, message: string): void {
    this.#context.problems.push({ ...place, message });
  }
}

type PagePart = Part | PlacedPart;
type Reference = Extract<PlacedPart, { kind: 'reference' }>;

function isBlank(part: PagePart): boolean {
  if (part instanceof Uint8Array) return part.every((byte) => byte <= 0x20);
  return typeof part === 'string' && part.trim() === '';
}

function isSlotStart(part: PagePart): part is SlotHole & { kind: 'slot-start' } {
  return typeof part === 'object' && 'kind' in part && part.kind === 'slot-start';
}

function isSlotEnd(part: PagePart): part is SlotHole & { kind: 'slot-end' } {
  return typeof part === 'object' && 'kind' in part && part.kind === 'slot-end';
}
