/** The active content of one element: what it runs, and what it makes a browser fetch, embed or send elsewhere. */
import { cssReferences } from '../protocol/css-references.ts';
import type { HtmlElement } from './html.ts';
import { scriptReferences } from './script-references.ts';

export interface Finding {
  /**
   * - `script`: something that runs; `origin` when it comes from elsewhere
   * - `frame`: another site's page inside this one · `remote`: a picture, style, font or other file from elsewhere
   * - `refresh`: leads visitors elsewhere by itself · `form`: sends what visitors enter elsewhere
   * - `service-worker`: outlives the page · `unreadable`: nobody can tell what a browser makes of it
   */
  readonly kind: 'script' | 'frame' | 'remote' | 'refresh' | 'form' | 'service-worker' | 'unreadable';
  /** In plain words, as the object of a sentence: `an inline script`. */
  readonly what: string;
  /** Where it comes from or leads to: `https://cdn.example`; undefined when that is this site. */
  readonly origin?: string | undefined;
  /** The whole address, as far as it is elsewhere. */
  readonly url?: string | undefined;
  /** For remote scripts: a valid digest pins what is run (Subresource Integrity). */
  readonly integrity?: boolean | undefined;
}

/** Attributes that are fetched, whatever the element. */
const FETCHED = ['src', 'poster', 'background', 'manifest', 'dynsrc', 'lowsrc', 'icon', 'archive', 'codebase', 'code'];
const FETCHED_SETS = ['srcset', 'imagesrcset'];
/** Attributes in which `javascript:` runs. */
const NAVIGATED = [
  'href',
  'src',
  'action',
  'formaction',
  'data',
  'background',
  'poster',
  'to',
  'from',
  'by',
  'code',
  'codebase',
];
/** Links that a browser follows only when a person clicks, or not at all. */
const PASSIVE_LINKS = new Set(
  'canonical alternate self author license next prev previous first last up help me search bookmark tag index amphtml nofollow noopener noreferrer external shortlink privacy-policy terms-of-service'.split(
    ' ',
  ),
);
const EMBEDDING = new Set(['iframe', 'frame', 'object', 'embed', 'applet', 'portal', 'fencedframe']);
/** Script types that are data (HTML, "data block"); all other values run, or may some day. */
const DATA_BLOCK = /^(?:application\/(?:ld\+json|json)|text\/(?:plain|html|template|x-template|markdown))$/;

/** `base`: against which the addresses of the page are resolved; what has its host is this site. */
export function activeContentOf(element: HtmlElement, base: URL): Finding[] {
  return [
    ...scriptFindings(element, base),
    ...handlerFindings(element),
    ...linkFindings(element, base),
    ...embeddingFindings(element, base),
    ...fetchFindings(element, base),
    ...styleFindings(element, base),
    ...leavingFindings(element, base),
  ];
}

/** What a script's text shows. */
export function scriptTextFindings(text: string, base: URL): Finding[] {
  return scriptReferences(text).flatMap((reference): Finding[] => {
    if (reference.kind === 'service-worker')
      return [{ kind: 'service-worker', what: 'a script that uses service workers' }];
    const away = elsewhere(reference.url ?? '', base);
    return away === undefined
      ? []
      : [{ kind: 'script', what: 'a script that imports a remote one', ...away, integrity: false }];
  });
}

export function styleTextFindings(css: string, base: URL, what: string): Finding[] {
  return cssReferences(css).flatMap(({ url }) => remote(url, base, what));
}

function scriptFindings({ name, attributes, text }: HtmlElement, base: URL): Finding[] {
  if (name !== 'script') return [];
  const type = (attributes.get('type') ?? '').trim().toLowerCase().split(';')[0] ?? '';
  if (DATA_BLOCK.test(type)) return [];
  const source = attributes.get('src') ?? attributes.get('href');
  if (source === undefined) return [{ kind: 'script', what: 'an inline script' }, ...scriptTextFindings(text, base)];
  return [scriptFile(source, attributes, base)];
}

function scriptFile(source: string, attributes: ReadonlyMap<string, string>, base: URL): Finding {
  const away = elsewhere(source, base);
  if (away === undefined) return { kind: 'script', what: `the script file ${JSON.stringify(source)}` };
  const integrity = isIntegrity(attributes.get('integrity') ?? '');
  return { kind: 'script', what: `the remote script ${JSON.stringify(away.url)}`, ...away, integrity };
}

function handlerFindings({ attributes, name }: HtmlElement): Finding[] {
  const found: Finding[] = [];
  for (const [attribute, value] of attributes) {
    if (/^on[a-z]/.test(attribute)) found.push({ kind: 'script', what: `the event handler ${attribute} of <${name}>` });
    const urls = attribute === 'values' ? value.split(';') : NAVIGATED.includes(attribute) ? [value] : [];
    if (urls.some(runsAsScript))
      found.push({ kind: 'script', what: `a javascript: address in ${attribute} of <${name}>` });
  }
  return found;
}

function linkFindings({ name, attributes }: HtmlElement, base: URL): Finding[] {
  const href = attributes.get('href');
  if (name !== 'link' || href === undefined) return [];
  const relations = (attributes.get('rel') ?? '')
    .toLowerCase()
    .split(/\s+/)
    .filter((each) => each !== '');
  if (relations.includes('serviceworker')) return [{ kind: 'service-worker', what: 'a link to a service worker' }];
  if (relations.includes('modulepreload')) return [scriptFile(href, attributes, base)];
  if (relations.every((each) => PASSIVE_LINKS.has(each))) return [];
  return remote(href, base, `the ${relations.join(' ')} of the page`);
}

function embeddingFindings({ name, attributes }: HtmlElement, base: URL): Finding[] {
  if (!EMBEDDING.has(name)) return [];
  return ['src', 'data', 'href', 'code', 'archive'].flatMap((attribute): Finding[] => {
    const value = attributes.get(attribute);
    const away = value === undefined ? undefined : elsewhere(value, base);
    if (away === undefined) return [];
    // Markup or a script of its own in the address.
    if (/^(?:data|blob|about|filesystem):/.test(away.url))
      return [{ kind: 'script', what: `a page inside the address of <${name}>` }];
    return [{ kind: 'frame', what: `the frame ${JSON.stringify(away.url)}`, ...away }];
  });
}

function fetchFindings({ name, attributes, foreign }: HtmlElement, base: URL): Finding[] {
  if (name === 'script' || EMBEDDING.has(name)) return [];
  // Lists may be as long as a hostile page wants them: too long for the arguments of one call.
  const urls = [
    ...FETCHED.map((attribute) => attributes.get(attribute) ?? ''),
    ...FETCHED_SETS.flatMap((attribute) => srcsetAddresses(attributes.get(attribute) ?? '')),
    ...(attributes.get('ping') ?? '').split(/\s+/),
  ];
  // In SVG everything but a link fetches what it refers to.
  if (foreign && name !== 'a') urls.push(attributes.get('href') ?? '');
  if (name === 'base') urls.push(attributes.get('href') ?? '');
  return urls
    .filter((url) => url !== '')
    .flatMap((url) => remote(url, base, `the address ${JSON.stringify(url)} in <${name}>`));
}

function styleFindings({ name, attributes, text }: HtmlElement, base: URL): Finding[] {
  const sheet = name === 'style' ? styleTextFindings(text, base, 'a style of the page') : [];
  return [...sheet, ...styleTextFindings(attributes.get('style') ?? '', base, `the style of <${name}>`)];
}

function leavingFindings({ name, attributes }: HtmlElement, base: URL): Finding[] {
  const found: Finding[] = [];
  const leave = (kind: 'refresh' | 'form', url: string | undefined, what: string) => {
    const away = url === undefined ? undefined : elsewhere(url, base);
    if (away !== undefined && !runsAsScript(away.url))
      found.push({ kind, what: `${what} ${JSON.stringify(away.url)}`, ...away });
  };
  if (name === 'form') leave('form', attributes.get('action'), 'a form that sends to');
  leave('form', attributes.get('formaction'), 'a button that sends to');
  const directive = attributes.get('http-equiv')?.trim().toLowerCase();
  if (name === 'meta' && directive === 'refresh') {
    const target = /^[\s\d.]*[;,\s]\s*(?:url\s*=\s*)?(["']?)(.*)$/is.exec(attributes.get('content') ?? '');
    const url = target?.[1] ? target[2]?.split(target[1])[0] : target?.[2];
    if (runsAsScript(url ?? '')) found.push({ kind: 'script', what: 'a refresh that runs a script' });
    leave('refresh', url, 'a refresh to');
  }
  const charset =
    attributes.get('charset') ??
    (directive === 'content-type'
      ? /charset\s*=\s*["']?([^\s;"']+)/i.exec(attributes.get('content') ?? '')?.[1]
      : undefined);
  if (name === 'meta' && charset !== undefined && !/^(?:utf-?8)$/i.test(charset.trim())) {
    found.push({
      kind: 'unreadable',
      what: `the character encoding ${JSON.stringify(charset)}, where a page must be UTF-8`,
    });
  }
  return found;
}

function remote(url: string, base: URL, what: string): Finding[] {
  const away = elsewhere(url, base);
  // A picture or font in the address itself fetches nothing.
  if (away === undefined || /^(?:data|blob|about|javascript|vbscript):/.test(away.url)) return [];
  return [{ kind: 'remote', what: `${what} from ${away.origin}`, ...away }];
}

/** Undefined for addresses of this site, and for what no browser can resolve. */
function elsewhere(value: string, base: URL): { readonly origin: string; readonly url: string } | undefined {
  if (base.host === SITE && PLAINLY_RELATIVE.test(value)) return undefined;
  const url = resolve(value, base);
  if (url === undefined || url.host === SITE) return undefined;
  return { origin: url.origin === 'null' ? url.protocol : url.origin, url: url.href };
}

function runsAsScript(value: string): boolean {
  if (!value.includes(':')) return false;
  const protocol = resolve(value, new URL(`https://${SITE}/`))?.protocol;
  return protocol === 'javascript:' || protocol === 'vbscript:' || protocol === 'livescript:';
}

/** As the URL standard does it: blanks, tabs, line feeds, backslashes and case hide nothing. */
function resolve(value: string, base: URL): URL | undefined {
  return URL.canParse(value, base.href) ? new URL(value, base) : undefined;
}

/** No scheme, no host: nearly every address of a page, at a hundredth of the cost of resolving it. */
const PLAINLY_RELATIVE = /^(?!.*\/\/)[\w./?#&=%~-]*$/;

/** The host of this site, whose real name does not matter here. RFC 6761: it never exists. */
const SITE = 'this-site.invalid';

/** The address that relative ones of the file at `path` are resolved against. */
export function addressOf(path: string): URL {
  return new URL(path.split('/').map(encodeURIComponent).join('/'), `https://${SITE}/`);
}

/** The address after the page's own `<base>`. */
export function baseOf(href: string, address: URL): URL {
  return resolve(href, address) ?? address;
}

/** The addresses of a `srcset`. */
export function srcsetAddresses(srcset: string): string[] {
  // Nearly every element has none.
  if (srcset === '') return [];
  return srcset
    .split(/\s+/)
    .flatMap((part) => part.split(/,(?=$)|^,+/))
    .filter((part) => part !== '' && !/^[\d.]+[wxh],?$/.test(part));
}

/** At least one digest in the form that browsers check; they ignore malformed ones. */
function isIntegrity(value: string): boolean {
  return value.split(/\s+/).some((each) => {
    const [, bits, base64] = /^sha(256|384|512)-([A-Za-z0-9+/]+={0,2})(?:\?.*)?$/.exec(each) ?? [];
    return base64 !== undefined && Buffer.from(base64, 'base64').length === Number(bits) / 8;
  });
}
