/** From the sanitised HTML tree: addresses are left to be resolved, and every mark learns what kind of hole it has become. */
import type { Element, ElementContent, Properties, Root, RootContent } from 'hast';
import { addressContext, HOLE, type HoleContext } from './encode.ts';
import type { TextPlace, TextProblem } from './fragment.ts';
import type { Mark, Marks } from './marks.ts';

export interface HtmlPass {
  readonly marks: Marks;
  readonly problems: TextProblem[];
  readonly idPrefix: string;
  /** Pictures after the first one are loaded when they come into view. */
  readonly lazyImages: boolean;
}

/** Changes `tree`: marks in text become comments, the only ones that a sanitised tree has. */
export function placeMarks(tree: Root, pass: HtmlPass): void {
  const walk = new HtmlWalk(pass, pass.idPrefix === '' ? new Set() : collectIds(tree, new Set()));
  tree.children = walk.children(tree.children, undefined);
  walk.finish();
}

/** Properties that hold an address; all others hold plain text. */
export const ADDRESS: ReadonlySet<string> = new Set(['href', 'src', 'poster', 'cite']);
/** Absolute, network-path, fragment or query alone: no file of any site's can be meant. */
const ELSEWHERE = /^(?:[a-z][a-z0-9+.-]*:|\/\/|#|\?|$)/i;
/** Where the blocks of a slot can stand. */
const FLOW = new Set([
  'div',
  'section',
  'article',
  'aside',
  'header',
  'footer',
  'blockquote',
  'details',
  'figure',
  'li',
  'dd',
  'td',
  'th',
]);

class HtmlWalk {
  readonly #pass: HtmlPass;
  readonly #ids: ReadonlySet<string>;
  #images = 0;
  #slot: { readonly name: string; readonly at: TextPlace; readonly parent: Element | undefined } | undefined;

  constructor(pass: HtmlPass, ids: ReadonlySet<string>) {
    this.#pass = pass;
    this.#ids = ids;
  }

  children<T extends RootContent | ElementContent>(
    nodes: readonly T[],
    parent: Element | undefined,
  ): (T | ElementContent)[] {
    const placed: (T | ElementContent)[] = [];
    for (const node of nodes) {
      if (node.type === 'element') this.#element(node);
      if (node.type === 'text' && this.#pass.marks.has(node.value)) placed.push(...this.#text(node.value, parent));
      else placed.push(node);
    }
    return placed;
  }

  finish(): void {
    if (this.#slot !== undefined) this.#crossed(this.#slot.name, this.#slot.at);
  }

  #element(element: Element): void {
    for (const [name, value] of Object.entries(element.properties)) this.#property(element, name, value);
    if (element.tagName === 'img' && this.#pass.lazyImages) this.#image(element.properties);
    element.children = this.children(element.children, element);
    const [first] = element.children;
    makeAccessible(element);
    // A parser drops the first line feed of <pre>: one that is content needs another before it.
    if (element.tagName === 'pre' && first?.type === 'text' && first.value.startsWith('\n'))
      first.value = `\n${first.value}`;
  }

  #text(text: string, parent: Element | undefined): ElementContent[] {
    const { marks } = this.#pass;
    return marks.split(text).map((piece): ElementContent => {
      if (typeof piece === 'string') return { type: 'text', value: piece };
      if (piece.kind === 'hole') {
        const { hole } = piece;
        if (hole.kind === 'slot-start') this.#openSlot(hole.name, hole.at, parent);
        if (hole.kind === 'slot-end') this.#closeSlot(hole.name, parent);
      }
      return { type: 'comment', value: marks.add(arrived(piece, 'text')) };
    });
  }

  #openSlot(name: string, at: TextPlace, parent: Element | undefined): void {
    if (parent !== undefined && !FLOW.has(parent.tagName)) {
      this.#pass.problems.push({
        ...at,
        message: `slot ${JSON.stringify(name)} cannot stand in <${parent.tagName}>`,
      });
    }
    this.#slot = { name, at, parent };
  }

  #closeSlot(name: string, parent: Element | undefined): void {
    const open = this.#slot;
    this.#slot = undefined;
    // An element that starts inside and ends outside would be torn apart by the partner's content.
    if (open !== undefined && (open.name !== name || open.parent !== parent)) this.#crossed(open.name, open.at);
  }

  #crossed(name: string, at: TextPlace): void {
    const message = `slot ${JSON.stringify(name)} starts in one HTML element and ends in another`;
    this.#pass.problems.push({ ...at, message });
  }

  #image(properties: Properties): void {
    this.#images += 1;
    properties['decoding'] ??= 'async';
    // The first one is what a visitor waits for.
    if (this.#images > 1) properties['loading'] ??= 'lazy';
  }

  #property(element: Element, name: string, value: Properties[string]): void {
    const { marks } = this.#pass;
    if (Array.isArray(value)) {
      element.properties[name] = value.map((item) => (typeof item === 'string' ? this.#attribute(item) : item));
    } else if (typeof value === 'string') {
      if (!ADDRESS.has(name)) element.properties[name] = this.#attribute(value);
      else {
        const address = marks.decodeIn(value);
        element.properties[name] = marks.has(address)
          ? this.#composed(address, name === 'href')
          : this.#address(element, name, address);
      }
    }
  }

  #attribute(text: string): string {
    const { marks } = this.#pass;
    if (!marks.has(text)) return text;
    return marks
      .split(text)
      .map((piece) => (typeof piece === 'string' ? piece : marks.add(arrived(piece, 'attribute'))))
      .join('');
  }

  /** An address that holds variables: its constant text has passed the sanitiser, which knows nothing of their values. */
  #composed(address: string, follow: boolean): string {
    const { marks } = this.#pass;
    let before = '';
    let composed = '';
    for (const piece of marks.split(address)) {
      if (typeof piece === 'string') {
        before += piece;
        composed += piece;
        continue;
      }
      composed += marks.add(arrived(piece, addressContext(before), follow));
      before += HOLE;
    }
    return composed;
  }

  #address(element: Element, name: string, address: string): string {
    const { marks, idPrefix, lazyImages } = this.#pass;
    if (idPrefix !== '' && address.startsWith('#')) {
      return this.#ids.has(`${idPrefix}${address.slice(1)}`) ? `#${idPrefix}${address.slice(1)}` : address;
    }
    const { width, height } = element.properties;
    const unsized = element.tagName === 'img' && width === undefined && height === undefined;
    const use = name === 'href' ? 'link' : unsized && lazyImages ? 'image' : 'source';
    if (use === 'link' && ELSEWHERE.test(address)) return address;
    const start = element.position?.start;
    const at = { line: start?.line ?? 1, column: start?.column ?? 1 };
    return marks.add({ kind: 'hole', hole: { kind: 'reference', address, use, at } });
  }
}

/** What people who use a keyboard or a screen reader need, and Markdown has no word for. */
function makeAccessible(element: Element): void {
  // Frameworks let wide code and tables scroll on their own, which takes the focus.
  if (element.tagName === 'pre' || element.tagName === 'table') element.properties['tabIndex'] = 0;
  if (element.tagName !== 'li') return;
  const [first] = element.children.filter((child) => child.type === 'element');
  const box = first?.tagName === 'p' ? first.children[0] : first;
  if (box?.type === 'element' && box.tagName === 'input') {
    const label = textOf(element).trim().split('\n')[0] ?? '';
    if (label !== '') box.properties['ariaLabel'] = label;
  }
}

function textOf(element: Element): string {
  return element.children
    .map((child) => (child.type === 'text' ? child.value : child.type === 'element' ? textOf(child) : ''))
    .join('');
}

function arrived(mark: Mark, context: HoleContext, follow = false): Mark {
  if (mark.kind !== 'variable') return mark;
  return {
    kind: 'hole',
    hole: { kind: 'variable', name: mark.name, context, ...(follow ? { follow } : {}), at: mark.at },
  };
}

function collectIds(parent: Root | Element, ids: Set<string>): Set<string> {
  for (const node of parent.children) {
    if (node.type !== 'element') continue;
    if (typeof node.properties['id'] === 'string') ids.add(node.properties['id']);
    collectIds(node, ids);
  }
  return ids;
}
