/** What of a page a Markdown engine has to compile. */
import type { Inheritance } from '../protocol/release.ts';
import { expandIncludes, type ExpandedText } from './includes.ts';
import { languageOf } from './languages.ts';
import type { MarkdownSource } from './markdown.ts';
import type { PageSource, SiteSource, SlotMeta } from './source.ts';

/** Characters of one text; the parser needs up to a hundred times as many bytes. */
export const MAX_MARKDOWN = 4 * 1024 * 1024;

/** The texts of a page that a Markdown engine has to compile, before anything else is known. */
export interface PageTexts {
  /** undefined where the text stays at the main site, and where it is too long. */
  readonly body: MarkdownSource | undefined;
  /** The body with what it includes: places, and what is wrong with includes. */
  readonly expanded: Pick<ExpandedText, 'place' | 'problems' | 'includes'>;
  /** By name, those of the slots which the main site fills. */
  readonly slots: ReadonlyMap<string, MarkdownSource>;
}

export function textsOf(page: PageSource, { site, includes, markdown: options }: SiteSource): PageTexts {
  const { meta, markdown, file, firstLine } = page;
  const { highlight, headingLinks } = options;
  const language = languageOf(page, site);
  const text = { format: 'md', schema: 'page', holes: true, language, highlight, headingLinks } as const;
  const expanded = expandIncludes(markdown, { file, firstLine }, includes, MAX_MARKDOWN);
  const hasBody = meta.inherit !== 'link' && expanded.text.length <= MAX_MARKDOWN;
  const slots = new Map<string, MarkdownSource>();
  for (const [name, slot] of Object.entries(meta.slots)) {
    const own = ownText(slot, meta.inherit);
    if (own !== undefined) slots.set(name, { text: own, ...text, idPrefix: `${name}-` });
  }
  return { body: hasBody ? { text: expanded.text, ...text, idPrefix: '' } : undefined, expanded, slots };
}

/** What the main site puts into a slot; undefined when that is the template's or the page's own fallback. */
function ownText(slot: SlotMeta, inherit: Inheritance): string | undefined {
  return inherit === 'framework' ? slot.fallback : (slot.content ?? slot.fallback);
}
