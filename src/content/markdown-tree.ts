/** From Markdown's tree: variables and slots become marks, and what is written in a way that cannot work is reported. */
import type { Html, Nodes, Parents, Root, RootContent } from 'mdast';
import { SLOT_NAME } from '../protocol/names.ts';
import type { TextPlace, TextProblem } from './fragment.ts';
import { SLOT_LINE } from './markdown-syntax.ts';
import type { Marks } from './marks.ts';
import { CONTENT_SLOT } from './template-parts.ts';
import { VARIABLE } from './variables.ts';

export interface MarkdownPass {
  readonly marks: Marks;
  readonly problems: TextProblem[];
}

/** Changes `tree`; @returns whether it still holds raw HTML. */
export function markTree(tree: Root, pass: MarkdownPass): boolean {
  const slots = new SlotLines(pass);
  const raw = markChildren(tree, pass, slots);
  slots.finish();
  return raw;
}

function markChildren(parent: Parents, pass: MarkdownPass, slots: SlotLines): boolean {
  let raw = false;
  for (const [index, node] of parent.children.entries()) {
    if (node.type === 'html') {
      node.value = pass.marks.restore(node.value);
      const text = marked(node, parent, pass, slots);
      if (text === undefined) raw = true;
      else replace(parent, index, text, node);
      continue;
    }
    if ('children' in node && markChildren(node, pass, slots)) raw = true;
    markFields(node, pass);
  }
  return raw;
}

/** In these, raw HTML is a block on lines of its own. */
const BLOCK_PARENTS = new Set<Parents['type']>(['root', 'listItem', 'blockquote', 'footnoteDefinition']);

/** The text with marks which takes the node's place; undefined when it stays raw HTML. */
function marked(node: Html, parent: Parents, pass: MarkdownPass, slots: SlotLines): string | undefined {
  const at = placeOf(node);
  const name = node.value.startsWith('{{') ? VARIABLE.exec(node.value)?.[1] : undefined;
  if (name !== undefined) return pass.marks.add({ kind: 'variable', name, at });
  const slot = BLOCK_PARENTS.has(parent.type) ? SLOT_LINE.exec(node.value) : null;
  if (slot !== null) return slots.line(slot, parent.type === 'root', at);
  if (/<\/?slot[\s/>]/i.test(node.value)) {
    pass.problems.push({
      ...at,
      message: 'a slot is written on lines of its own: <slot name="…">, its fallback, </slot>',
    });
  }
  node.value = markRaw(node.value, at, pass);
  return undefined;
}

function replace(parent: Parents, index: number, value: string, node: Html): void {
  const children: Nodes[] = parent.children;
  children[index] = { type: 'text', value, ...(node.position === undefined ? {} : { position: node.position }) };
}

/** In raw HTML, a backslash escapes two braces as it does in text. */
function markRaw(html: string, start: TextPlace, pass: MarkdownPass): string {
  return html.replace(
    new RegExp(`\\\\\\{\\{|${VARIABLE.source}`, 'g'),
    (_: string, name: string | undefined, offset: number) => {
      if (name === undefined) return '{{';
      const before = html.slice(0, offset).split('\n');
      const line = start.line + before.length - 1;
      const column = (before.length === 1 ? start.column : 1) + (before.at(-1)?.length ?? 0);
      return pass.marks.add({ kind: 'variable', name, at: { line, column } });
    },
  );
}

/** Variables in addresses, titles and alternative texts, where Markdown knows no raw nodes. */
function markFields(node: RootContent, pass: MarkdownPass): void {
  const { marks } = pass;
  if (node.type === 'text' || node.type === 'inlineCode' || node.type === 'code') {
    node.value = marks.restore(node.value);
    if (node.type === 'code' && typeof node.lang === 'string') node.lang = marks.restore(node.lang);
    return;
  }
  if (node.type === 'link') {
    const [only, second] = node.children;
    // An address that stands for itself shows what it leads to.
    if (only?.type === 'text' && second === undefined && marks.restore(node.url).endsWith(only.value)) {
      only.value = markText(only.value, node, pass);
    }
  }
  if (node.type === 'link' || node.type === 'image' || node.type === 'definition') {
    node.url = markText(node.url, node, pass);
    if (typeof node.title === 'string') node.title = markText(node.title, node, pass);
  }
  if ((node.type === 'image' || node.type === 'imageReference') && typeof node.alt === 'string') {
    node.alt = markText(node.alt, node, pass);
  }
}

function markText(written: string, node: Nodes, pass: MarkdownPass): string {
  const text = pass.marks.restore(written);
  if (!text.includes('{{')) return text;
  const at = placeOf(node);
  return text.replace(new RegExp(VARIABLE.source, 'g'), (_, name: string) =>
    pass.marks.add({ kind: 'variable', name, at }),
  );
}

function placeOf(node: Nodes): TextPlace {
  return { line: node.position?.start.line ?? 1, column: node.position?.start.column ?? 1 };
}

/** The slot lines of one text, which must pair. */
class SlotLines {
  readonly #pass: MarkdownPass;
  readonly #seen = new Set<string>();
  #open: { readonly name: string; readonly at: TextPlace } | undefined;

  constructor(pass: MarkdownPass) {
    this.#pass = pass;
  }

  line([, doubleQuoted, singleQuoted, closed]: RegExpExecArray, atTop: boolean, at: TextPlace): string {
    const { marks } = this.#pass;
    const name = doubleQuoted ?? singleQuoted;
    if (!atTop) {
      this.#problem(at, 'a slot cannot stand in a list or a quotation');
      return '';
    }
    if (name === undefined) return this.#close(at);
    if (!SLOT_NAME.test(name)) {
      this.#problem(at, `${JSON.stringify(name)} is no slot name: use lower-case letters, digits and hyphens`);
    } else if (name === CONTENT_SLOT) this.#problem(at, 'the slot "content" is the page itself: choose another name');
    else if (this.#seen.has(name)) this.#problem(at, `slot ${JSON.stringify(name)} is there twice`);
    else if (this.#open !== undefined)
      this.#problem(at, `a slot cannot stand in slot ${JSON.stringify(this.#open.name)}`);
    else {
      this.#seen.add(name);
      const start = marks.add({ kind: 'hole', hole: { kind: 'slot-start', name, at } });
      if (closed !== undefined) return `${start}${marks.add({ kind: 'hole', hole: { kind: 'slot-end', name } })}`;
      this.#open = { name, at };
      return start;
    }
    return '';
  }

  finish(): void {
    if (this.#open !== undefined) {
      this.#problem(this.#open.at, `slot ${JSON.stringify(this.#open.name)} is not closed by a line </slot>`);
    }
  }

  #close(at: TextPlace): string {
    if (this.#open === undefined) {
      this.#problem(at, 'this closes a slot that is not open');
      return '';
    }
    const { name } = this.#open;
    this.#open = undefined;
    return this.#pass.marks.add({ kind: 'hole', hole: { kind: 'slot-end', name } });
  }

  #problem(at: TextPlace, message: string): void {
    this.#pass.problems.push({ ...at, message });
  }
}
