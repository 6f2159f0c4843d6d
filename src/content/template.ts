/** Templates: HTML with `{{ variables }}`, `<slot>`s, loops and conditions, compiled once for all pages and partners. */
import type { Problem } from '../errors.ts';
import { SLOT_NAME } from '../protocol/names.ts';
import { encodePath } from './addresses.ts';
import type { AssetNames } from './assets.ts';
import { encodeValue, valueFault } from './encode.ts';
import { expand, isSameForAllPages, type Expansion } from './expand.ts';
import { holeFault, resolveName, type Names } from './names.ts';
import type { NamedHole, Part, Place } from './segment.ts';
import type { TemplateSource } from './source.ts';
import { findDirectives, type Directive, type DirectiveTag } from './template-directives.ts';
import { assetAfter } from './template-assets.ts';
import { findBraces, takesBlocks, typeAttribute, typeTextOf, type Braces, type Typing } from './template-holes.ts';
import { level, type Level } from './template-level.ts';
import { CONTENT_SLOT, isPart } from './template-parts.ts';
import type { Template, TemplateContext, TemplatePart, TemplateSlot } from './template-parts.ts';
import { hideMeta, readTemplate, type Region } from './template-reader.ts';
import { placeAt } from './text-place.ts';

/** Compiles what no page changes; whatever is wrong is added to `problems`, and the template is not to be used then. */
export function compileTemplate(source: TemplateSource, context: TemplateContext): Template {
  return new TemplateCompiler(source, context).compile();
}

type OpenSlot = Pick<TemplateSlot, 'name' | 'place'>;

class TemplateCompiler {
  readonly #source: TemplateSource;
  readonly #text: string;
  readonly #names: Names;
  readonly #problems: Problem[];
  readonly #assets: AssetNames;
  readonly #warnings: Problem[];
  readonly #slots = new Set<string>();
  readonly #parts: TemplatePart[] = [];
  /** The innermost list last. */
  readonly #levels: Level[] = [level(this.#parts, undefined)];
  #tags: readonly DirectiveTag[] = [];
  #open: OpenSlot | undefined;
  #constant = '';
  /** Everything before this offset has been written. */
  #done = 0;
  #sawDoctype = false;
  #sawHeadEnd = false;
  #inHead = false;

  constructor(source: TemplateSource, { names, assets, problems, warnings }: TemplateContext) {
    this.#source = source;
    this.#text = source.text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
    this.#names = { site: names.site, data: names.data, page: undefined, loops: [] };
    this.#assets = assets;
    this.#problems = problems;
    this.#warnings = warnings;
  }

  compile(): Template {
    const { tags, blanked, faults } = findDirectives(hideMeta(this.#text));
    for (const { offset, message } of faults) this.#problem(offset, message);
    this.#tags = tags;
    for (const region of readTemplate(blanked)) this.#region(region);
    this.#passDirectives(this.#text.length);
    this.#copyTo(this.#text.length);
    this.#flush();
    if (this.#open !== undefined)
      this.#problemAt(this.#open.place, `slot ${JSON.stringify(this.#open.name)} is not closed`);
    const start: Place = { file: this.#source.file, line: 1, column: 1 };
    if (!this.#sawDoctype) this.#problemAt(start, 'the template does not start with <!doctype html>');
    if (!this.#sawHeadEnd) this.#problemAt(start, 'the template has no </head>, where the origin of a page is written');
    if (!this.#slots.has(CONTENT_SLOT)) this.#problemAt(start, 'the template has no <slot name="content"></slot>');
    return {
      name: this.#source.name,
      file: this.#source.file,
      parts: this.#parts.flatMap((part) => this.#expanded(part)),
      slots: this.#slots,
    };
  }

  #region(region: Region): void {
    switch (region.kind) {
      case 'text':
        for (const { typing, ...braces } of typeTextOf(this.#text, region)) {
          this.#hole(braces, typing, takesBlocks(region.parent));
        }
        return undefined;
      case 'start-tag': {
        const { tag } = region;
        const inAttributes = new Set<number>();
        for (const attribute of tag.attributes.toSorted((a, b) => a.start - b.start)) {
          for (const { typing, ...braces } of typeAttribute(this.#text, tag, attribute)) {
            inAttributes.add(braces.start);
            this.#hole(braces, typing, false);
            if (!('refused' in typing)) this.#asset(braces, attribute.end);
          }
        }
        for (const braces of findBraces(this.#text, region.start, region.end)) {
          if (!inAttributes.has(braces.start)) this.#hole(braces, { refused: 'cannot stand in a tag' }, false);
        }
        if (tag.name === 'slot') this.#openSlot(region);
        if (tag.name === 'head') this.#inHead = true;
        return undefined;
      }
      case 'end-tag':
        this.#holes(findBraces(this.#text, region.start, region.end), { refused: 'cannot stand in a tag' }, false);
        if (region.name === 'slot') this.#closeSlot(region);
        if (region.name === 'head' && !this.#sawHeadEnd) {
          this.#passDirectives(region.start);
          this.#copyTo(region.start);
          this.#add({ kind: 'head-end' });
          this.#inHead = false;
          this.#sawHeadEnd = true;
        }
        return undefined;
      case 'doctype':
        this.#sawDoctype = true;
        return undefined;
      case 'comment':
        if (this.#text.startsWith('{{', region.start)) return this.#meta(region);
        return this.#holes(
          findBraces(this.#text, region.start, region.end),
          { refused: 'cannot stand in a comment' },
          false,
        );
    }
  }

  #meta({ start, end }: Region): void {
    if (!this.#inHead) return this.#problem(start, '`{{ meta }}` belongs directly into <head>');
    this.#copyTo(start);
    this.#done = end;
    return this.#add({ kind: 'meta' });
  }

  #holes(found: readonly Braces[], typing: Typing, blocks: boolean): void {
    for (const braces of found) this.#hole(braces, typing, blocks);
  }

  #hole(braces: Braces, typing: Typing, blocks: boolean): void {
    const { start, end, name, escaped } = braces;
    this.#passDirectives(start);
    if (escaped) {
      this.#copyTo(start);
      this.#constant += '{{';
      this.#done = end;
      return;
    }
    if ('refused' in typing) {
      // Two braces alone are nothing special in scripts, styles and comments.
      if (name !== undefined) this.#problem(start, `the variable \`${name}\` ${typing.refused}`);
      return;
    }
    if (name === undefined) {
      this.#problem(start, 'this is no variable such as `{{ partner.name }}`: write \\{{ for two braces as text');
      return;
    }
    this.#copyTo(start);
    this.#done = end;
    const place = this.#place(start);
    if (name === 'meta') return this.#problemAt(place, '`{{ meta }}` belongs directly into <head>');
    if (name === 'navigation' || name === 'breadcrumbs') {
      if (blocks) this.#add({ kind: name });
      else {
        const what = name === 'navigation' ? 'the navigation is a list' : 'the breadcrumbs are a list';
        this.#problemAt(place, `${what}: put \`{{ ${name} }}\` directly into <nav> or another block`);
      }
      return;
    }
    const hole: NamedHole = { kind: 'variable', name, ...typing, place };
    if (this.#isOfLoop(name)) this.#add(hole);
    else this.#resolve(hole, this.#names);
  }

  /** What no page changes is resolved here; the rest waits for a page. */
  #resolve(hole: NamedHole, names: Names): void {
    const { name, context, place } = hole;
    const found = resolveName(name, names);
    if (found.kind === 'constant') {
      const fault = valueFault(found.value, context);
      if (fault !== undefined)
        this.#problemAt(place, `the value ${JSON.stringify(found.value)} of \`${name}\` ${fault}`);
      this.#constant += encodeValue(found.value, context);
      return;
    }
    const message = holeFault(name, found);
    if (message === undefined) this.#add(hole);
    else this.#problemAt(place, message);
  }

  /** True for what the turns of a loop decide. */
  #isOfLoop(name: string): boolean {
    const root = name.split('.')[0];
    return this.#levels.some(({ loop }) => loop !== undefined && (root === loop || root === 'loop'));
  }

  /** Carries out the tags of loops and conditions up to `offset`. */
  #passDirectives(offset: number): void {
    for (let [tag] = this.#tags; tag !== undefined && tag.start <= offset; [tag] = this.#tags) {
      this.#tags = this.#tags.slice(1);
      this.#copyTo(tag.start);
      this.#done = tag.end;
      this.#flush();
      if (tag.kind === 'close') this.#levels.pop();
      else this.#openDirective(tag.directive);
    }
  }

  #openDirective(directive: Directive): void {
    const { kind } = directive;
    const around = this.#levels.at(-1);
    if (around === undefined) return;
    const place = this.#place(directive.start);
    const parts = kind === 'else' ? around.otherwise : [];
    if (kind === 'each' || kind === 'if') around.otherwise = [];
    const { otherwise } = around;
    if (kind === 'each') {
      const { variable, list, limit } = directive;
      around.parts.push({ kind, variable, list, limit, parts, otherwise, place });
    } else if (kind === 'if') {
      around.branches = [{ test: directive.test, parts }];
      around.parts.push({ kind, branches: around.branches, otherwise, place });
    } else if (kind === 'else-if') around.branches.push({ test: directive.test, parts });
    this.#levels.push(level(parts, kind === 'each' ? directive.variable : undefined));
  }

  /** A loop that is the same in all pages is carried out once, and not for each of them. */
  #expanded(part: TemplatePart): TemplatePart[] {
    if (typeof part === 'string' || part instanceof Uint8Array || part.kind !== 'each') return [part];
    if (!isSameForAllPages([part])) return [part];
    const expanded: TemplatePart[] = [];
    this.#levels.push(level(expanded, undefined));
    expand([part], this.#names, this.#expansion);
    this.#flush();
    this.#levels.pop();
    return expanded;
  }

  get #expansion(): Expansion {
    return {
      part: (part, loops) => {
        if (typeof part === 'string') this.#constant += part;
        else if (part instanceof Uint8Array || part.kind !== 'variable') this.#add(part);
        else this.#resolve(part, { ...this.#names, loops });
      },
      choice: (condition, then, otherwise) => {
        const branch = (write: () => void): Part[] => {
          const parts: TemplatePart[] = [];
          this.#levels.push(level(parts, undefined));
          write();
          this.#flush();
          this.#levels.pop();
          return parts.filter(isPart);
        };
        this.#add({ kind: 'choice', condition, yes: branch(then), no: branch(otherwise) });
      },
      problem: (place, message) => this.#problemAt(place, message),
    };
  }

  /** `{{ mount }}assets/style.css`: the asset's published name takes the place of its own. */
  #asset(mount: Braces, end: number): void {
    const found = assetAfter(this.#text, mount, end);
    if (found === undefined) return;
    const name = this.#assets.refer(found.path);
    if (name === undefined) {
      this.#warnings.push({ ...this.#place(mount.start), message: this.#assets.absence(found.path) });
    } else if (name !== found.path) {
      this.#copyTo(found.start);
      this.#constant += encodePath(name);
      this.#done = found.end;
    }
  }

  #openSlot({ start, end, tag }: Region & { kind: 'start-tag' }): void {
    this.#passDirectives(start);
    const place = this.#place(start);
    const name = tag.attributes.find((attribute) => attribute.name === 'name')?.value ?? '';
    const other = tag.attributes.find((attribute) => attribute.name !== 'name');
    if (!SLOT_NAME.test(name)) {
      this.#problemAt(place, `${JSON.stringify(name)} is no slot name: use lower-case letters, digits and hyphens`);
    } else if (this.#slots.has(name)) this.#problemAt(place, `slot ${JSON.stringify(name)} is there twice`);
    if (other !== undefined)
      this.#problemAt(place, `a slot has a name and no other attribute such as \`${other.name}\``);
    if (this.#open !== undefined)
      return this.#problemAt(place, `a slot cannot stand in slot ${JSON.stringify(this.#open.name)}`);
    if (!takesBlocks(tag.parent)) {
      this.#problemAt(
        place,
        `a slot holds blocks and cannot stand in <${tag.parent.name}>: put it into <div> or another block`,
      );
    }
    if (this.#levels.some(({ loop }) => loop !== undefined)) this.#problemAt(place, 'a slot cannot stand in a loop');
    if (name === CONTENT_SLOT && this.#levels.length > 1) {
      this.#problemAt(place, 'the slot "content" is the page itself and cannot depend on a condition');
    }
    this.#copyTo(start);
    this.#done = end;
    this.#flush();
    this.#slots.add(name);
    this.#open = { name, place };
    this.#levels.push(level([], undefined));
    return undefined;
  }

  #closeSlot({ start, end, parent }: Region & { kind: 'end-tag' }): void {
    this.#passDirectives(start);
    const open = this.#open;
    if (open === undefined) return this.#problem(start, 'this closes a slot that is not open');
    if (parent.name !== 'slot') {
      this.#problem(start, `<${parent.name}> is not closed in slot ${JSON.stringify(open.name)}`);
    }
    this.#copyTo(start);
    this.#done = end;
    this.#flush();
    this.#open = undefined;
    const fallback = this.#levels.pop()?.parts ?? [];
    this.#add({ kind: 'template-slot', name: open.name, fallback, place: open.place });
    return undefined;
  }

  #copyTo(offset: number): void {
    if (offset <= this.#done) return;
    this.#constant += this.#text.slice(this.#done, offset);
    this.#done = offset;
  }

  #add(part: TemplatePart): void {
    this.#flush();
    this.#levels.at(-1)?.parts.push(part);
  }

  #flush(): void {
    if (this.#constant === '') return;
    const bytes = new TextEncoder().encode(this.#constant);
    this.#constant = '';
    this.#levels.at(-1)?.parts.push(bytes);
  }

  #place(offset: number): Place {
    return placeAt(this.#source.file, this.#text, offset);
  }

  #problem(offset: number, message: string): void {
    this.#problemAt(this.#place(offset), message);
  }

  #problemAt(place: Place, message: string): void {
    this.#problems.push({ ...place, message });
  }
}
