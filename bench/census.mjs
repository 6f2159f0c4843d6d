// What a reader finds on a page, counted: the same page rendered in two ways must come to the same.
import { parseFragment } from 'parse5';

/** @typedef {import('parse5').DefaultTreeAdapterTypes.ChildNode} Node */
/** @typedef {import('parse5').DefaultTreeAdapterTypes.Element} Element */

/**
 * Everything in document order.
 * @typedef {object} Census
 * @property {string} text all of it, without blanks
 * @property {readonly string[]} headings level and text
 * @property {readonly string[]} links text and address
 * @property {readonly string[]} code the exact text of every block
 * @property {readonly string[]} tables the text of every row, cell by cell
 * @property {readonly string[]} images alternative text and address
 * @property {readonly string[]} items the text of every item of a list
 * @property {readonly string[]} elements the names of all elements
 * @property {readonly string[]} ids
 */

const HEADING = /^h[1-6]$/;

/**
 * @param {string} html a fragment
 * @param {string} path of the page in its site
 * @returns {Census}
 */
export function census(html, path) {
  /** @param {string} written */
  const address = (written) => addressFrom(path, written);
  const tree = parseFragment(html).childNodes;
  const elements = [...elementsOf(tree)];
  /** @param {(name: string) => boolean} wanted */
  const those = (wanted) => elements.filter(({ tagName }) => wanted(tagName));
  return {
    text: squeeze(textOf(tree)),
    headings: those((name) => HEADING.test(name)).map((each) => `${each.tagName} ${squeeze(textOf(each.childNodes))}`),
    links: those((name) => name === 'a')
      .filter((each) => attribute(each, 'href') !== '')
      .map((each) => `${squeeze(textOf(each.childNodes))} → ${address(attribute(each, 'href'))}`),
    code: those((name) => name === 'pre').map((each) => textOf(each.childNodes)),
    tables: those((name) => name === 'tr').map((each) => cells(each).join(' | ')),
    images: those((name) => name === 'img').map(
      (each) => `${squeeze(attribute(each, 'alt'))} → ${address(attribute(each, 'src'))}`,
    ),
    items: those((name) => name === 'li').map((each) => squeeze(textOf(each.childNodes))),
    elements: elements.map(({ tagName }) => tagName),
    ids: elements.map((each) => attribute(each, 'id')).filter((id) => id !== ''),
  };
}

/**
 * In how far two pages differ, in words that begin with a kind and a colon; empty when a reader finds the same.
 * @param {Census} expected
 * @param {Census} found
 * @returns {readonly string[]}
 */
export function differences(expected, found) {
  const reasons = [];
  const [kept, dropped] = withoutForeignSchemes(expected.links, found.links);
  if (dropped > 0) reasons.push(`addresses which pages may not have: ${dropped} left out, their text is kept`);
  const without = { ...expected, links: kept };
  for (const kind of /** @type {const} */ (['headings', 'links', 'code', 'tables', 'images', 'items'])) {
    const [these, those] = [without[kind], found[kind]];
    const at = these.findIndex((each, index) => each !== those[index]);
    if (at === -1 && these.length === those.length) continue;
    const where = at === -1 ? these.length : at;
    reasons.push(
      `${kind}: ${these.length} expected, ${those.length} found; ${show(these[where])} became ${show(those[where])}`,
    );
  }
  if (expected.text !== found.text) reasons.push(`text: ${firstDifference(expected.text, found.text)}`);
  const missing = surplus(expected.elements, found.elements);
  if (missing !== '') reasons.push(`elements left out: ${missing}`);
  const added = surplus(found.elements, expected.elements);
  if (added !== '') reasons.push(`elements added: ${added}`);
  return reasons;
}

/** What a page may link to beside files of its site; everything else loses its address. */
const SCHEMES = /^(?:https?|mailto|tel):/;

/**
 * The links that a page may have, and how many others there were.
 * @param {readonly string[]} expected
 * @param {readonly string[]} found
 * @returns {[readonly string[], number]}
 */
function withoutForeignSchemes(expected, found) {
  const there = new Set(found);
  const kept = expected.filter((link) => {
    const target = link.slice(link.lastIndexOf(' → ') + 3);
    return there.has(link) || SCHEMES.test(target) || !/^[a-z][a-z0-9+.-]*:/i.test(target);
  });
  return [kept, expected.length - kept.length];
}

/**
 * @param {readonly Node[]} nodes
 * @returns {Generator<Element>}
 */
function* elementsOf(nodes) {
  for (const node of nodes) {
    if (!('tagName' in node)) continue;
    yield node;
    yield* elementsOf(node.childNodes);
  }
}

/**
 * @param {readonly Node[]} nodes
 * @returns {string}
 */
function textOf(nodes) {
  return nodes
    .map((node) => {
      if ('tagName' in node) return textOf(node.childNodes);
      return node.nodeName === '#text' && 'value' in node ? node.value : '';
    })
    .join('');
}

/** @param {Element} row */
function cells(row) {
  return [...elementsOf(row.childNodes)]
    .filter(({ tagName }) => tagName === 'td' || tagName === 'th')
    .map((cell) => squeeze(textOf(cell.childNodes)));
}

/**
 * @param {Element} element
 * @param {string} name
 */
function attribute(element, name) {
  return element.attrs.find((each) => each.name === name)?.value ?? '';
}

/** Renderers break lines and indent where they like. @param {string} text */
function squeeze(text) {
  return text.replaceAll(/\s+/g, '');
}

/**
 * Where an address leads, as far as that must stay the same: a page of the site is published as `.html` in lower case, and
 * renderers escape more or less.
 * @param {string} path
 * @param {string} written
 */
function addressFrom(path, written) {
  if (/^(?:[a-z][a-z0-9+.-]*:|\/\/|#)/i.test(written)) return unescaped(written);
  const { pathname, search, hash } = new URL(written, `page:///${path.toLowerCase()}`);
  return unescaped(`${pathname.replace(/\.(?:md|html)$/i, '').toLowerCase()}${search}${hash.toLowerCase()}`);
}

/** @param {string} written */
function unescaped(written) {
  try {
    return decodeURIComponent(written);
  } catch {
    return written;
  }
}

/** @param {string | undefined} value */
function show(value) {
  if (value === undefined) return 'nothing';
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}

/**
 * @param {string} expected
 * @param {string} found
 */
function firstDifference(expected, found) {
  let at = 0;
  while (expected[at] === found[at]) at++;
  const from = Math.max(0, at - 20);
  return `${show(expected.slice(from, at + 40))} became ${show(found.slice(from, at + 40))}`;
}

/**
 * What is more often in `these` than in `those`: `2 × u, span`.
 * @param {readonly string[]} these
 * @param {readonly string[]} those
 */
function surplus(these, those) {
  const counts = new Map();
  for (const name of these) counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const name of those) counts.set(name, (counts.get(name) ?? 0) - 1);
  return [...counts]
    .filter(([, number]) => number > 0)
    .map(([name, number]) => (number === 1 ? name : `${number} × ${name}`))
    .join(', ');
}
