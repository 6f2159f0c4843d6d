/** Templates: HTML with `{{ variables }}` and `<slot>`s, compiled once for all pages and partners. */
import type { Problem } from '../errors.ts';
import { SLOT_NAME } from '../protocol/names.ts';
import { encodePath } from './addresses.ts';
import type { AssetNames } from './assets.ts';
import { encodeValue, valueFault } from './encode.ts';
import type { Part, Place } from './segment.ts';
import type { SiteIdentity, TemplateSource } from './source.ts';
import { assetAfter } from './template-assets.ts';
import { findBraces, takesBlocks, typeAttribute, typeText, type Braces, type Typing } from './template-holes.ts';
import { readTemplate, type Region } from './template-reader.ts';
import { placeAt } from './text-place.ts';
import { lookUp } from './variables.ts';

/** `<slot name="…">fallback</slot>` of a template. */
export interface TemplateSlot {
  readonly kind: 'template-slot';
  readonly name: string;
  readonly fallback: readonly Part[];
  readonly place: Place;
}

/** The end of `<head>`, where every page gets its origin. */
export interface HeadEnd {
  readonly kind: 'head-end';
}

export type TemplatePart = Part | TemplateSlot | HeadEnd;

export interface Template {
  readonly name: string;
  readonly file: string;
  readonly parts: readonly TemplatePart[];
  readonly slots: ReadonlySet<string>;
}

/** What templates are compiled with; what is found is added to `problems` and `warnings`. */
export interface TemplateContext {
  readonly site: SiteIdentity;
  readonly assets: AssetNames;
  readonly problems: Problem[];
  readonly warnings: Problem[];
}

/** The slot that takes a page's body. */
export const CONTENT_SLOT = 'content';

/** Compiles what no page changes; whatever is wrong is added to `problems`, and the template is not to be used then. */
export function compileTemplate(source: TemplateSource, context: TemplateContext): Template {
  return new TemplateCompiler(source, context).compile();
}

interface OpenSlot {
  readonly name: string;
  readonly place: Place;
}

class TemplateCompiler {
  readonly #source: TemplateSource;
  readonly #text: string;
  readonly #site: SiteIdentity;
  readonly #problems: Problem[];
  readonly #assets: AssetNames;
  readonly #warnings: Problem[];
  readonly #slots = new Set<string>();
  readonly #parts: TemplatePart[] = [];
  #fallback: Part[] = [];
  #open: OpenSlot | undefined;
  #constant = '';
  /** Everything before this offset has been written. */
  #done = 0;
  #sawDoctype = false;
  #sawHeadEnd = false;

  constructor(source: TemplateSource, { site, assets, problems, warnings }: TemplateContext) {
    this.#source = source;
    this.#text = source.text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
    this.#site = site;
    this.#assets = assets;
    this.#problems = problems;
    this.#warnings = warnings;
  }

  compile(): Template {
    for (const region of readTemplate(this.#text)) this.#region(region);
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
      parts: this.#parts,
      slots: this.#slots,
    };
  }

  #region(region: Region): void {
    switch (region.kind) {
      case 'text':
        return this.#holes(
          findBraces(this.#text, region.start, region.end),
          typeText(region.parent),
          takesBlocks(region.parent),
        );
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
        return undefined;
      }
      case 'end-tag':
        this.#holes(findBraces(this.#text, region.start, region.end), { refused: 'cannot stand in a tag' }, false);
        if (region.name === 'slot') this.#closeSlot(region);
        if (region.name === 'head' && !this.#sawHeadEnd) {
          this.#copyTo(region.start);
          this.#add({ kind: 'head-end' });
          this.#sawHeadEnd = true;
        }
        return undefined;
      case 'doctype':
        this.#sawDoctype = true;
        return undefined;
      case 'comment':
        return this.#holes(
          findBraces(this.#text, region.start, region.end),
          { refused: 'cannot stand in a comment' },
          false,
        );
    }
  }

  #holes(found: readonly Braces[], typing: Typing, blocks: boolean): void {
    for (const braces of found) this.#hole(braces, typing, blocks);
  }

  #hole(braces: Braces, typing: Typing, blocks: boolean): void {
    const { start, end, name, escaped } = braces;
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
    if (name === 'navigation') {
      if (blocks) this.#add({ kind: 'navigation' });
      else
        this.#problemAt(place, 'the navigation is a list: put `{{ navigation }}` directly into <nav> or another block');
      return;
    }
    const found = lookUp(name, this.#site, undefined);
    if (found.kind === 'unknown') this.#problemAt(place, found.message);
    else if (found.kind === 'constant') {
      const fault = valueFault(found.value, typing.context);
      if (fault !== undefined)
        this.#problemAt(place, `the value ${JSON.stringify(found.value)} of \`${name}\` ${fault}`);
      this.#constant += encodeValue(found.value, typing.context);
    } else this.#add({ kind: 'variable', name, ...typing, place });
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
    this.#copyTo(start);
    this.#done = end;
    this.#flush();
    this.#slots.add(name);
    this.#open = { name, place };
    this.#fallback = [];
    return undefined;
  }

  #closeSlot({ start, end, parent }: Region & { kind: 'end-tag' }): void {
    const open = this.#open;
    if (open === undefined) return this.#problem(start, 'this closes a slot that is not open');
    if (parent.name !== 'slot') {
      this.#problem(start, `<${parent.name}> is not closed in slot ${JSON.stringify(open.name)}`);
    }
    this.#copyTo(start);
    this.#done = end;
    this.#flush();
    this.#open = undefined;
    this.#parts.push({ kind: 'template-slot', name: open.name, fallback: this.#fallback, place: open.place });
    return undefined;
  }

  #copyTo(offset: number): void {
    if (offset <= this.#done) return;
    this.#constant += this.#text.slice(this.#done, offset);
    this.#done = offset;
  }

  #add(part: Part | HeadEnd): void {
    this.#flush();
    if (this.#open === undefined) this.#parts.push(part);
    else if (typeof part === 'string' || part instanceof Uint8Array || part.kind !== 'head-end')
      this.#fallback.push(part);
  }

  #flush(): void {
    if (this.#constant === '') return;
    const bytes = new TextEncoder().encode(this.#constant);
    this.#constant = '';
    if (this.#open === undefined) this.#parts.push(bytes);
    else this.#fallback.push(bytes);
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
