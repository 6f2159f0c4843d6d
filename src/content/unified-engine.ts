/** The Markdown engine that ships: unified, remark and rehype. Nothing else imports them. */
import type { Element, Root as HtmlRoot } from 'hast';
import type { Root as MarkdownRoot } from 'mdast';
import rehypeRaw from 'rehype-raw';
import rehypeSanitize from 'rehype-sanitize';
import rehypeSlug from 'rehype-slug';
import rehypeStringify from 'rehype-stringify';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import remarkRehype from 'remark-rehype';
import { unified } from 'unified';
import { placeAdmonitions } from './admonitions.ts';
import { highlightBlocks } from './code-blocks.ts';
import { findDropped } from './dropped.ts';
import { leaveOut, uselessConstructs } from './grammar.ts';
import { highlighterFor, type Highlighter } from './highlighting.ts';
import { ADDRESS, placeMarks } from './html-tree.ts';
import { labelsFor } from './labels.ts';
import { slotSyntax, variableSyntax } from './markdown-syntax.ts';
import { markTree } from './markdown-tree.ts';
import type { FragmentPart, MarkdownFragment, TextProblem } from './fragment.ts';
import type { MarkdownEngine, MarkdownSource } from './markdown.ts';
import { Marks } from './marks.ts';
import { pageSchema, slotSchema } from './sanitize-schema.ts';

/** By what they understand. */
const parsers = new Map<string, (text: string) => MarkdownRoot>();

function parseMarkdown(text: string, holes: boolean): MarkdownRoot {
  const useless = uselessConstructs(text);
  const key = [holes, ...useless].join(' ');
  const known = parsers.get(key);
  if (known !== undefined) return known(text);
  const parser = unified()
    .data({ micromarkExtensions: holes ? [variableSyntax, slotSyntax] : [] })
    .use(remarkParse)
    .use(remarkGfm)
    .use(leaveOut(useless))
    .freeze();
  parsers.set(key, (source) => parser.parse(source));
  return parser.parse(text);
}

// Raw HTML is kept as raw nodes here; what becomes of it is the sanitiser's to say.
function toHtml({ idPrefix, language }: MarkdownSource) {
  const { footnotes, backToReference } = labelsFor(language);
  return unified().use(remarkRehype, {
    allowDangerousHtml: true,
    footnoteLabel: footnotes,
    footnoteBackLabel: (reference, again) => `${backToReference} ${reference + 1}${again > 1 ? `-${again}` : ''}`,
    ...(idPrefix === '' ? {} : { clobberPrefix: '' }),
  });
}
const parseRaw = unified().use(rehypeRaw).freeze();
const headingIds = unified().use(rehypeSlug).freeze();
const serialise = unified().use(rehypeStringify).freeze();

export const unifiedEngine: MarkdownEngine = {
  async compile(source: MarkdownSource): Promise<MarkdownFragment> {
    return compilePlainly(source, source.highlight ? await highlighterFor(source.text) : undefined);
  },
};

/** @param highlight without it, code has no colours */
export function compilePlainly(source: MarkdownSource, highlight?: Highlighter): MarkdownFragment {
  const problems: TextProblem[] = [];
  const marks = new Marks(source.text);
  try {
    const unsafe = source.format === 'html' ? htmlTree(source.text) : markdownTree(source, { marks, problems });
    const { idPrefix } = source;
    const schema = source.schema === 'page' ? pageSchema(idPrefix) : slotSchema(idPrefix);
    lowerSchemes(unsafe);
    const dropped = findDropped(unsafe, schema).map(
      ({ message, ...at }) => ({ kind: 'dropped', message, at }) as const,
    );
    const tree = unified().use(rehypeSanitize, schema).runSync(unsafe);
    dropEmptyClasses(tree);
    placeMarks(tree, { marks, problems, idPrefix, lazyImages: source.schema === 'page' });
    if (idPrefix === '') {
      headingIds.runSync(tree);
      dropEmptyIds(tree);
      if (source.headingLinks) linkHeadings(tree);
    }
    if (highlight !== undefined) highlightBlocks(tree, highlight);
    return { parts: [...partsOf(serialise.stringify(tree), marks), ...dropped], problems };
  } catch (cause) {
    // Nesting that is too deep for the engine's recursion; anything else is a fault that must be seen.
    if (!(cause instanceof RangeError)) throw cause;
    return { parts: [], problems: [...problems, { line: 1, column: 1, message: 'the text is nested too deeply' }] };
  }
}

type Pass = Parameters<typeof markTree>[1];

function markdownTree(source: MarkdownSource, pass: Pass): HtmlRoot {
  const tree = parseMarkdown(source.holes ? pass.marks.joinAddresses(source.text) : source.text, source.holes);
  const raw = source.holes ? markTree(tree, pass) : hasRaw(tree);
  placeAdmonitions(tree, source.text, labelsFor(source.language));
  const html = toHtml(source).runSync(tree);
  if (!raw) return html;
  guardBlankLines(html, pass.marks);
  return parseRaw.runSync(html);
}

function htmlTree(html: string): HtmlRoot {
  // A raw node is what remark-rehype makes of HTML in Markdown.
  return parseRaw.runSync({ type: 'root', children: [{ type: 'raw', value: html }] });
}

function hasRaw(node: MarkdownRoot | MarkdownRoot['children'][number]): boolean {
  if (node.type === 'html') return true;
  return 'children' in node && node.children.some(hasRaw);
}

/**
 * rehype-raw takes the line feed at the start of a code block for the one that HTML drops after `<pre>`, although
 * `<code>` stands between (CommonMark 0.31.2, examples 127 and 129): a mark keeps it from standing first.
 */
function guardBlankLines(parent: HtmlRoot | Element, marks: Marks): void {
  for (const node of parent.children) {
    if (node.type !== 'element') continue;
    const first = node.tagName === 'code' ? node.children[0] : undefined;
    if (first?.type === 'text' && first.value.startsWith('\n'))
      first.value = `${marks.add({ kind: 'nothing' })}${first.value}`;
    guardBlankLines(node, marks);
  }
}

/** `MAILTO:` is what `mailto:` is; the sanitiser knows only the latter. */
function lowerSchemes(parent: HtmlRoot | Element): void {
  for (const node of parent.children) {
    if (node.type !== 'element') continue;
    for (const name of ADDRESS) {
      const address = node.properties[name];
      if (typeof address === 'string')
        node.properties[name] = address.replace(/^[a-z][a-z0-9+.-]*:/i, (scheme) => scheme.toLowerCase());
    }
    lowerSchemes(node);
  }
}

/** What is left of a class that the schema does not allow. */
function dropEmptyClasses(parent: HtmlRoot | Element): void {
  for (const node of parent.children) {
    if (node.type !== 'element') continue;
    const { className } = node.properties;
    if (Array.isArray(className) && className.length === 0) delete node.properties['className'];
    dropEmptyClasses(node);
  }
}

/** A heading of nothing but variables or signs has no slug. */
function dropEmptyIds(parent: HtmlRoot | Element): void {
  for (const node of parent.children) {
    if (node.type !== 'element') continue;
    if (node.properties['id'] === '') delete node.properties['id'];
    dropEmptyIds(node);
  }
}

/** A link to each heading, for the mouse: it is hidden from whoever does not see it, and skipped by the keyboard. */
function linkHeadings(parent: HtmlRoot | Element): void {
  for (const node of parent.children) {
    if (node.type !== 'element') continue;
    const { id } = node.properties;
    if (/^h[2-6]$/.test(node.tagName) && typeof id === 'string') {
      const properties = { className: ['heading-link'], href: `#${id}`, ariaHidden: 'true' as const, tabIndex: -1 };
      node.children.push({ type: 'element', tagName: 'a', properties, children: [{ type: 'text', value: '#' }] });
    } else linkHeadings(node);
  }
}

function partsOf(html: string, marks: Marks): FragmentPart[] {
  const parts: FragmentPart[] = [];
  for (const piece of marks.split(html)) {
    if (typeof piece === 'string') parts.push(piece);
    else if (piece.kind === 'hole') parts.push(piece.hole);
  }
  return parts;
}
