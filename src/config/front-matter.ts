/** Front matter: what a page says about itself, in YAML between two lines `---` at its start. */
import { z } from 'zod';
import { TieupError } from '../errors.ts';
import { isMoment } from '../protocol/moment.ts';
import { SLOT_NAME } from '../protocol/names.ts';
import type { Inheritance } from '../protocol/release.ts';
import { decodeYaml } from './document.ts';
import { language } from './fields.ts';

/** A page's file, taken apart; the shapes are those of content/source.ts. */
export interface PageText {
  readonly meta: FrontMatter;
  readonly markdown: string;
  /** 1-based line of the file on which `markdown` starts. */
  readonly firstLine: number;
}

export interface FrontMatter {
  readonly title: string;
  readonly description: string;
  readonly inherit: Inheritance;
  readonly template: string;
  readonly slots: Readonly<Record<string, FrontMatterSlot>>;
  readonly values: Readonly<Record<string, string>>;
  readonly partners: readonly string[] | undefined;
  readonly draft: boolean;
  readonly aliases: readonly string[];
  readonly order: number | undefined;
  readonly navigation: string | false | undefined;
  readonly language: string | undefined;
  readonly translates: string | undefined;
  readonly image: string | undefined;
  readonly date: string | undefined;
  readonly updated: string | undefined;
  readonly publishFrom: string | undefined;
  readonly publishUntil: string | undefined;
  readonly tags: readonly string[];
  readonly paginate: { readonly collection: string; readonly size: number } | undefined;
}

export interface FrontMatterSlot {
  readonly description: string;
  readonly content: string | undefined;
  readonly fallback: string | undefined;
  readonly required: boolean;
}

const MAX_TITLE = 300;
/** As in content/variables.ts. */
const VARIABLE = /\{\{[ \t]*[A-Za-z][A-Za-z0-9_.-]*[ \t]*\}\}/;
const REFERENCES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', nbsp: '\u00A0' };

const title = z
  .string()
  .trim()
  .min(1)
  .max(MAX_TITLE)
  .regex(/^[^\n\r]*$/, { error: 'must be one line' });
const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const names = z.union([
  z.array(z.string().min(1)),
  z
    .string()
    .min(1)
    .transform((name) => [name]),
]);

const moment = z.string().refine(isMoment, {
  error: 'must be a day such as 2026-12-20, or a time such as 2026-12-20T08:00 or 2026-12-20T08:00+01:00',
});

const tag = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,62}$/, { error: 'is no tag: use letters, digits, hyphens and underscores' });
/** `latest`, a tag, `folders.<name>`. */
const collection = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_.-]*$/, { error: 'must name a collection, such as latest, a tag, or folders.guide' });
/** Entries on each page of a list. */
const PAGE_SIZE = 10;

const slot = z.strictObject({
  description: z.string().default(''),
  content: z.string().optional(),
  fallback: z.string().optional(),
  required: z.boolean().default(false),
});

const schema = z.strictObject({
  title: title.optional(),
  description: z.string().max(2000).default(''),
  inherit: z.enum(['full', 'framework', 'link']).default('full'),
  template: z.string().min(1).default('page'),
  slots: z
    .record(z.string().regex(SLOT_NAME, { error: 'is no slot name: use lower-case letters, digits and hyphens' }), slot)
    .default({}),
  values: z
    .record(
      z
        .string()
        .regex(/^[A-Za-z][A-Za-z0-9_-]*$/, { error: 'is no name: use letters, digits, hyphens and underscores' }),
      text,
    )
    .default({}),
  partners: names.optional(),
  draft: z.boolean().default(false),
  aliases: names.default([]),
  order: z.number().optional(),
  navigation: z.union([z.literal(false), title]).optional(),
  language: language.optional(),
  translates: z
    .string()
    .regex(/^[^/\\].*\.md$/, { error: 'must name a page below the folder of pages, such as rent.md' })
    .optional(),
  image: z
    .string()
    .regex(/^assets\/./, { error: 'must name an asset, such as assets/night-road.png' })
    .optional(),
  date: moment.optional(),
  updated: moment.optional(),
  'publish-from': moment.optional(),
  'publish-until': moment.optional(),
  tags: z
    .array(tag)
    .max(100)
    .or(tag.transform((name) => [name]))
    .default([]),
  paginate: z
    .union([
      collection.transform((name) => ({ collection: name, size: PAGE_SIZE })),
      z.strictObject({ collection, size: z.int().min(1).max(1000).default(PAGE_SIZE) }),
    ])
    .optional(),
});

/** What stands before a page's Markdown, when anything does. */
const FENCE = /^---[ \t]*\n(?:([\s\S]*?)\n)?---[ \t]*(?:\n|$)/;

/**
 * Takes a page's file apart. Line ends become LF and a byte order mark is dropped, so that the same page has the same
 * bytes wherever it was written. Without a title in the front matter, the heading that the text starts with is it.
 * @param file for messages, `pages/guide/intro.md`
 * @throws TIEUP_E_CONTENT with every problem and its place.
 */
export function parseFrontMatter(source: string, file: string): PageText {
  const whole = withLineFeeds(source);
  const fence = FENCE.exec(whole);
  if (fence === null && /^---[ \t]*\n/.test(whole))
    throw refusal(file, 1, 'the front matter is not closed by a line ---');
  const yaml = fence?.[1] ?? '';
  const markdown = whole.slice(fence?.[0].length ?? 0);
  const firstLine = (fence?.[0].match(/\n/g)?.length ?? 0) + 1;
  const {
    title: given,
    'publish-from': publishFrom,
    'publish-until': publishUntil,
    ...meta
  } = decodeFrontMatter(yaml, file);
  const found = given ?? firstHeading(markdown);
  if (found === undefined) {
    throw refusal(
      file,
      1,
      'the page has no title: write `title` in the front matter, or start the text with a heading',
    );
  }
  if (given === undefined && VARIABLE.test(found)) {
    const message = 'the title cannot hold a variable as this heading does: write `title` in the front matter';
    throw refusal(file, firstLine, message);
  }
  const slots = Object.fromEntries(
    Object.entries(meta.slots).map(([name, { content, fallback, ...rest }]) => [name, { ...rest, content, fallback }]),
  );
  const { partners, order, navigation, language: written, translates, image, date, updated, paginate } = meta;
  const optional = { partners, order, navigation, language: written, translates, image, date, updated, paginate };
  return {
    meta: { ...meta, ...optional, title: found, slots, publishFrom, publishUntil },
    markdown,
    firstLine,
  };
}

/** The text without a byte order mark, whatever system its line ends come from. */
export function withLineFeeds(source: string): string {
  const plain = source.startsWith('\uFEFF') ? source.slice(1) : source;
  return plain.includes('\r') ? plain.replace(/\r\n?/g, '\n') : plain;
}

function decodeFrontMatter(yaml: string, file: string): z.infer<typeof schema> {
  // A document without a value is `null` in YAML, and the same as one without keys here.
  const empty = yaml.split('\n').every((line) => /^\s*(?:#.*)?$/.test(line));
  return decodeYaml(empty ? '{}' : yaml, file, schema, { lineOffset: 1, code: 'TIEUP_E_CONTENT' });
}

/** The text of the heading which `markdown` starts with, without its markup. */
function firstHeading(markdown: string): string | undefined {
  const [first = '', second = ''] = markdown.replace(/^(?:[ \t]*\n)+/, '').split('\n', 2);
  const atx = /^ {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$/.exec(first)?.[1];
  const setext = /^ {0,3}(?:=+|-+)[ \t]*$/.test(second) && /^ {0,3}[^\s>#\-*+]/.test(first) ? first.trim() : undefined;
  const plain = (atx ?? setext)
    ?.replace(/!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])/g, '$1')
    .replace(/<[^>]*>/g, '')
    .replace(/\\([!-/:-@[-`{-~])|[*`]|\b_|_\b/g, '$1')
    .replace(/&(amp|lt|gt|quot|nbsp);/g, (reference, name: string) => REFERENCES[name] ?? reference)
    .trim()
    .slice(0, MAX_TITLE);
  return plain === undefined || plain === '' ? undefined : plain;
}

function refusal(file: string, line: number, message: string): TieupError {
  return new TieupError('TIEUP_E_CONTENT', `${file}: ${message}`, { problems: [{ file, line, column: 1, message }] });
}
