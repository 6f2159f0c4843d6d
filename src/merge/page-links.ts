/** What a page or a style sheet refers to, and the ids it has, as a browser reads it: all that a check of links needs of it. */
import { cssReferences } from '../protocol/css-references.ts';
import { isHtml } from './file-nature.ts';
import { elementsOf, parseHtml } from './html.ts';
import { referencesOf, type HtmlReference } from './html-references.ts';

/** Both 1-based. */
export interface LinkPlace {
  readonly line: number;
  readonly column: number;
}

export interface FileLinks {
  /** In order, also those that are there twice. */
  readonly ids: readonly (LinkPlace & { readonly id: string })[];
  /** Further names that a link can lead to. */
  readonly names: ReadonlySet<string>;
  /** Of the first `<base>`, as it is written. */
  readonly base: string | undefined;
  readonly references: readonly (LinkPlace & HtmlReference)[];
}

/** Whether a file of this name has anything in it to be checked. */
export function hasLinks(path: string): boolean {
  return isHtml(path) || isStyle(path);
}

/** Raise it with every change of what is found in a page: what was found by an older version is looked for again. */
export const LINKS_VERSION = 'links/1';

/** @param places without them, all that is found in a page is said to stand at its start */
export function readLinks(path: string, text: string, places = true): FileLinks {
  if (isStyle(path)) return { ids: [], names: new Set(), base: undefined, references: styleLinks(text) };
  const ids: (LinkPlace & { readonly id: string })[] = [];
  const names = new Set<string>();
  const references: (LinkPlace & HtmlReference)[] = [];
  let base: string | undefined;
  for (const element of elementsOf(parseHtml(text, false, places))) {
    const { name, attributes } = element;
    const at = { line: element.line ?? 1, column: element.column ?? 1 };
    if (name === 'base') base ??= attributes.get('href');
    const id = attributes.get('id') ?? '';
    if (id !== '') ids.push({ ...at, id });
    const anchor = name === 'a' ? (attributes.get('name') ?? '') : '';
    if (anchor !== '') names.add(anchor);
    for (const reference of referencesOf(element)) references.push({ ...at, ...reference });
    const style = attributes.get('style') ?? '';
    const styles = [style.includes('(') ? style : '', name === 'style' ? element.text : ''];
    for (const css of styles) references.push(...cssReferences(css).map(({ url }) => file(url, at)));
  }
  return { ids, names, base, references };
}

function styleLinks(css: string): (LinkPlace & HtmlReference)[] {
  return cssReferences(css).map(({ url, offset }) => {
    const before = css.slice(0, offset).split('\n');
    return file(url, { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 });
  });
}

function file(address: string, at: LinkPlace): LinkPlace & HtmlReference {
  return { ...at, kind: 'file', address };
}

function isStyle(path: string): boolean {
  return /\.css$/i.test(path);
}
