/**
 * The part of GitHub's grammar that a text has a use for.
 *
 * micromark tries a construct wherever a character stands that may begin it, and every letter may begin a mail address. What
 * cannot be in a text, because a sign that it must have is nowhere in it, is left out of its grammar: the result is the
 * same, and a page costs much less.
 */
import type { Data } from 'unified';

type Extension = NonNullable<Data['micromarkExtensions']>[number];
type FromMarkdown = NonNullable<Data['fromMarkdownExtensions']>[number];

/**
 * Names of micromark's constructs, and what a text must hold for any of them. What looks for addresses in finished text finds
 * those as well that are written with references (`&#64;`, `&commat;`) or escapes; no reference but a number gives a letter.
 */
const CONSTRUCTS: readonly { readonly names: readonly string[]; readonly sign: RegExp }[] = [
  { names: ['emailAutolink'], sign: /[\w.+;\\-]@[\w&\\-]|&#|&commat/i },
  { names: ['wwwAutolink', 'protocolAutolink'], sign: /&#|www|http/i },
  { names: ['gfmFootnoteDefinition', 'gfmFootnoteCall', 'gfmPotentialFootnoteCall'], sign: /\[\^/ },
  { names: ['strikethrough'], sign: /~/ },
  { names: ['table'], sign: /\||:-|-:/ },
];
const AUTOLINKS = ['emailAutolink', 'wwwAutolink', 'protocolAutolink'];

/** Names of the constructs that `text` cannot hold. */
export function uselessConstructs(text: string): readonly string[] {
  return CONSTRUCTS.flatMap(({ names, sign }) => (sign.test(text) ? [] : names));
}

/** A plugin after remark-parse and remark-gfm. @param names of constructs that are left out */
export function leaveOut(names: readonly string[]): (this: { data(): Data }) => undefined {
  return function plugin() {
    const data = this.data();
    const { micromarkExtensions = [], fromMarkdownExtensions = [] } = data;
    data.micromarkExtensions = micromarkExtensions.map((each) => withoutConstructs(each, names));
    // What looks for addresses in finished text as well.
    if (AUTOLINKS.every((name) => names.includes(name)))
      data.fromMarkdownExtensions = fromMarkdownExtensions.map(withoutTransforms);
    return undefined;
  };
}

function withoutConstructs(extension: Extension, names: readonly string[]): Extension {
  const left: Extension = { ...extension };
  for (const where of ['document', 'flow', 'text', 'insideSpan'] as const) {
    const constructs = extension[where];
    if (constructs === undefined) continue;
    const entries = Object.entries(constructs).flatMap(([code, value]) => {
      const kept = [value].flat().filter((each) => !names.includes(nameOf(each)));
      return kept.length === 0 ? [] : [[code, kept]];
    });
    Object.assign(left, { [where]: Object.fromEntries(entries) });
  }
  return left;
}

function nameOf(construct: unknown): string {
  const isNamed = typeof construct === 'object' && construct !== null && 'name' in construct;
  return isNamed && typeof construct.name === 'string' ? construct.name : '';
}

function withoutTransforms(extension: FromMarkdown): FromMarkdown {
  if (Array.isArray(extension)) return extension.map(({ transforms: _transforms, ...rest }) => rest);
  const { transforms: _transforms, ...rest } = extension;
  return rest;
}
