/**
 * `<template each="shop in data.shops">`, `<template if="…">`, `<template else-if="…">` and `<template else>` of a
 * template's source.
 *
 * What a directive holds must be whole: every element that it opens it closes, and it closes no other. Then a branch
 * may be left out or repeated, and nothing outside of it means something else. Its own tags are blanked, so that holes
 * are typed by the source that a browser will see, in which they are gone.
 */
import { NAME } from './variables.ts';
import { parseExpression, type Expression } from './expression.ts';
import { readTemplate, type Region, type StartTag } from './template-reader.ts';

export type Directive =
  | {
      readonly kind: 'each';
      readonly variable: string;
      /** Dotted name of what is gone through. */
      readonly list: string;
      readonly limit: number | undefined;
      readonly start: number;
    }
  | { readonly kind: 'if' | 'else-if'; readonly test: Expression; readonly start: number }
  | { readonly kind: 'else'; readonly start: number };

/** A tag of a directive; offsets of what is left out of the output, with the line when the tag has it for itself. */
export type DirectiveTag =
  | { readonly kind: 'open'; readonly start: number; readonly end: number; readonly directive: Directive }
  | { readonly kind: 'close'; readonly start: number; readonly end: number };

export interface Directives {
  /** In the order of the source; they pair. Empty when anything is wrong. */
  readonly tags: readonly DirectiveTag[];
  /** The source with blanks in the place of tags; its offsets are the same. */
  readonly blanked: string;
  readonly faults: readonly DirectiveFault[];
}

interface DirectiveFault {
  readonly offset: number;
  readonly message: string;
}

const ATTRIBUTES = ['each', 'if', 'else-if', 'else'] as const;
const EACH = new RegExp(`^\\s*([A-Za-z][A-Za-z0-9_]*)\\s+in\\s+(${NAME})\\s*$`);
/** Names of variables, and words of the language. */
const TAKEN = new Set(
  'site page partner mount release generator navigation breadcrumbs labels data collections pagination loop and or not in true false'.split(
    ' ',
  ),
);
const MAX_LIMIT = 10_000;

export function findDirectives(source: string): Directives {
  if (!/<template[\s/>]/i.test(source)) return { tags: [], blanked: source, faults: [] };
  const finder = new DirectiveFinder(source);
  for (const region of readTemplate(source)) finder.region(region);
  return finder.finish();
}

/** An open `<template>`; without a directive it is the template's own, for a script. */
interface OpenTemplate {
  readonly start: number;
  readonly directive: Directive | undefined;
}

class DirectiveFinder {
  readonly #source: string;
  readonly #tags: DirectiveTag[] = [];
  readonly #faults: DirectiveFault[] = [];
  readonly #open: OpenTemplate[] = [];
  /** The directive that ended last, which an `else` may follow. */
  #ended: { readonly directive: Directive; readonly end: number } | undefined;

  constructor(source: string) {
    this.#source = source;
  }

  region(region: Region): void {
    if (region.kind === 'start-tag' && region.tag.name === 'template') this.#openTemplate(region.tag, region);
    if (region.kind !== 'end-tag') return;
    const innermost = this.#open.at(-1);
    if (region.name === 'template') {
      if (innermost === undefined) return;
      if (innermost.directive !== undefined && region.parent.name !== 'template') {
        this.#fault(region.start, `<${region.parent.name}> is opened in this <template> and not closed`);
      }
      this.#open.pop();
      if (innermost.directive === undefined) return;
      const { start, end } = this.#line(region.start, region.end);
      this.#tags.push({ kind: 'close', start, end });
      this.#ended = { directive: innermost.directive, end };
    } else if (innermost?.directive !== undefined && !region.closes) {
      this.#fault(region.start, `</${region.name}> closes what was opened outside of this <template>`);
    }
  }

  finish(): Directives {
    // What follows a tag that is missing is wrong for no other reason.
    const unclosed = this.#open.filter(({ directive }) => directive !== undefined);
    const faults =
      unclosed.length === 0
        ? this.#faults
        : unclosed.map(({ start }) => ({ offset: start, message: 'this <template> is not closed' }));
    if (faults.length > 0) return { tags: [], blanked: this.#source, faults };
    let blanked = '';
    let at = 0;
    for (const { start, end } of this.#tags) {
      blanked += this.#source.slice(at, start) + this.#source.slice(start, end).replace(/[^\n]/g, ' ');
      at = end;
    }
    return { tags: this.#tags, blanked: blanked + this.#source.slice(at), faults: [] };
  }

  #openTemplate(tag: StartTag, { start, end }: { readonly start: number; readonly end: number }): void {
    const names = tag.attributes.map(({ name }) => name);
    const kind = ATTRIBUTES.find((name) => names.includes(name));
    if (tag.parent.foreign) {
      if (kind !== undefined) this.#fault(start, 'a <template> with a condition or a loop cannot stand in a drawing');
      return;
    }
    if (kind === undefined) {
      this.#open.push({ start, directive: undefined });
      return;
    }
    const directive = this.#directive(kind, tag, start);
    this.#open.push({ start, directive: directive ?? { kind: 'else', start } });
    if (directive === undefined) return;
    const other = names.find((name) => name !== kind && !(kind === 'each' && name === 'limit'));
    if (other !== undefined) this.#fault(start, `a <template> with \`${kind}\` has no attribute \`${other}\``);
    const line = this.#line(start, end);
    const follows = kind === 'else' || kind === 'else-if' ? this.#followed(kind, start) : line.start;
    this.#tags.push({ kind: 'open', start: follows, end: line.end, directive });
  }

  /** Where the blanks between an `else` and what it belongs to begin. */
  #followed(kind: 'else' | 'else-if', start: number): number {
    const ended = this.#ended;
    const before = ended === undefined ? '?' : this.#source.slice(ended.end, start);
    if (ended === undefined || before.trim() !== '' || ended.directive.kind === 'else') {
      this.#fault(start, `\`${kind}\` does not follow the </template> of an \`if\``);
    } else if (kind === 'else-if' && ended.directive.kind === 'each') {
      this.#fault(start, '`else-if` follows an `each`, which can only have an `else`');
    }
    return ended?.end ?? start;
  }

  #directive(kind: (typeof ATTRIBUTES)[number], tag: StartTag, start: number): Directive | undefined {
    const value = tag.attributes.find(({ name }) => name === kind)?.value ?? '';
    if (kind === 'else') {
      if (value !== '') this.#fault(start, '`else` has no value: write `else-if` for another condition');
      return { kind, start };
    }
    if (kind !== 'each') {
      const parsed = parseExpression(value);
      if (parsed.kind === 'parsed') return { kind, test: parsed.expression, start };
      this.#fault(start, `the condition ${JSON.stringify(value)} ${parsed.fault}`);
      return undefined;
    }
    const [, variable, list] = EACH.exec(value) ?? [];
    if (variable === undefined || list === undefined) {
      this.#fault(start, `${JSON.stringify(value)} is no loop: write \`each="shop in data.shops"\``);
      return undefined;
    }
    if (TAKEN.has(variable)) {
      this.#fault(start, `\`${variable}\` means something else already: choose another name`);
    } else if (this.#open.some(({ directive }) => directive?.kind === 'each' && directive.variable === variable)) {
      this.#fault(start, `\`${variable}\` is the name of a loop around this one: choose another name`);
    }
    const written = tag.attributes.find(({ name }) => name === 'limit')?.value;
    const limit = written === undefined ? undefined : Number(written);
    if (limit !== undefined && !(/^\d+$/.test(written ?? '') && limit > 0 && limit <= MAX_LIMIT)) {
      this.#fault(start, `the limit ${JSON.stringify(written)} is no number from 1 to ${MAX_LIMIT}`);
    }
    return { kind, variable, list, limit, start };
  }

  /** With the blanks and the line end around a tag that has a line for itself. */
  #line(start: number, end: number): { readonly start: number; readonly end: number } {
    const before = /(?:^|\n)[ \t]*$/.exec(this.#source.slice(Math.max(0, start - 200), start));
    const after = /^[ \t]*\n/.exec(this.#source.slice(end, end + 200));
    if (before === null || after === null) return { start, end };
    return { start: start - before[0].replace('\n', '').length, end: end + after[0].length };
  }

  #fault(offset: number, message: string): void {
    this.#faults.push({ offset, message });
  }
}
