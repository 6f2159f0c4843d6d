/** GitHub's alerts: a quotation whose first line is `[!NOTE]` becomes a note with a title, which a screen reader names as well. */
import type { Blockquote, Nodes, Paragraph, PhrasingContent, Root } from 'mdast';
import type { Labels } from './labels.ts';

const MARKER = /^\[!(note|tip|important|warning|caution)\][ \t]*/i;

/** Changes `tree`, which was made from `source`. After `[!NOTE]` a title of one's own may stand on the same line. */
export function placeAdmonitions(tree: Root, source: string, labels: Labels): void {
  // The `!` may be written as an escape or a reference.
  if (!/\[[!\\&]/.test(source)) return;
  visit(tree, source, labels);
}

function visit(node: Nodes, source: string, labels: Labels): void {
  if (node.type === 'blockquote') turnIntoNote(node, source, labels);
  if ('children' in node) for (const child of node.children) visit(child, source, labels);
}

function turnIntoNote(quotation: Blockquote, source: string, labels: Labels): void {
  const [paragraph] = quotation.children;
  const first = paragraph?.type === 'paragraph' ? paragraph.children[0] : undefined;
  if (paragraph?.type !== 'paragraph' || first?.type !== 'text') return;
  // `\\[!NOTE]` is text.
  if (source[first.position?.start.offset ?? 0] !== '[') return;
  const match = MARKER.exec(first.value);
  const kind = match?.[1]?.toLowerCase();
  if (match === null || !isKind(kind)) return;
  first.value = first.value.slice(match[0].length);
  const { title, rest } = splitAtLineEnd(paragraph.children);
  const named = title.some((node) => node.type !== 'text' || node.value.trim() !== '');
  const heading: Paragraph = {
    type: 'paragraph',
    children: named ? title : [{ type: 'text', value: labels.admonitions[kind] }],
    data: { hProperties: { className: ['admonition-title'] } },
  };
  const body: Paragraph[] = rest.length === 0 ? [] : [{ ...paragraph, children: rest }];
  quotation.children = [heading, ...body, ...quotation.children.slice(1)];
  quotation.data = { hName: 'div', hProperties: { className: ['admonition', `admonition-${kind}`], role: 'note' } };
}

function isKind(kind: string | undefined): kind is keyof Labels['admonitions'] {
  return kind !== undefined && ['note', 'tip', 'important', 'warning', 'caution'].includes(kind);
}

function splitAtLineEnd(nodes: readonly PhrasingContent[]): {
  readonly title: PhrasingContent[];
  readonly rest: PhrasingContent[];
} {
  for (const [index, node] of nodes.entries()) {
    if (node.type === 'break') return { title: nodes.slice(0, index), rest: nodes.slice(index + 1) };
    const end = node.type === 'text' ? node.value.indexOf('\n') : -1;
    if (node.type !== 'text' || end === -1) continue;
    const [before, after] = [node.value.slice(0, end), node.value.slice(end + 1)];
    return {
      title: [...nodes.slice(0, index), { type: 'text', value: before }],
      rest: [...(after === '' ? [] : [{ ...node, value: after }]), ...nodes.slice(index + 1)],
    };
  }
  return { title: [...nodes], rest: [] };
}
