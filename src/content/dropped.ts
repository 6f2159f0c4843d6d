/**
 * What of a text the sanitiser takes away because it could do more than be looked at: whoever wrote it is told, instead of
 * looking for it in the page. Nothing is decided here; sanitize-schema.ts is what decides.
 */
import type { Element, Root } from 'hast';
import type { Options as Schema } from 'rehype-sanitize';
import type { TextPlace, TextProblem } from './fragment.ts';

const MAX_SHOWN = 40;
const WHY = 'a text holds nothing that runs, sends or brings its own styles';

/** In the order of the text; an element that goes with all that it holds is named once. */
export function findDropped(tree: Root, schema: Schema): readonly TextProblem[] {
  const found: TextProblem[] = [];
  visit(tree, { line: 1, column: 1 }, schema, found);
  return found;
}

function visit(parent: Root | Element, around: TextPlace, schema: Schema, found: TextProblem[]): void {
  for (const node of parent.children) {
    if (node.type !== 'element') continue;
    const { line, column } = node.position?.start ?? around;
    const at = { line, column };
    if (schema.strip?.includes(node.tagName) === true || node.tagName === 'form') {
      found.push({
        ...at,
        message: `<${node.tagName}> is left out: ${WHY}`,
      });
      continue;
    }
    for (const [name, value] of Object.entries(node.properties)) {
      if (name === 'srcSet')
        found.push({
          ...at,
          message: `\`srcset\` of <${node.tagName}> is left out: \`images.widths\` in tieup.yaml makes one`,
        });
      else if (/^(?:on|style$|srcDoc$)/.test(name))
        found.push({
          ...at,
          message: `\`${name.toLowerCase()}\` of <${node.tagName}> is left out: ${WHY}`,
        });
      else if (typeof value === 'string' && isForeign(value, schema.protocols?.[name] ?? undefined))
        found.push({ ...at, message: addressMessage(value, schema.protocols?.[name] ?? []) });
    }
    visit(node, at, schema, found);
  }
}

/** By the rule of rehype-sanitize: a colon behind a slash, a question mark or a number sign ends no scheme. */
function isForeign(address: string, protocols: readonly string[] | undefined): boolean {
  if (protocols === undefined) return false;
  const [before = '', ...further] = address.split(':');
  return further.length > 0 && !/[/?#]/.test(before) && !protocols.includes(before);
}

function addressMessage(address: string, protocols: readonly string[]): string {
  const shown = address.length > MAX_SHOWN ? `${address.slice(0, MAX_SHOWN)}…` : address;
  const allowed = protocols.map((each) => `${each}:`);
  return `the address ${JSON.stringify(shown)} is left out: it may be relative, or start with ${allowed.join(', ')}`;
}
