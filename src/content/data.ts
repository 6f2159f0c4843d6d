/** Values of data files, and what a dotted name such as `data.shops.berlin.phone` leads to in them. */
import { nearest } from '../protocol/nearest.ts';

export type Data = string | number | boolean | null | readonly Data[] | DataMapping;

export interface DataMapping {
  readonly [key: string]: Data;
}

/** What a name leads to; `absent` is what a condition may ask for, `unknown` what nobody can have meant. */
export type DataFound =
  | { readonly kind: 'data'; readonly value: Data }
  | { readonly kind: 'absent'; readonly message: string }
  | { readonly kind: 'unknown'; readonly message: string };

/**
 * @param root what `steps[0]` names
 * @param steps a dotted name; a step into a list is a number that counts from 0
 * @param siblings keys that others of the same list have, so that one that is missing here is no mistake
 */
export function follow(root: Data, steps: readonly string[], siblings: ReadonlySet<string> = new Set()): DataFound {
  let value = root;
  for (const [index, step] of steps.entries()) {
    if (index === 0) continue;
    const above = steps.slice(0, index).join('.');
    const last = index === steps.length - 1;
    const next = stepInto(value, step);
    if (next !== undefined) {
      value = next;
      continue;
    }
    if (typeof value !== 'object' || value === null) {
      return { kind: 'unknown', message: `\`${above}\` is ${describe(value)} and holds no \`${step}\`` };
    }
    const known = Array.isArray(value) ? [] : [...Object.keys(value), ...(index === 1 ? siblings : [])];
    const message = `\`${above}\` has no \`${step}\``;
    if (last && index === 1 && siblings.has(step)) return { kind: 'absent', message };
    const meant = nearest(step, known);
    if (meant !== undefined) return { kind: 'unknown', message: `${message} (did you mean \`${above}.${meant}\`?)` };
    return { kind: last && index > 1 ? 'absent' : 'unknown', message };
  }
  return { kind: 'data', value };
}

/** Keys come from files: `constructor` is not one of them. */
function stepInto(value: Data, step: string): Data | undefined {
  if (isList(value)) return /^(?:0|[1-9]\d{0,8})$/.test(step) ? value[Number(step)] : undefined;
  if (!isMapping(value)) return undefined;
  return Object.hasOwn(value, step) ? value[step] : undefined;
}

export function isList(value: Data): value is readonly Data[] {
  return Array.isArray(value);
}

export function isMapping(value: Data): value is DataMapping {
  return typeof value === 'object' && value !== null && !isList(value);
}

/** The keys of all items of a list. */
export function keysOf(items: readonly Data[]): ReadonlySet<string> {
  return new Set(items.flatMap((item) => (isMapping(item) ? Object.keys(item) : [])));
}

/** False for what is empty or says no; a text is true when it is neither empty nor `false`. */
export function isTrue(value: Data): boolean {
  if (value === null || value === '' || value === false || value === 'false') return false;
  if (isList(value)) return value.length > 0;
  return isMapping(value) ? Object.keys(value).length > 0 : true;
}

/** For messages: `a list`. */
export function describe(value: Data): string {
  if (value === null) return 'empty';
  if (isList(value)) return 'a list';
  if (isMapping(value)) return 'a mapping';
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}
