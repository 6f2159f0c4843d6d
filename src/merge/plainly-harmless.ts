/**
 * Tells of most pages, without parsing them as a browser does, that they can only be looked at.
 *
 * An element begins at a `<` and nowhere else. So every `<` of the text is looked at, wherever it stands: each must begin a
 * whole tag that is harmless by itself, with no other `<` in it. Whether a browser then takes it for a tag or for text, say
 * within a comment or a title, it does no harm. Whatever is not on the lists below is left to the parser, as is every page
 * that changes what its addresses are resolved against.
 */
import { cssReferences } from '../protocol/css-references.ts';

const WORDS = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

/** Elements that run, fetch and send nothing, but for the attributes they may have. */
const ELEMENTS =
  WORDS(`html head title body header footer main nav section article aside address h1 h2 h3 h4 h5 h6 hgroup
  div p span hr br wbr pre blockquote q cite ol ul li menu dl dt dd figure figcaption a em strong small s b i u dfn abbr code
  var samp kbd sub sup mark ruby rb rt rp bdi bdo data time ins del big tt center strike table caption colgroup col tbody
  thead tfoot tr td th details summary label button select optgroup option output progress meter fieldset legend img meta
  link style`);

/** Attributes that do nothing by themselves, on whichever of these elements. */
const ATTRIBUTES =
  WORDS(`class id lang dir title alt width height role name rel rev hreflang datetime colspan rowspan scope
  headers span start reversed type value for loading decoding fetchpriority tabindex itemprop itemscope itemtype itemid itemref
  property content media sizes translate hidden open cite target download align valign border cellpadding cellspacing checked
  disabled selected multiple readonly required placeholder min max low high optimum spellcheck autocapitalize inert
  referrerpolicy crossorigin integrity nonce color theme accesskey draggable abbr axis char summary compact clear noshade nowrap`);

/** A character reference in an address could hide what it is. */
const ADDRESS_NEARBY = /^(?!.*\/\/)[\w./?#=%~-]*$/;
/** Followed when a person clicks: no scheme that runs something. */
const ADDRESS_TO_FOLLOW = /^(?:https?:\/\/|mailto:|tel:|[/?#.])|^[^:&\\]*$/i;
const FETCHING_RELATIONS = WORDS('stylesheet icon apple-touch-icon mask-icon manifest preload prefetch search');
const FOLLOWED_RELATIONS = WORDS('canonical alternate author license next prev first last up help');

const OPENING = /<([A-Za-z][A-Za-z0-9]*)/y;
const ATTRIBUTE =
  /[\t\n\f\r ]+([A-Za-z][A-Za-z0-9-]*)(?:="([^"<]*)"|='([^'<]*)'|=([^\t\n\f\r "'<>=`]+)|(?=[\t\n\f\r />]))/y;
const END_OF_TAG = /[\t\n\f\r ]*\/?>/y;
/** An end tag, a document type, a comment, or a `<` that begins nothing. */
const NO_OPENING = /<(?:\/[A-Za-z][A-Za-z0-9]*[\t\n\f\r ]*>|!doctype html>|!--[^<>]*-->|(?=[\t\n\f\r 0-9=(,.;:&]))/iy;
/** NUL and CR are other characters to the parser. */
const STYLE_SHEET = /([^<\0\r]*)<\/style>/iy;

/** True: the parser would find nothing in this markup, whatever its address. False says nothing. */
export function isPlainlyHarmless(text: string): boolean {
  for (let at = text.indexOf('<'); at !== -1; at = text.indexOf('<', at + 1)) {
    const end = endOfHarmlessTag(text, at);
    if (end === undefined) return false;
    at = end - 1;
  }
  return true;
}

/** Where the tag at `start` ends; undefined when it may be other than harmless. */
function endOfHarmlessTag(text: string, start: number): number | undefined {
  const name = matchAt(OPENING, text, start)?.[1]?.toLowerCase();
  if (name === undefined) return matchAt(NO_OPENING, text, start) === null ? undefined : NO_OPENING.lastIndex;
  if (!ELEMENTS.has(name)) return undefined;
  let at = OPENING.lastIndex;
  let relation: string | undefined;
  let address: string | undefined;
  for (let found = matchAt(ATTRIBUTE, text, at); found !== null; found = matchAt(ATTRIBUTE, text, at)) {
    at = ATTRIBUTE.lastIndex;
    const attribute = found[1]?.toLowerCase() ?? '';
    const value = found[2] ?? found[3] ?? found[4] ?? '';
    if (name === 'link' && attribute === 'rel') {
      // Of two the first counts, and which one that is shall not matter.
      if (relation !== undefined) return undefined;
      relation = value.toLowerCase();
    } else if (attribute === 'href') {
      if (address !== undefined) return undefined;
      address = value;
    } else if (!isHarmless(name, attribute, value)) return undefined;
  }
  if (address !== undefined && !isHarmlessAddress(name, relation, address)) return undefined;
  if (matchAt(END_OF_TAG, text, at) === null) return undefined;
  if (name !== 'style') return END_OF_TAG.lastIndex;
  const sheet = matchAt(STYLE_SHEET, text, END_OF_TAG.lastIndex)?.[1];
  return sheet !== undefined && cssReferences(sheet).length === 0 ? STYLE_SHEET.lastIndex : undefined;
}

function isHarmless(element: string, attribute: string, value: string): boolean {
  if (attribute === 'src') return element === 'img' && ADDRESS_NEARBY.test(value);
  if (attribute === 'charset') return element === 'meta' && /^utf-?8$/i.test(value);
  return ATTRIBUTES.has(attribute) || /^(?:data|aria)-[a-z]/.test(attribute);
}

function isHarmlessAddress(element: string, relation: string | undefined, address: string): boolean {
  if (element === 'a') return ADDRESS_TO_FOLLOW.test(address);
  if (element !== 'link' || relation === undefined) return false;
  if (FETCHING_RELATIONS.has(relation)) return ADDRESS_NEARBY.test(address);
  return FOLLOWED_RELATIONS.has(relation) && ADDRESS_TO_FOLLOW.test(address);
}

function matchAt(pattern: RegExp, text: string, start: number): RegExpExecArray | null {
  pattern.lastIndex = start;
  return pattern.exec(text);
}
