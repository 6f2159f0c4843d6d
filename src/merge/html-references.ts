/** Where an element leads to, and what it makes a browser load. */
import { srcsetAddresses } from './active-elements.ts';
import type { HtmlElement } from './html.ts';

export interface HtmlReference {
  readonly kind: 'link' | 'file';
  /** Decoded, as it is written otherwise. */
  readonly address: string;
}

const LINKS = new Set(['a href', 'area href']);
const FILES = new Set(
  'img src,source src,track src,audio src,video src,video poster,input src,script src,iframe src,embed src,object data,use href,image href,feimage href'.split(
    ',',
  ),
);
const SETS = new Set(['img srcset', 'source srcset', 'link imagesrcset']);
/** Of `<link>`: what is loaded; other relations are for machines, and many name pages of other sites. */
const LOADED =
  /(?:^|\s)(?:stylesheet|icon|apple-touch-icon|mask-icon|preload|modulepreload|prefetch|manifest)(?:\s|$)/i;
const REFRESH = /^\s*[\d.]+\s*[;,]?\s*(?:url\s*=\s*)?["']?([^"']*?)["']?\s*$/i;

export function referencesOf({ name, attributes }: HtmlElement): readonly HtmlReference[] {
  const found: HtmlReference[] = [];
  for (const [attribute, address] of attributes) {
    const where = `${name} ${attribute}`;
    if (LINKS.has(where)) found.push({ kind: 'link', address });
    else if (FILES.has(where)) found.push({ kind: 'file', address });
    else if (SETS.has(where)) {
      for (const each of srcsetAddresses(address)) found.push({ kind: 'file', address: each });
    }
  }
  const href = attributes.get('href');
  if (name === 'link' && href !== undefined && LOADED.test(attributes.get('rel') ?? ''))
    found.push({ kind: 'file', address: href });
  if (name === 'meta' && attributes.get('http-equiv')?.toLowerCase() === 'refresh') {
    const [, address = ''] = REFRESH.exec(attributes.get('content') ?? '') ?? [];
    if (address !== '') found.push({ kind: 'link', address });
  }
  return found;
}
