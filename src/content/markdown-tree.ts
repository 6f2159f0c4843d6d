/** From Markdown's tree: variables and slots become marks, and what is written in a way that cannot work is reported. */
import type { Html, Nodes, Parents, Root, RootContent } from 'mdast';
import type { Problem } from '../errors.ts';
import { SLOT_NAME } from '../protocol/names.ts';
import { SLOT_LINE } from './markdown-syntax.ts';
import type { Marks } from './marks.ts';
import type { Place } from './segment.ts';
import { CONTENT_SLOT } from './template.ts';
import { VARIABLE } from './variables.ts';

export interface MarkdownPass {
  readonly marks: Marks;
  readonly problems: Problem[];
  /** Where a place of the text is in its file. */
  place(line: number, column: number): Place;
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
  const place = placeOf(node, pass);
  const name = node.value.startsWith('{{') ? VARIABLE.exec(node.value)?.[1] : undefined;
  if (name !== undefined) return pass.marks.add({ kind: 'variable', name, place });
  const slot = BLOCK_PARENTS.has(parent.type) ? SLOT_LINE.exec(node.value) : null;
  if (slot !== null) return slots.line(slot, parent.type === 'root', place);
  if (/<\/?slot[\s/>]/i.test(node.value)) {
    pass.problems.push({
      ...place,
      message: 'a slot is written on lines of its own: <slot name="…">, its fallback, </slot>',
    });
  }
  node.value = markRaw(node.value, place, pass);
  return undefined;
}

function replace(parent: Parents, index: number, value: string, node: Html): void {
  const children: Nodes[] = parent.children;
  children[index] = { type: 'text', value, ...(node.position === undefined ? {} : { position: node.position }) };
}

/** In raw HTML, a backslash escapes two braces as it does in text. */
function markRaw(html: string, start: Place, pass: MarkdownPass): string {
  return html.replace(
    new RegExp(`\\\\\\{\\{|${VARIABLE.source}`, 'g'),
    (_: string, name: string | undefined, offset: number) => {
      if (name === undefined) return '{{';
      const before = html.slice(0, offset).split('\n');
      const line = start.line + before.length - 1;
      const column = (before.length === 1 ? start.column : 1) + (before.at(-1)?.length ?? 0);
      return pass.marks.add({ kind: 'variable', name, place: { file: start.file, line, column } });
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
  const place = placeOf(node, pass);
  return text.replace(new RegExp(VARIABLE.source, 'g'), (_, name: string) =>
    pass.marks.add({ kind: 'variable', name, place }),
  );
}

function placeOf(node: Nodes, pass: MarkdownPass): Place {
  return pass.place(node.position?.start.line ?? 1, node.position?.start.column ?? 1);
}

/** The slot lines of one text, which must pair. */
class SlotLines {
  readonly #pass: MarkdownPass;
  readonly #seen = new Set<string>();
  #open: { readonly name: string; readonly place: Place } | undefined;

  constructor(pass: MarkdownPass) {
    this.#pass = pass;
  }

  line([, doubleQuoted, singleQuoted, closed]: RegExpExecArray, atTop: boolean, place: Place): string {
    const { marks } = this.#pass;
    const name = doubleQuoted ?? singleQuoted;
    if (!atTop) {
      this.#problem(place, 'a slot cannot stand in a list or a quotation');
      return '';
    }
    if (name === undefined) return this.#close(place);
    if (!SLOT_NAME.test(name)) {
      this.#problem(place, `${JSON.stringify(name)} is no slot name: use lower-case letters, digits and hyphens`);
    } else if (name === CONTENT_SLOT)
      this.#problem(place, 'the slot "content" is the page itself: choose another name');
    else if (this.#seen.has(name)) this.#problem(place, `slot ${JSON.stringify(name)} is there twice`);
    else if (this.#open !== undefined)
      this.#problem(place, `a slot cannot stand in slot ${JSON.stringify(this.#open.name)}`);
    else {
      this.#seen.add(name);
      const start = marks.add({ kind: 'slot-start', name, place });
      if (closed !== undefined) return `${start}${marks.add({ kind: 'slot-end', name })}`;
      this.#open = { name, place };
      return start;
    }
    return '';
  }

  finish(): void {
    if (this.#open !== undefined) {
      this.#problem(this.#open.place, `slot ${JSON.stringify(this.#open.name)} is not closed by a line </slot>`);
    }
  }

  #close(place: Place): string {
    if (this.#open === undefined) {
      this.#problem(place, 'this closes a slot that is not open');
      return '';
    }
    const { name } = this.#open;
    this.#open = undefined;
    return this.#pass.marks.add({ kind: 'slot-end', name });
  }

  #problem(place: Place, message: string): void {
    this.#pass.problems.push({ ...place, message });
  }
}
