/**
 * Colours for code: spans with one of few classes, which the framework's style sheet gives their colours. Nothing else imports shiki.
 *
 * What comes out depends on the code and the name of its language alone: every language has a highlighter of its own, since
 * one that has read a further grammar colours what is embedded differently, and no limit is one of time.
 */
import type { HighlighterCore, LanguageInput } from '@shikijs/core';

/** A piece of code; the class is undefined for what needs no colour. */
export interface ColouredText {
  readonly text: string;
  readonly className: string | undefined;
}

/** undefined for a language that it does not know, and for code that is too large. */
export type Highlighter = (code: string, language: string) => readonly ColouredText[] | undefined;

/** Characters; longer code is seldom read and long lines are seldom written by hand. */
const MAX_CODE = 100_000;
const MAX_LINE = 2000;
const THEME = 'tieup';
/** The info string of a fence, as far as it is the name of a language. */
const FENCED_LANGUAGE =
  /^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(?:`{3,}|~{3,})[ \t]*([A-Za-z0-9][A-Za-z0-9_+#-]{0,30})/gm;

const CLASSES: Readonly<Record<string, string>> = {
  comment: 'code-comment',
  keyword: 'code-keyword',
  string: 'code-string',
  'string-expression': 'code-string',
  constant: 'code-constant',
  function: 'code-function',
  link: 'code-string',
  inserted: 'code-inserted',
  deleted: 'code-deleted',
};

const loaded = new Map<string, Promise<HighlighterCore | undefined>>();

/** For the languages that the fences of a Markdown text name; undefined when there is nothing to colour. */
export async function highlighterFor(markdown: string): Promise<Highlighter | undefined> {
  const names = new Set([...markdown.matchAll(FENCED_LANGUAGE)].map(([, name = '']) => name.toLowerCase()));
  const languages = new Map<string, HighlighterCore>();
  for (const name of names) {
    let loading = loaded.get(name);
    if (loading === undefined) loaded.set(name, (loading = load(name)));
    const highlighter = await loading;
    if (highlighter !== undefined) languages.set(name, highlighter);
  }
  return languages.size === 0 ? undefined : (code, language) => colour(code, language.toLowerCase(), languages);
}

async function load(name: string): Promise<HighlighterCore | undefined> {
  const { languageAliasNames, languageNames } = await import('@shikijs/langs');
  if (!languageNames.includes(name) && !languageAliasNames.includes(name)) return undefined;
  const grammar: { readonly default: LanguageInput } = await import(`@shikijs/langs/${name}`);
  const { createCssVariablesTheme, createHighlighterCore } = await import('@shikijs/core');
  const { createJavaScriptRegexEngine } = await import('@shikijs/engine-javascript');
  return createHighlighterCore({
    langs: [grammar.default],
    themes: [createCssVariablesTheme({ name: THEME, variablePrefix: '--' })],
    engine: createJavaScriptRegexEngine({ forgiving: true, target: 'ES2018' }),
    warnings: false,
  });
}

function colour(
  code: string,
  language: string,
  languages: ReadonlyMap<string, HighlighterCore>,
): readonly ColouredText[] | undefined {
  const highlighter = languages.get(language);
  if (highlighter === undefined || code.length > MAX_CODE) return undefined;
  const lines = highlighter.codeToTokensBase(code, {
    lang: language,
    theme: THEME,
    tokenizeMaxLineLength: MAX_LINE,
    tokenizeTimeLimit: 0,
  });
  const pieces: { text: string; readonly className: string | undefined }[] = [];
  const add = (text: string, className: string | undefined): void => {
    const last = pieces.at(-1);
    if (last !== undefined && last.className === className) last.text += text;
    else if (text !== '') pieces.push({ text, className });
  };
  for (const [index, line] of lines.entries()) {
    if (index > 0) add('\n', undefined);
    for (const { content, color } of line) {
      const name = /^var\(--(?:token-)?([a-z-]+)\)$/.exec(color ?? '')?.[1];
      add(content, name === undefined ? undefined : CLASSES[name]);
    }
  }
  return pieces;
}
