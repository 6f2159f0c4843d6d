/** Loops and conditions of a template, carried out as far as no partner is needed. */
import { listed, moreThan } from './collections.ts';
import { both, either, not, type Condition, type Decision } from './condition.ts';
import { isTrue } from './data.ts';
import { namesIn, type Expression } from './expression.ts';
import { resolveName, turns, type Loop, type Names } from './names.ts';
import type { Place } from './segment.ts';
import type { EachPart, IfPart, TemplatePart } from './template-parts.ts';
import { partnerValueIsSure, type Lookup } from './variables.ts';

/** Where the parts go. */
export interface Expansion {
  /** @param loops the turns in which the part stands */
  part(part: Exclude<TemplatePart, EachPart | IfPart>, loops: readonly Loop[]): void;
  /** Each of the two functions brings the parts of its branch. */
  choice(condition: Condition, then: () => void, otherwise: () => void): void;
  problem(place: Place, message: string): void;
}

export function expand(parts: readonly TemplatePart[], names: Names, into: Expansion): void {
  for (const part of parts) {
    if (typeof part === 'string' || part instanceof Uint8Array) into.part(part, names.loops);
    else if (part.kind === 'each') expandEach(part, names, into);
    else if (part.kind === 'if') expandIf(part.branches, part, names, into);
    else into.part(part, names.loops);
  }
}

function expandEach(each: EachPart, names: Names, into: Expansion): void {
  const { list, variable, limit, place } = each;
  const found = resolveName(list, names);
  const turn = (loop: Loop): void => expand(each.parts, { ...names, loops: [...names.loops, loop] }, into);
  const otherwise = (): void => expand(each.otherwise, names, into);
  if (found.kind === 'list') {
    const all = turns(variable, found.value, limit);
    for (const loop of all) turn(loop);
    if (all.length === 0) otherwise();
  } else if (found.kind === 'pages') {
    const { collection, from } = found;
    const to = limit === undefined ? found.to : Math.min(found.to, from + limit);
    for (const [index, page] of collection.pages.entries()) {
      decide(listed(collection, index, from, to), into, () => turn({ variable, item: { kind: 'page', page } }));
    }
    decide(not(moreThan(collection, from)), into, otherwise);
  } else if (found.kind === 'absent') otherwise();
  else if (found.kind === 'unknown') into.problem(place, found.message);
  else into.problem(place, `\`${list}\` is a single value: a loop goes through a list or a mapping`);
}

function expandIf(branches: IfPart['branches'], part: IfPart, names: Names, into: Expansion): void {
  const [branch, ...further] = branches;
  if (branch === undefined) return expand(part.otherwise, names, into);
  const decision = new Asking(names, part.place, into).decide(branch.test);
  const then = (): void => expand(branch.parts, names, into);
  return decide(decision, into, then, () => expandIf(further, part, names, into));
}

function decide(decision: Decision, into: Expansion, then: () => void, otherwise: () => void = () => {}): void {
  if (decision === true) then();
  else if (decision === false) otherwise();
  else into.choice(decision, then, otherwise);
}

/** One condition, with the names that it can ask for. */
class Asking {
  readonly #names: Names;
  readonly #place: Place;
  readonly #into: Expansion;

  constructor(names: Names, place: Place, into: Expansion) {
    this.#names = names;
    this.#place = place;
    this.#into = into;
  }

  decide(expression: Expression): Decision {
    switch (expression.kind) {
      case 'constant':
        return isTrue(expression.value);
      case 'name':
        return this.#isThere(resolveName(expression.name, this.#names));
      case 'not':
        return not(this.decide(expression.of));
      case 'and':
        return both(this.decide(expression.left), this.decide(expression.right));
      case 'or':
        return either(this.decide(expression.left), this.decide(expression.right));
      case 'equal':
        return this.#equal(expression.left, expression.right);
    }
  }

  #isThere(found: Lookup): Decision {
    switch (found.kind) {
      case 'constant':
        return isTrue(found.value);
      case 'list':
        return isTrue(found.value);
      case 'pages':
        return moreThan(found.collection, found.from);
      case 'when':
        return found.condition;
      case 'partner':
        return partnerValueIsSure(found.name) || { kind: 'has', name: found.name };
      case 'page-address':
      case 'mount-address':
      case 'since':
      case 'total':
        return true;
      case 'absent':
        return false;
      case 'unknown':
        return this.#refuse(found.message);
      case 'later':
        return this.#refuse('this cannot be asked for here');
    }
  }

  #equal(left: Expression, right: Expression): Decision {
    const [one, other] = [this.#operand(left), this.#operand(right)];
    if (one === undefined || other === undefined) return false;
    if (one.kind === 'constant' && other.kind === 'constant') return one.value === other.value;
    const [partner, constant] = one.kind === 'partner' ? [one, other] : [other, one];
    if (partner.kind === 'partner' && constant.kind === 'constant') {
      return { kind: 'equals', name: partner.name, value: constant.value };
    }
    return this.#refuse('two values of a partner cannot be compared: compare each with a text');
  }

  #operand(
    expression: Expression,
  ):
    | { readonly kind: 'constant'; readonly value: string }
    | { readonly kind: 'partner'; readonly name: string }
    | undefined {
    if (expression.kind === 'constant') return { kind: 'constant', value: String(expression.value) };
    if (expression.kind !== 'name') {
      this.#refuse('only names and texts can be compared');
      return undefined;
    }
    const found = resolveName(expression.name, this.#names);
    if (found.kind === 'constant' || found.kind === 'partner') return found;
    // Nothing is equal to no text.
    if (found.kind === 'absent') return { kind: 'constant', value: '' };
    if (found.kind === 'unknown') this.#refuse(found.message);
    else this.#refuse(`\`${expression.name}\` cannot be compared with a text`);
    return undefined;
  }

  #refuse(message: string): false {
    this.#into.problem(this.#place, message);
    return false;
  }
}

/** What differs from page to page; everything else of a template is the same in all of them. */
const OF_A_PAGE = new Set(['page', 'collections', 'pagination']);

/** True when the parts are the same for all pages, so that they need be expanded only once. */
export function isSameForAllPages(parts: readonly TemplatePart[]): boolean {
  return parts.every((part) => {
    if (typeof part === 'string' || part instanceof Uint8Array) return true;
    switch (part.kind) {
      case 'each':
        return isOfSite(part.list) && isSameForAllPages(part.parts) && isSameForAllPages(part.otherwise);
      case 'if':
        return (
          isSameForAllPages(part.otherwise) &&
          part.branches.every(({ test, parts: inside }) => namesIn(test).every(isOfSite) && isSameForAllPages(inside))
        );
      case 'variable':
        return isOfSite(part.name);
      case 'template-slot':
      case 'head-end':
      case 'meta':
        return false;
      case 'choice':
      case 'link':
      case 'slot-start':
      case 'slot-end':
      case 'navigation':
      case 'breadcrumbs':
      case 'search':
        return true;
    }
  });
}

function isOfSite(name: string): boolean {
  return !OF_A_PAGE.has(name.split('.')[0] ?? '');
}
