/** HTML as a browser parses it (parse5), reduced to what merge looks at: elements with attributes, text and place. */
import { type DefaultTreeAdapterTypes, html, parse } from 'parse5';

export interface HtmlElement {
  /** Lower case in HTML; without a namespace prefix. */
  readonly name: string;
  readonly foreign: boolean;
  /** By lower-case name without prefix; the first one counts. */
  readonly attributes: ReadonlyMap<string, string>;
  /** The text directly in it. */
  readonly text: string;
  /** 1-based; undefined where the parser made the element up. */
  readonly line: number | undefined;
  readonly column: number | undefined;
}

type Node = DefaultTreeAdapterTypes.Node;
type Element = DefaultTreeAdapterTypes.Element;
type Document = DefaultTreeAdapterTypes.Document;

/**
 * Never fails: every text is some HTML document.
 * @param scripting as in a browser that runs scripts (`noscript` is text)
 * @param places whether elements know where they stand, which takes a third of the time
 */
export function parseHtml(text: string, scripting: boolean, places = true): Document {
  return parse(text, { sourceCodeLocationInfo: places, scriptingEnabled: scripting });
}

/** All elements in document order, those in templates too. */
export function* elementsOf(document: Document): Iterable<HtmlElement> {
  for (const node of nodesOf(document)) if ('tagName' in node) yield asElement(node);
}

/** All nodes in document order, those in templates too. */
function* nodesOf(root: Node): Iterable<Node> {
  // No recursion: nesting is as deep as a hostile page wants it.
  const stack: Node[] = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    yield node;
    // Nor are a hundred thousand children arguments of one call.
    for (const child of childrenOf(node).toReversed()) stack.push(child);
  }
}

export function childrenOf(node: Node): readonly Node[] {
  const children = 'childNodes' in node ? node.childNodes : [];
  return 'content' in node ? [...children, node.content] : children;
}

export function asElement(node: Element): HtmlElement {
  const attributes = new Map<string, string>();
  for (const { name, value } of node.attrs) {
    const key = localName(name.toLowerCase());
    if (!attributes.has(key)) attributes.set(key, value);
  }
  const text = node.childNodes.map((child) => ('value' in child ? child.value : '')).join('');
  return {
    name: localName(node.tagName.toLowerCase()),
    foreign: node.namespaceURI !== html.NS.HTML,
    attributes,
    text,
    line: node.sourceCodeLocation?.startLine,
    column: node.sourceCodeLocation?.startCol,
  };
}

/** A prefix means nothing in HTML, but the same bytes may be served as XML, where `s:script` is a script. */
function localName(name: string): string {
  return name.slice(name.lastIndexOf(':') + 1);
}
