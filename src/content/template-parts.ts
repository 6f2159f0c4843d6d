/** A compiled template: what is copied, what is filled, and what is repeated or left out. */
import type { Problem } from '../errors.ts';
import type { AssetNames } from './assets.ts';
import type { Expression } from './expression.ts';
import type { Names } from './names.ts';
import type { Part, Place } from './segment.ts';

/** `<slot name="…">fallback</slot>` of a template. */
export interface TemplateSlot {
  readonly kind: 'template-slot';
  readonly name: string;
  readonly fallback: readonly TemplatePart[];
  readonly place: Place;
}

/** `<template each="shop in data.shops">`, and the `else` for an empty list. */
export interface EachPart {
  readonly kind: 'each';
  readonly variable: string;
  readonly list: string;
  readonly limit: number | undefined;
  readonly parts: readonly TemplatePart[];
  readonly otherwise: readonly TemplatePart[];
  readonly place: Place;
}

/** `<template if="…">`, every `else-if`, and the `else`. */
export interface IfPart {
  readonly kind: 'if';
  readonly branches: readonly { readonly test: Expression; readonly parts: readonly TemplatePart[] }[];
  readonly otherwise: readonly TemplatePart[];
  readonly place: Place;
}

/** The end of `<head>`, where every page gets its origin. */
export interface HeadEnd {
  readonly kind: 'head-end';
}

/** `{{ meta }}`: how the page is shown when it is shared. */
export interface MetaHole {
  readonly kind: 'meta';
}

export type TemplatePart = Part | TemplateSlot | HeadEnd | MetaHole | EachPart | IfPart;

export interface Template {
  readonly name: string;
  readonly file: string;
  readonly parts: readonly TemplatePart[];
  readonly slots: ReadonlySet<string>;
}

/** What templates are compiled with; what is found is added to `problems` and `warnings`. */
export interface TemplateContext {
  /** What all pages of the site share. */
  readonly names: Pick<Names, 'site' | 'data'>;
  readonly assets: AssetNames;
  readonly problems: Problem[];
  readonly warnings: Problem[];
}

/** The slot that takes a page's body. */
export const CONTENT_SLOT = 'content';

/** True for what can stand in a page, once loops, conditions and slots are carried out. */
export function isPart(part: TemplatePart): part is Part {
  if (typeof part === 'string' || part instanceof Uint8Array) return true;
  return !['template-slot', 'head-end', 'meta', 'each', 'if'].includes(part.kind);
}
