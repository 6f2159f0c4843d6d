/** Puts colours into the code blocks of a sanitised HTML tree. */
import type { Element, ElementContent, Root } from 'hast';
import type { Highlighter } from './highlighting.ts';

const LANGUAGE = /^language-(.+)$/;

/** Changes `tree`: the text of `<pre><code class="language-…">` becomes text and spans that say the same. */
export function highlightBlocks(tree: Root, highlight: Highlighter): void {
  visit(tree, highlight);
}

function visit(parent: Root | Element, highlight: Highlighter): void {
  for (const node of parent.children) {
    if (node.type !== 'element') continue;
    if (node.tagName === 'code' && parent.type === 'element' && parent.tagName === 'pre') colourBlock(node, highlight);
    else visit(node, highlight);
  }
}

function colourBlock(code: Element, highlight: Highlighter): void {
  const { className } = code.properties;
  const classes = Array.isArray(className) ? className : [];
  const language = classes
    .map((name) => (typeof name === 'string' ? LANGUAGE.exec(name)?.[1] : undefined))
    .find((name) => name !== undefined);
  const [only, second] = code.children;
  // What holds elements or variables is no plain code.
  if (language === undefined || only?.type !== 'text' || second !== undefined) return;
  const pieces = highlight(only.value, language);
  // A highlighter that loses a character must not change what a page says.
  if (pieces === undefined || pieces.map(({ text }) => text).join('') !== only.value) return;
  code.children = pieces.map((piece): ElementContent => {
    const text = { type: 'text', value: piece.text } as const;
    if (piece.className === undefined) return text;
    return { type: 'element', tagName: 'span', properties: { className: [piece.className] }, children: [text] };
  });
}
