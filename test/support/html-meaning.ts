/** Fragments of HTML compared as documents: what a browser makes of them, not how they are written. */
import { parseFragment, type DefaultTreeAdapterTypes } from 'parse5';

type Node = DefaultTreeAdapterTypes.Node;
type Element = DefaultTreeAdapterTypes.Element;

const BLOCK = new Set(
  'address article aside blockquote body col colgroup dd details dialog div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr html iframe legend li link main menu nav noframes ol optgroup option p param pre script section source style summary table tbody td textarea tfoot th thead title tr track ul'.split(
    ' ',
  ),
);

/** True for an attribute that is there on purpose, beside what the specification shows. */
export type IsAddition = (element: string, name: string, value: string) => boolean;

/**
 * One line for each node, indented by depth. Blanks between blocks and their number in a line mean nothing, as in the
 * specification's own comparison; in `<pre>` they stay.
 */
export function meaning(html: string, isAddition: IsAddition = () => false): string {
  const lines: string[] = [];
  describeAll(parseFragment(html).childNodes, '', { lines, isAddition, preformatted: false });
  return lines.join('\n');
}

interface Pass {
  readonly lines: string[];
  readonly isAddition: IsAddition;
  readonly preformatted: boolean;
}

function describeAll(nodes: readonly Node[], indent: string, pass: Pass): void {
  for (const [index, node] of nodes.entries()) {
    if ('tagName' in node) describeElement(node, indent, pass);
    else if ('data' in node) pass.lines.push(`${indent}<!--${node.data}-->`);
    else if ('value' in node) {
      const text = pass.preformatted ? node.value : inLine(node.value, nodes[index - 1], nodes[index + 1], node);
      if (text !== '') pass.lines.push(`${indent}${JSON.stringify(text)}`);
    }
  }
}

function describeElement(element: Element, indent: string, pass: Pass): void {
  const attributes = element.attrs
    .filter(({ name, value }) => !pass.isAddition(element.tagName, name, value))
    // Classes are words; how they are parted means nothing.
    .map(
      ({ name, value }) => ` ${name}=${JSON.stringify(name === 'class' ? value.replace(/\s+/g, ' ').trim() : value)}`,
    )
    .sort();
  pass.lines.push(`${indent}<${element.tagName}${attributes.join('')}>`);
  const preformatted = pass.preformatted || element.tagName === 'pre';
  describeAll(element.childNodes, `${indent}  `, { ...pass, preformatted });
}

function inLine(value: string, before: Node | undefined, after: Node | undefined, text: Node): string {
  const parent = 'parentNode' in text ? text.parentNode : null;
  const edge = parent === null || parent.nodeName === '#document-fragment' || BLOCK.has(parent.nodeName);
  const atStart = before === undefined ? edge : endsLine(before);
  const atEnd = after === undefined ? edge : endsLine(after);
  const collapsed = value.replace(/\s+/g, ' ');
  const started = atStart ? collapsed.trimStart() : collapsed;
  return atEnd ? started.trimEnd() : started;
}

function endsLine(node: Node): boolean {
  return BLOCK.has(node.nodeName) || node.nodeName === 'br';
}
