/** A page as a reviewer reads it: one line for each block of text, and what cannot be seen but matters. */
import type { DefaultTreeAdapterTypes } from 'parse5';
import { asElement, childrenOf, parseHtml } from './html.ts';

type Node = DefaultTreeAdapterTypes.Node;

const BLOCKS = new Set(
  'address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 head header hgroup hr html legend li main menu nav ol optgroup option p pre search section summary table tbody td template tfoot th thead title tr ul'.split(
    ' ',
  ),
);
/** Attributes that a visitor, a search engine or a screen reader meets. */
const TELLING = [
  'href',
  'src',
  'srcset',
  'alt',
  'title',
  'aria-label',
  'placeholder',
  'value',
  'action',
  'lang',
  'dir',
  'http-equiv',
  'hidden',
  'style',
];
/** Shown as a line of their own, with all that they say. */
const METADATA = new Set(['meta', 'link', 'base', 'script', 'style', 'iframe', 'object', 'embed']);

/** Lines of text; blanks are folded except in `pre`. */
export function visibleText(html: Uint8Array): readonly string[] {
  const lines: string[] = [];
  let line = '';
  const flush = () => {
    const text = line.trimEnd();
    if (text.trim() !== '') lines.push(text.trimStart());
    line = '';
  };
  // Explicit stack: [what to do, in preformatted text].
  const stack: (readonly [Node | (() => void), boolean])[] = [
    [parseHtml(new TextDecoder().decode(html), false), false],
  ];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const [node, preformatted] = next;
    if (typeof node === 'function') {
      node();
      continue;
    }
    if (node.nodeName === '#text' && 'value' in node) {
      if (!preformatted) line += line === '' || line.endsWith(' ') ? fold(node.value).trimStart() : fold(node.value);
      else {
        const [first, ...rest] = node.value.split('\n');
        line += first ?? '';
        for (const more of rest) {
          flush();
          line = more;
        }
      }
      continue;
    }
    if (!('tagName' in node)) {
      stack.push(
        ...childrenOf(node)
          .toReversed()
          .map((child) => [child, preformatted] as const),
      );
      continue;
    }
    const element = asElement(node);
    const block = BLOCKS.has(element.name);
    if (METADATA.has(element.name)) {
      flush();
      const all = [...element.attributes].map(([name, value]) =>
        value === '' ? name : `${name}=${JSON.stringify(value)}`,
      );
      lines.push(
        [`<${element.name}>`, ...all, ...fold(element.text).trim().split('\n')].filter((part) => part !== '').join(' '),
      );
      continue;
    }
    if (block || element.name === 'br') flush();
    line += prefix(element.name);
    const said = TELLING.flatMap((name) => {
      const value = element.attributes.get(name);
      return value === undefined ? [] : [`${name}=${JSON.stringify(value)}`];
    });
    stack.push([
      () => {
        if (said.length > 0) line += ` [${said.join(' ')}] `;
        if (block) flush();
      },
      false,
    ]);
    const pre = preformatted || element.name === 'pre' || element.name === 'textarea';
    stack.push(
      ...childrenOf(node)
        .toReversed()
        .map((child) => [child, pre] as const),
    );
  }
  flush();
  return lines;
}

function prefix(name: string): string {
  if (/^h[1-6]$/.test(name)) return `${'#'.repeat(Number(name.slice(1)))} `;
  return name === 'li' ? '- ' : '';
}

function fold(text: string): string {
  return text.replaceAll(/[ \t\n\r\f]+/g, ' ');
}
