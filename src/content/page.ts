/** One page compiled: its text in its template, slots in place, every variable resolved as far as no partner is needed. */
import { TieupError, type Problem } from '../errors.ts';
import { nearest } from '../protocol/nearest.ts';
import { addressBelow, publishedPath } from './addresses.ts';
import type { CompiledPage } from './compiled-page.ts';
import { isFurther, type Collections, type PageToCompile } from './collections.ts';
import type { Condition } from './condition.ts';
import type { DataMapping } from './data.ts';
import { expand, type Expansion } from './expand.ts';
import { escapeAttribute, escapeText } from './encode.ts';
import { placeParts, type MarkdownFragment } from './fragment.ts';
import { datesOf, imagePath, writeMeta, writeOrigin, type PageHead } from './head.ts';
import type { PageLanguage } from './languages.ts';
import type { AddressResolver, MarkdownSource } from './markdown.ts';
import { isBlank, isSlotEnd, isSlotStart, referenceText, type PagePart, type Reference } from './page-parts.ts';
import { holeFault, resolveName, type Loop, type Names } from './names.ts';
import { MAX_MARKDOWN, type PageTexts } from './page-texts.ts';
import { SegmentWriter, type NamedHole, type Place, type Segment, type SlotHole } from './segment.ts';
import type { PageSource, SiteIdentity } from './source.ts';
import { CONTENT_SLOT, type EachPart, type IfPart, type Template } from './template-parts.ts';
import type { TemplatePart, TemplateSlot } from './template-parts.ts';
import { BUILT_IN, isVariable, PLACED, type PageScope, type Variable } from './variables.ts';

export interface PageContext {
  readonly site: SiteIdentity;
  readonly data: DataMapping;
  readonly collections: Collections;
  /** Names of values that any page of the site has. */
  readonly known: ReadonlySet<string>;
  readonly texts: PageTexts;
  /** What has become of each text. */
  readonly fragments: ReadonlyMap<MarkdownSource, MarkdownFragment>;
  /** What is worth knowing is added. */
  readonly warnings: Problem[];
  readonly resolve: AddressResolver;
  readonly language: PageLanguage;
  /** What is found is added; a page with problems is not to be rendered. */
  readonly problems: Problem[];
}

export function compilePage(wanted: PageToCompile, template: Template, context: PageContext): CompiledPage {
  const { source: page, path, pagination, condition } = wanted;
  const compiler = new PageCompiler(wanted, template, context);
  compiler.checkMeta();
  const mainAddress = addressBelow(context.site.url, path);
  const { description, inherit, partners, date } = page.meta;
  // What a page was called before leads to the first of its list.
  const aliases = isFurther(pagination) ? [] : page.meta.aliases;
  const required = new Set(Object.keys(page.meta.slots).filter((name) => page.meta.slots[name]?.required === true));
  const segments = compiler.compile();
  return {
    source: page.path,
    file: page.file,
    path,
    mainAddress,
    inherit,
    title: compiler.title,
    description,
    language: context.language.language,
    // The further pages of a list are not news of their own.
    ...(isFurther(pagination) ? { published: undefined, modified: undefined } : datesOf(page.meta, context.site)),
    day: date?.slice(0, 10),
    partners,
    aliases,
    condition,
    listedAt: publishedPath(page.path),
    required,
    segments,
    encoded: new Map(),
    includes: context.texts.expanded.includes,
  };
}

class PageCompiler implements Expansion {
  readonly title: string;
  readonly #page: PageSource;
  readonly #template: Template;
  readonly #context: PageContext;
  readonly #scope: PageScope;
  readonly #names: Names;
  #writer = new SegmentWriter();
  readonly #placed = new Set<string>();

  constructor({ source: page, path, pagination }: PageToCompile, template: Template, context: PageContext) {
    this.#page = page;
    this.#template = template;
    this.#context = context;
    const { site, data, known, collections, language: spoken } = context;
    const { description, values, date, tags } = page.meta;
    this.title = isFurther(pagination) ? `${page.meta.title} (${pagination?.number})` : page.meta.title;
    const source = addressBelow(site.url, path);
    const said = { title: this.title, description, date, tags, values, language: spoken.language };
    this.#scope = { ...said, path, source, known, collections, pagination };
    this.#names = { site, data, page: this.#scope, loops: [] };
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
    expand(this.#template.parts, this.#names, this);
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

  part(part: Exclude<TemplatePart, EachPart | IfPart>, loops: readonly Loop[]): void {
    if (typeof part === 'string' || part instanceof Uint8Array) this.#part(part);
    else if (part.kind === 'head-end') writeOrigin(this.#writer, this.#head);
    else if (part.kind === 'meta') writeMeta(this.#writer, this.#head);
    else if (part.kind === 'template-slot') this.#templateSlot(part);
    else this.#part(part, loops);
  }

  choice(condition: Condition, then: () => void, otherwise: () => void): void {
    const writer = this.#writer;
    const branch = (write: () => void): readonly Segment[] => {
      this.#writer = new SegmentWriter();
      write();
      return this.#writer.finish();
    };
    const segment: Segment = { kind: 'choice', condition, yes: branch(then), no: branch(otherwise) };
    this.#writer = writer;
    writer.push(segment);
  }

  problem(place: Place, message: string): void {
    this.#problemAt(place, this.#forThisPage(place, message));
  }

  get #head(): PageHead {
    const { site, language, resolve } = this.#context;
    const meta = { ...this.#page.meta, title: this.title };
    const image = imagePath(meta.image, this.#scope.path, resolve, this.place);
    return { site, meta, language, source: this.#scope.source, image, place: this.place };
  }

  #templateSlot(slot: TemplateSlot): void {
    if (slot.name === CONTENT_SLOT) return this.#body();
    const meta = this.#declared(slot.name);
    if (meta === undefined) return expand(slot.fallback, this.#names, this);
    this.#placed.add(slot.name);
    const framework = this.#page.meta.inherit === 'framework';
    const own = this.#context.texts.slots.get(slot.name);
    if (framework) this.#part({ kind: 'slot-start', name: slot.name, place: slot.place });
    if (own === undefined) expand(slot.fallback, this.#names, this);
    else this.#parts(this.#slotText(slot.name, own));
    if (framework) this.#part({ kind: 'slot-end', name: slot.name });
    return undefined;
  }

  #body(): void {
    const { meta } = this.#page;
    if (meta.inherit === 'link') return this.#teaser();
    const { texts, problems } = this.#context;
    if (texts.body === undefined) return this.#problem(`the page has more than ${MAX_MARKDOWN} characters`);
    const fragment = this.#fragment(texts.body);
    const { place, problems: inIncludes } = texts.expanded;
    problems.push(...inIncludes, ...fragment.problems.map(({ message, ...at }) => ({ ...place(at), message })));
    let index = 0;
    const parts = placeParts(fragment.parts, place, this.#context.warnings);
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
    const { problems, warnings } = this.#context;
    const { file } = this.#page;
    const fragment = this.#fragment(text);
    for (const { message } of fragment.problems) problems.push({ file, message: `in slot "${name}": ${message}` });
    const dropped: Problem[] = [];
    const parts = placeParts(fragment.parts, ({ line, column }) => ({ file, line, column }), dropped);
    for (const { message } of dropped) warnings.push({ file, message: `in slot "${name}": ${message}` });
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

  #part(part: PagePart, loops: readonly Loop[] = []): void {
    if (typeof part === 'string') this.#writer.text(part);
    else if (part instanceof Uint8Array) this.#writer.push(part);
    else if (part.kind === 'reference') this.#reference(part);
    else if (part.kind === 'variable') this.#variable(part, loops);
    else if (part.kind === 'choice') {
      const { condition, yes, no } = part;
      this.choice(
        condition,
        () => this.#parts(yes),
        () => this.#parts(no),
      );
    } else this.#writer.push(part);
  }

  /** An address in the text, now that it is known where it leads from here. */
  #reference({ address, use, place }: Reference): void {
    const resolved = this.#context.resolve({ address, kind: use, place });
    if (resolved.kind !== 'page') return this.#writer.text(referenceText(resolved, address));
    const { page, near, far } = resolved;
    const encoded = (way: string): Uint8Array => Buffer.from(escapeAttribute(way));
    return this.#writer.push({ kind: 'link', page, near: encoded(near), far: encoded(far) });
  }

  #variable(hole: NamedHole, loops: readonly Loop[]): void {
    const { name, place } = hole;
    if (PLACED.some((placed) => placed === name)) {
      return this.#problemAt(place, `\`{{ ${name} }}\` belongs into a template, not into a page`);
    }
    const found = resolveName(name, { ...this.#names, loops });
    if (found.kind === 'when') {
      const write = (): void => this.#value({ kind: 'constant', value: found.value }, hole);
      return this.choice(found.condition, write, () => {});
    }
    const fault = holeFault(name, found);
    if (fault !== undefined) return this.problem(place, fault);
    return isVariable(found) ? this.#value(found, hole) : undefined;
  }

  #value(variable: Variable, hole: NamedHole): void {
    const { name, place } = hole;
    const fault = this.#writer.value(variable, hole);
    if (fault === undefined) return;
    const value = variable.kind === 'constant' ? `value ${JSON.stringify(variable.value)}` : 'value';
    this.problem(place, `the ${value} of \`${name}\` ${fault}`);
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
