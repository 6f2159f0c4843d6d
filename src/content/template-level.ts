/** Lists of parts in each other, while a template is read. */
import type { Expression } from './expression.ts';
import type { TemplatePart } from './template-parts.ts';

/** A list that grows while its part of the source is read. */
export interface Level {
  readonly parts: TemplatePart[];
  /** The variable of the loop whose turn this is. */
  readonly loop: string | undefined;
  /** Of the directive that was opened last in this list. */
  branches: { test: Expression; parts: TemplatePart[] }[];
  otherwise: TemplatePart[];
}

export function level(parts: TemplatePart[], loop: string | undefined): Level {
  return { parts, loop, branches: [], otherwise: [] };
}
