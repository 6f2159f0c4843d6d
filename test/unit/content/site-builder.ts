/** Small sites for tests: a page is a path and its file's text. */
import { parse, type DefaultTreeAdapterTypes } from 'parse5';
import { parseFrontMatter } from '../../../src/config/front-matter.ts';
import type { CompiledSite, SitePage } from '../../../src/content/compiled-site.ts';
import type { DataMapping } from '../../../src/content/data.ts';
import { escapeAttribute } from '../../../src/content/encode.ts';
import type { FragmentPart } from '../../../src/content/fragment.ts';
import { composeSite, siteTexts } from '../../../src/content/site.ts';
import type { PageSource, PartnerView, SiteSource } from '../../../src/content/source.ts';
import { compilePlainly } from '../../../src/content/unified-engine.ts';
import { isTieupError, type Problem } from '../../../src/errors.ts';

export const TEMPLATE = `<!doctype html>
<html lang="{{ site.language }}"><head><title>{{ page.title }}</title></head>
<body><main><slot name="content"></slot></main></body></html>
`;

/** Without what is loaded when it is needed: small sites are compiled at once. */
export const MARKDOWN = { highlight: false, headingLinks: false };

export interface SmallSite {
  readonly pages: Readonly<Record<string, string>>;
  readonly templates?: Readonly<Record<string, string>>;
  readonly assets?: readonly string[];
  readonly values?: Readonly<Record<string, string>>;
  readonly hashAssets?: boolean;
  readonly includes?: Readonly<Record<string, string>>;
  readonly data?: DataMapping;
}

export function siteSource(site: SmallSite): SiteSource {
  const { pages, templates = { page: TEMPLATE }, assets = [], values = {}, includes = {}, data = {} } = site;
  const { hashAssets = false } = site;
  return {
    site: { name: 'Main & Co', url: 'https://main.example/', language: 'en', values },
    pages: Object.entries(pages).map(([path, text]): PageSource => pageSource(path, text)),
    templates: Object.entries(templates).map(([name, text]) => ({ name, file: `templates/${name}.html`, text })),
    assets: assets.map((path) => ({ path, length: 3, digest: 'ab'.repeat(32) })),
    hashAssets,
    markdown: MARKDOWN,
    includes: Object.entries(includes).map(([path, text]) => ({ path, file: `includes/${path}`, text })),
    data,
  };
}

export function pageSource(path: string, text: string): PageSource {
  const file = `pages/${path}`;
  return { path, file, ...parseFrontMatter(text, file) };
}

export function compile(site: SmallSite): CompiledSite {
  return compileSource(siteSource(site));
}

/** What `compileSite` does, at once. */
export function compileSource(source: SiteSource): CompiledSite {
  const texts = siteTexts(source);
  const sources = [...texts.values()].flatMap(({ body, slots }) =>
    (body === undefined ? [] : [body]).concat(...slots.values()),
  );
  return composeSite(source, texts, new Map(sources.map((text) => [text, compilePlainly(text)])));
}

/** A template whose `<main>` holds `body` before the content. */
export function templateWith(body: string, head = ''): string {
  return `<!doctype html>\n<html><head><title>t</title>${head}</head>\n<body>${body}<main><slot name="content"></slot></main></body></html>\n`;
}

export function partner(view: Partial<PartnerView> = {}): PartnerView {
  return {
    id: 'alpha',
    name: 'Café Alpha',
    tags: ['cafe'],
    url: 'https://alpha.example/',
    mount: '/with-main/',
    search: 'canonical-to-main',
    values: {},
    ...view,
  };
}

/** The page at `path` from the web root, as the partner gets it. */
export function pageFor(site: CompiledSite, path: string, view: PartnerView = partner()): SitePage {
  const found = site.filesFor(view).find((file) => file.path === path);
  if (found?.kind !== 'page') throw new Error(`there is no page ${path}`);
  return found;
}

export function htmlFor(site: CompiledSite, path: string, view: PartnerView = partner(), since = 1): string {
  return new TextDecoder().decode(pageFor(site, path, view).render(since).bytes);
}

/** What stands in `<main>` of a page that consists of `markdown`. */
export function bodyOf(markdown: string, view: PartnerView = partner()): string {
  const html = htmlFor(
    compile({ pages: { 'index.md': `---\ntitle: T\n---\n${markdown}` } }),
    'with-main/index.html',
    view,
  );
  return /<main>([\s\S]*)<\/main>/.exec(html)?.[1] ?? '';
}

/** `line:column message` of everything that `action` is refused for. */
export function problemsOf(action: () => unknown): string[] {
  try {
    action();
  } catch (error) {
    if (isTieupError(error, 'TIEUP_E_CONTENT')) return error.problems.map(placed);
    throw error;
  }
  return [];
}

export function placed({ file, line, column, message }: Problem): string {
  return [[file, line, column].filter((part) => part !== undefined).join(':'), message]
    .filter((part) => part !== '')
    .join(' ');
}

type Node = DefaultTreeAdapterTypes.Node;

/** A document as a browser sees it, without its texts and attribute values: what no value may change. */
export function shape(html: string): string {
  return shapeOf(parse(html));
}

function shapeOf(node: Node): string {
  const children =
    'childNodes' in node ? node.childNodes.filter((child) => child.nodeName !== '#text').map(shapeOf) : [];
  const attributes = 'attrs' in node ? node.attrs.map((attribute) => attribute.name) : [];
  return `${node.nodeName}[${attributes.join(' ')}](${children.join()})`;
}

/** Every element of a document, in order. */
export function elements(html: string): DefaultTreeAdapterTypes.Element[] {
  const found: DefaultTreeAdapterTypes.Element[] = [];
  const visit = (node: Node): void => {
    if ('tagName' in node) found.push(node);
    if ('childNodes' in node) for (const child of node.childNodes) visit(child);
  };
  visit(parse(html));
  return found;
}

/** A compiled text without a site around it: addresses as they are written, variables and slots by their names. */
export function asWritten(parts: readonly FragmentPart[]): string {
  return parts
    .map((part) => {
      if (typeof part === 'string') return part;
      if (part instanceof Uint8Array) return new TextDecoder('utf-8', { ignoreBOM: true }).decode(part);
      if (part.kind === 'dropped') return '';
      return part.kind === 'reference' ? escapeAttribute(part.address) : `{{ ${part.kind} ${part.name} }}`;
    })
    .join('');
}
