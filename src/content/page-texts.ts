/** What of a page a Markdown engine has to compile. */
import type { Inheritance } from '../protocol/release.ts';
import type { MarkdownSource } from './markdown.ts';
import type { PageSource, SlotMeta } from './source.ts';

/** Characters of one text; the parser needs up to a hundred times as many bytes. */
export const MAX_MARKDOWN = 4 * 1024 * 1024;

/** The texts of a page that a Markdown engine has to compile, before anything else is known. */
export interface PageTexts {
  /** undefined where the text stays at the main site, and where it is too long. */
  readonly body: MarkdownSource | undefined;
  /** By name, those of the slots which the main site fills. */
  readonly slots: ReadonlyMap<string, MarkdownSource>;
}

export function textsOf({ meta, markdown }: PageSource): PageTexts {
  const text = { format: 'md', schema: 'page', holes: true } as const;
  const hasBody = meta.inherit !== 'link' && markdown.length <= MAX_MARKDOWN;
  const slots = new Map<string, MarkdownSource>();
  for (const [name, slot] of Object.entries(meta.slots)) {
    const own = ownText(slot, meta.inherit);
    if (own !== undefined) slots.set(name, { text: own, ...text, idPrefix: `${name}-` });
  }
  return { body: hasBody ? { text: markdown, ...text, idPrefix: '' } : undefined, slots };
}

/** What the main site puts into a slot; undefined when that is the template's or the page's own fallback. */
function ownText(slot: SlotMeta, inherit: Inheritance): string | undefined {
  return inherit === 'framework' ? slot.fallback : (slot.content ?? slot.fallback);
}
