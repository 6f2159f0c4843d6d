/**
 * A template's source cut into the regions in which a variable may or may not stand.
 *
 * The HTML standard's own tree construction decides what is text, raw text or foreign, so that a hole is typed by
 * what a browser will see and not by what the source looks like.
 */
import { html, Parser, type DefaultTreeAdapterMap, type Token } from 'parse5';

/** A piece of source; offsets in UTF-16 code units. */
export type Region =
  | { readonly kind: 'text'; readonly start: number; end: number; readonly parent: Parent }
  | { readonly kind: 'start-tag'; readonly start: number; readonly end: number; readonly tag: StartTag }
  | {
      readonly kind: 'end-tag';
      readonly start: number;
      readonly end: number;
      readonly name: string;
      readonly parent: Parent;
      /** An element of this name is open, and no `<template>` stands between. */
      readonly closes: boolean;
    }
  | { readonly kind: 'comment'; readonly start: number; readonly end: number }
  | { readonly kind: 'doctype'; readonly start: number; readonly end: number };

/** The innermost open element. */
export interface Parent {
  readonly name: string;
  /** Inside `<svg>` or `<math>`. */
  readonly foreign: boolean;
}

export interface StartTag {
  readonly name: string;
  readonly selfClosing: boolean;
  readonly parent: Parent;
  readonly attributes: readonly AttributeSource[];
}

export interface AttributeSource {
  readonly name: string;
  /** Decoded. */
  readonly value: string;
  /** Of `name="value"` in the source. */
  readonly start: number;
  readonly end: number;
}

/** Regions in the order of the source. */
export function readTemplate(source: string): readonly Region[] {
  const reader = new TemplateReader({ sourceCodeLocationInfo: true, scriptingEnabled: false });
  reader.tokenizer.write(source, true);
  return reader.regions;
}

class TemplateReader extends Parser<DefaultTreeAdapterMap> {
  readonly regions: Region[] = [];

  override onCharacter(token: Token.CharacterToken): void {
    this.#text(token);
    super.onCharacter(token);
  }

  override onWhitespaceCharacter(token: Token.CharacterToken): void {
    this.#text(token);
    super.onWhitespaceCharacter(token);
  }

  override onNullCharacter(token: Token.CharacterToken): void {
    this.#text(token);
    super.onNullCharacter(token);
  }

  override onStartTag(token: Token.TagToken): void {
    const { location } = token;
    if (location !== null) {
      const attributes = token.attrs.flatMap(({ name, value }): AttributeSource[] => {
        const place = location.attrs?.[name];
        return place === undefined ? [] : [{ name, value, start: place.startOffset, end: place.endOffset }];
      });
      const tag = { name: token.tagName, selfClosing: token.selfClosing, parent: this.#parent(), attributes };
      this.regions.push({ kind: 'start-tag', start: location.startOffset, end: location.endOffset, tag });
    }
    super.onStartTag(token);
  }

  override onEndTag(token: Token.TagToken): void {
    const { location } = token;
    if (location !== null) {
      const { startOffset: start, endOffset: end } = location;
      const { tagName: name } = token;
      this.regions.push({ kind: 'end-tag', start, end, name, parent: this.#parent(), closes: this.#closes(name) });
    }
    super.onEndTag(token);
  }

  override onComment(token: Token.CommentToken): void {
    const { location } = token;
    if (location !== null) {
      this.regions.push({ kind: 'comment', start: location.startOffset, end: location.endOffset });
    }
    super.onComment(token);
  }

  override onDoctype(token: Token.DoctypeToken): void {
    const { location } = token;
    if (location !== null) {
      this.regions.push({ kind: 'doctype', start: location.startOffset, end: location.endOffset });
    }
    super.onDoctype(token);
  }

  /** The tokenizer cuts text at blanks; here it is one region as long as it is in one element. */
  #text(token: Token.CharacterToken): void {
    const { location } = token;
    if (location === null) return;
    const { startOffset: start, endOffset: end } = location;
    const last = this.regions.at(-1);
    if (last?.kind === 'text' && last.end === start) last.end = end;
    else this.regions.push({ kind: 'text', start, end, parent: this.#parent() });
  }

  #closes(name: string): boolean {
    for (let depth = this.openElements.stackTop; depth >= 0; depth--) {
      const element = this.openElements.items[depth];
      if (element === undefined || !('tagName' in element)) continue;
      if (element.tagName === name) return true;
      if (element.tagName === 'template' && element.namespaceURI === html.NS.HTML) return false;
    }
    return false;
  }

  #parent(): Parent {
    const { current } = this.openElements;
    if (current === undefined || !('tagName' in current)) return { name: '', foreign: false };
    return { name: current.tagName, foreign: current.namespaceURI !== html.NS.HTML };
  }
}

const META = /(?<!\\)\{\{[ \t]*meta[ \t]*\}\}/g;

/** Text would end the head: in place of this one variable, {@link readTemplate} gets a comment of the same length. */
export function hideMeta(template: string): string {
  return template.replaceAll(META, (hole) => `<!--${'·'.repeat(hole.length - 7)}-->`);
}
