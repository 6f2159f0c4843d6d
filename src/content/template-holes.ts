/** Which kind of hole may stand where in a template; everything that is not allowed here is refused. */
import { colourPlaceFault } from './colour.ts';
import { addressContext, HOLE, type HoleContext } from './encode.ts';
import type { AttributeSource, Parent, StartTag } from './template-reader.ts';
import { isMount, isTrusted, VARIABLE } from './variables.ts';

/** `{{ … }}` in a piece of source; offsets in the whole source. */
export interface Braces {
  readonly start: number;
  readonly end: number;
  /** undefined when it is no variable, or escaped. */
  readonly name: string | undefined;
  /** Written as `\{{`. */
  readonly escaped: boolean;
}

/** Every `{{` and `\{{` of `source` between two offsets. */
export function findBraces(source: string, start: number, end: number): Braces[] {
  const found: Braces[] = [];
  const anchored = new RegExp(VARIABLE.source, 'y');
  for (let at = source.indexOf('{{', start); at !== -1 && at < end;) {
    anchored.lastIndex = at;
    const match = anchored.exec(source);
    const escaped = at > start && source[at - 1] === '\\';
    const stop = !escaped && match !== null && match.index + match[0].length <= end ? at + match[0].length : at + 2;
    found.push({ start: escaped ? at - 1 : at, end: stop, name: escaped ? undefined : match?.[1], escaped });
    at = source.indexOf('{{', stop);
  }
  return found;
}

/** The context of a hole, or why there can be none, as the end of a sentence. */
export type Typing = { readonly context: HoleContext; readonly follow?: boolean } | { readonly refused: string };

/** The holes of a text in an element. */
export function typeTextOf(
  source: string,
  { start, end, parent }: { readonly start: number; readonly end: number; readonly parent: Parent },
): TypedBraces[] {
  const found = findBraces(source, start, end);
  if (parent.name === 'style' && !parent.foreign) {
    // Two braces alone are nothing special in a style.
    return typeColours(source, start, end, found, false).filter(({ name, escaped }) => name !== undefined || escaped);
  }
  const typing = typeText(parent);
  return found.map((braces) => ({ ...braces, typing }));
}

/** @param declarations as in a `style` attribute */
function typeColours(
  source: string,
  start: number,
  end: number,
  found: readonly Braces[],
  declarations: boolean,
): TypedBraces[] {
  let before = '';
  let at = start;
  return found.map((braces) => {
    before += source.slice(at, braces.start);
    at = braces.end;
    const refused = colourPlaceFault(before, source.slice(braces.end, end), declarations);
    // Any colour stands for one whose value is not known yet.
    before += braces.name === undefined ? source.slice(braces.start, braces.end) : 'red';
    return { ...braces, typing: refused === undefined ? { context: 'colour' } : { refused } };
  });
}

const RAW_TEXT = new Set(['script', 'style', 'xmp', 'iframe', 'noembed', 'noframes', 'plaintext', 'noscript']);
/** Text that stands here directly is moved elsewhere, or dropped, by browsers. */
const NO_TEXT = new Set([
  '',
  'html',
  'head',
  'frameset',
  'select',
  'optgroup',
  'datalist',
  'table',
  'thead',
  'tbody',
  'tfoot',
  'tr',
  'colgroup',
]);
const FOREIGN_TEXT = new Set(['title', 'desc', 'text', 'tspan', 'a', 'mtext']);

function typeText(parent: Parent): Typing {
  if (RAW_TEXT.has(parent.name)) return { refused: `cannot stand in <${parent.name}>` };
  if (parent.foreign && !FOREIGN_TEXT.has(parent.name))
    return { refused: `cannot stand in <${parent.name}> of a drawing` };
  if (NO_TEXT.has(parent.name)) {
    return {
      refused: parent.name === '' ? 'cannot stand outside of <html>' : `cannot stand directly in <${parent.name}>`,
    };
  }
  return { context: 'text' };
}

/** Elements whose content may be blocks, so that a slot or the navigation fits. */
const FLOW = new Set(
  'body main div section article aside header footer nav li dd td th figure figcaption details blockquote form fieldset'.split(
    ' ',
  ),
);

export function takesBlocks(parent: Parent): boolean {
  return !parent.foreign && FLOW.has(parent.name);
}

const PLAIN_ATTRIBUTES = new Set(
  'alt title lang dir class id placeholder label datetime hreflang for value summary width height rowspan colspan translate'.split(
    ' ',
  ),
);
/** Where an address may hold values of anybody, because following it is the visitor's choice or it shows a picture. */
const ADDRESSES = new Set(
  'a.href area.href img.src form.action button.formaction input.formaction input.src blockquote.cite q.cite ins.cite del.cite video.src video.poster audio.src source.src track.src'.split(
    ' ',
  ),
);
/** Of `<link>`: its address shows a picture and decides nothing else. */
const ICON = /^(?:icon|shortcut icon|apple-touch-icon)$/i;
/** Where an address decides what runs or how the page looks. */
const ACTIVE_ADDRESSES = new Set('link.href script.src iframe.src embed.src object.data'.split(' '));
/** Of these only the addresses above may hold a value: any other attribute can change what is loaded or allowed. */
const ACTIVE_ELEMENTS = new Set(['script', 'iframe', 'embed', 'object', 'base', 'style', 'template', 'slot', 'param']);

/** Several addresses with conditions between them: only the mount, which holds neither blank nor comma, can stand there. */
const ADDRESS_LISTS = new Set(['img.srcset', 'source.srcset', 'link.imagesrcset']);

/** Of drawings and old HTML: a colour and nothing else. */
const COLOURS = new Set(['fill', 'stroke', 'stop-color', 'flood-color', 'lighting-color', 'color', 'bgcolor']);

type AttributeKind = 'plain' | 'colour' | 'style' | 'address' | 'addresses' | 'active' | { readonly refused: string };

function attributeKind(tag: StartTag, name: string): AttributeKind {
  const where = `${tag.name}.${name}`;
  const foreign = tag.parent.foreign || tag.name === 'svg' || tag.name === 'math';
  if (!foreign && ADDRESSES.has(where)) return 'address';
  if (!foreign && where === 'link.href' && isIcon(tag)) return 'address';
  if (!foreign && ACTIVE_ADDRESSES.has(where)) return 'active';
  if (!foreign && ADDRESS_LISTS.has(where)) return 'addresses';
  if (name.startsWith('on')) return { refused: `cannot stand in the event handler \`${name}\`` };
  if (ACTIVE_ELEMENTS.has(tag.name)) return { refused: `cannot stand in \`${name}\` of <${tag.name}>` };
  if (tag.name === 'meta') {
    const harmless = name === 'content' && !tag.attributes.some((attribute) => attribute.name === 'http-equiv');
    return harmless ? 'plain' : { refused: `cannot stand in \`${name}\` of this <meta>` };
  }
  if (name === 'style') return 'style';
  if (COLOURS.has(name)) return 'colour';
  if (PLAIN_ATTRIBUTES.has(name) || name.startsWith('aria-') || name.startsWith('data-')) return 'plain';
  return { refused: `cannot stand in the attribute \`${name}\`` };
}

function isIcon({ attributes }: StartTag): boolean {
  const relations = attributes.filter(({ name }) => name === 'rel');
  return relations.length === 1 && relations.every(({ value }) => ICON.test(value));
}

/** Nothing is loaded from there, and nothing is sent there. */
function isFollowed(tag: StartTag, name: string): boolean {
  return name === 'href' && (tag.name === 'a' || tag.name === 'area');
}

export interface TypedBraces extends Braces {
  readonly typing: Typing;
}

/** The holes of one attribute. */
export function typeAttribute(source: string, tag: StartTag, attribute: AttributeSource): TypedBraces[] {
  const { start, end, name } = attribute;
  const found = findBraces(source, start, end);
  if (found.length === 0) return [];
  const open = /^[^=]*=\s*(["'])/.exec(source.slice(start, end));
  const refuseAll = (refused: string): TypedBraces[] => found.map((braces) => ({ ...braces, typing: { refused } }));
  if (found.some((braces) => open === null || braces.start < start + open[0].length)) {
    return refuseAll(`needs quotes around the value of \`${name}\``);
  }
  const kind = attributeKind(tag, name);
  if (typeof kind === 'object') return refuseAll(kind.refused);
  if (kind === 'plain') return found.map((braces) => ({ ...braces, typing: { context: 'attribute' } }));
  const inner = start + (open?.[0].length ?? 0);
  if (kind === 'colour' || kind === 'style') {
    if (source.slice(inner, end - 1).includes('&')) return refuseAll('needs a style without character references');
    const [only, second] = found;
    const whole = second === undefined && only?.start === inner && only.end === end - 1;
    if (kind === 'colour' && !whole) return refuseAll(`must be the whole of \`${name}\``);
    if (kind === 'colour') return found.map((braces) => ({ ...braces, typing: { context: 'colour' } }));
    return typeColours(source, inner, end - 1, found, true);
  }
  if (kind === 'addresses') {
    return found.map((braces) => {
      const trusted = braces.name !== undefined && isMount(braces.name);
      const typing: Typing = trusted
        ? { context: 'address-path' }
        : { refused: `cannot stand in the attribute \`${name}\`: use \`mount\`` };
      return { ...braces, typing };
    });
  }
  const use = kind === 'active' ? 'active' : isFollowed(tag, name) ? 'followed' : 'shown';
  return typeAddress(source, inner, end - 1, found, use);
}

function typeAddress(
  source: string,
  start: number,
  end: number,
  found: readonly Braces[],
  use: 'active' | 'followed' | 'shown',
): TypedBraces[] {
  const typed: TypedBraces[] = [];
  let before = '';
  let at = start;
  for (const braces of found) {
    before += source.slice(at, braces.start).replaceAll('&amp;', '&');
    at = braces.end;
    const fault = constantFault(before);
    const untrusted = use === 'active' && braces.name !== undefined && !isTrusted(braces.name);
    if (fault !== undefined) typed.push({ ...braces, typing: { refused: fault } });
    else if (untrusted) typed.push({ ...braces, typing: { refused: 'cannot decide what a page loads: use `mount`' } });
    else
      typed.push({
        ...braces,
        typing: { context: addressContext(before), ...(use === 'followed' ? { follow: true } : {}) },
      });
    before += braces.name === undefined ? '{{' : HOLE;
  }
  const fault = constantFault(`${before}${source.slice(at, end)}`.replaceAll('&amp;', '&'));
  return fault === undefined ? typed : typed.map((braces) => ({ ...braces, typing: { refused: fault } }));
}

/** What in the constant text of an address would make its meaning depend on a value. */
function constantFault(text: string): string | undefined {
  if (/&(?:#|[a-z])[a-z0-9]*;/i.test(text)) return 'needs an address without character references';
  if (/[\p{Cc}\p{Z}\\]/u.test(text)) return 'needs an address without blanks and backslashes';
  const scheme = /^[^/?#]*?:/.exec(text)?.[0].toLowerCase();
  if (scheme === undefined || /^(?:https?|mailto|tel):$/.test(scheme)) return undefined;
  return `cannot stand in an address that starts with ${JSON.stringify(scheme.replaceAll(HOLE, '…'))}`;
}
