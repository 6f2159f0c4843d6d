/** `tieup.yaml` of a main site. */
import { posix } from 'node:path';
import { z } from 'zod';
import { isTimeZone } from '../protocol/moment.ts';
import { ROOT_HOLDER } from '../protocol/names.ts';
import { decodeYaml } from './document.ts';
import { folder, language, siteUrl, title, values } from './fields.ts';
import { scheduleSchema, type Schedule } from './schedule.ts';

export interface MainSiteConfig {
  readonly role: 'main';
  readonly site: {
    readonly name: string;
    /** Where the main site itself lives; ends with a slash. */
    readonly url: string;
    /** BCP 47, for `<html lang>`. */
    readonly language: string;
    /** Further languages, each with a folder of pages: `de` → `pages/de/`. */
    readonly languages: readonly string[];
    /** In which days and times without an offset are meant: `Europe/Berlin`. */
    readonly timeZone: string;
    /** `{{ site.<name> }}` in pages and templates. */
    readonly values: Readonly<Record<string, string>>;
  };
  /** Relative to the folder of tieup.yaml, `keys` also absolute. */
  readonly folders: {
    readonly pages: string;
    readonly templates: string;
    readonly assets: string;
    /** YAML and JSON for templates and pages. */
    readonly data: string;
    /** Pieces of Markdown that pages share. */
    readonly includes: string;
    readonly partners: string;
    readonly keys: string;
  };
  /** Names of assets that pages load get a hash of their content, so that browsers may keep them for ever. */
  readonly assets: { readonly hashed: boolean };
  readonly markdown: {
    /** Fenced code gets the colours of its language. */
    readonly highlight: boolean;
    /** Headings get a link to themselves. */
    readonly headingLinks: boolean;
  };
  /** Widths in pixels that pictures of pages are published in as well, and the attribute `sizes` by which browsers choose. */
  readonly images: { readonly widths: readonly number[]; readonly sizes: string };
  /** Who holds the root keys of the partners' repositories, and how many of them must sign; one, called `main`, unless given. */
  readonly roots: { readonly threshold: number; readonly holders: readonly string[] };
  /** What a release says to the partner's manager unless `push` is told otherwise. */
  readonly message?: { readonly subject?: string | undefined; readonly text?: string | undefined } | undefined;
  /** Days after a push within which an answer is asked for. */
  readonly confirmWithinDays: number;
  /** When pages are brought to partners that have no schedule of their own; undefined: only by hand. */
  readonly schedule?: Schedule | undefined;
  /** How many releases of each partner can be made again; 0: none, and nothing is kept for it. */
  readonly retention: { readonly releases: number };
}

const inside = folder.refine((path) => !posix.isAbsolute(path) && path !== '.' && !/^\.\.(?:\/|$)/.test(path), {
  error: 'must be a folder beside tieup.yaml',
});

const holder = z.string().regex(ROOT_HOLDER, { error: 'must be a word of a-z, 0-9 and -, with at most 40 characters' });

export const mainSiteSchema: z.ZodType<MainSiteConfig> = z.strictObject({
  role: z.literal('main'),
  site: z.strictObject({
    name: title.meta({ description: 'the name of the main site, as visitors read it' }),
    url: siteUrl.meta({ description: 'where the main site itself lives' }),
    language: language.default('en').meta({ description: 'the language of the pages' }),
    languages: z
      .array(language)
      .max(100)
      .default([])
      .meta({ description: 'further languages, each with a folder of pages: de → pages/de/' }),
    timeZone: z
      .string()
      .refine(isTimeZone, { error: 'must be a time zone such as Europe/Berlin' })
      .default('UTC')
      .meta({ description: 'in which days and times of pages are meant' }),
    values: values(['name', 'url', 'language', 'values']).meta({ description: '{{ site.<name> }} in pages' }),
  }),
  folders: z
    .strictObject({
      pages: inside.default('pages'),
      templates: inside.default('templates'),
      assets: inside.default('assets'),
      data: inside.default('data'),
      includes: inside.default('includes'),
      partners: inside.default('partners'),
      keys: folder.default('keys'),
    })
    .refine((folders) => !isWithin(folders.keys, folders.assets), {
      path: ['keys'],
      error: 'must not lie in the assets, which are published',
    })
    .prefault({})
    .meta({ description: 'where things are, beside tieup.yaml' }),
  assets: z
    .strictObject({
      hashed: z
        .boolean()
        .default(true)
        .meta({ description: 'put a hash of its content into the name of what pages load' }),
    })
    .prefault({})
    .meta({ description: 'how assets are published' }),
  markdown: z
    .strictObject({
      highlight: z.boolean().default(true).meta({ description: 'colours for the code of fences that name a language' }),
      headingLinks: z.boolean().default(false).meta({ description: 'a link to itself in every heading but the first' }),
    })
    .prefault({})
    .meta({ description: 'how the text of pages is read' }),
  images: z
    .strictObject({
      widths: z
        .array(z.int().min(16).max(8192))
        .max(10)
        .default([])
        .meta({ description: 'further widths in pixels of pictures in pages; needs the package sharp' }),
      sizes: z
        .string()
        .min(1)
        .max(500)
        .regex(/^[^"<>{}]*$/, { error: 'must be a list of sizes such as (max-width: 48rem) 100vw, 48rem' })
        .default('(max-width: 48rem) 100vw, 48rem')
        .meta({ description: 'how wide pictures are shown: the attribute sizes' }),
    })
    .prefault({})
    .meta({ description: 'pictures in pages' }),
  roots: z
    .strictObject({
      threshold: z.int().min(1).max(20).default(1).meta({ description: 'how many holders must sign' }),
      holders: z.array(holder).min(1).max(20).meta({ description: 'each has the key root-<holder>' }),
    })
    .refine(({ holders }) => new Set(holders).size === holders.length, {
      path: ['holders'],
      error: 'must not name a holder twice',
    })
    .refine(({ threshold, holders }) => threshold <= holders.length, {
      path: ['threshold'],
      error: 'must not be more than the number of holders',
    })
    .default({ threshold: 1, holders: ['main'] })
    .meta({ description: 'who holds the root keys; a change takes effect with tieup keys rotate root' }),
  message: z
    .strictObject({ subject: title.optional(), text: z.string().max(20_000).optional() })
    .optional()
    .meta({ description: "what a release says to the partner's manager" }),
  schedule: scheduleSchema
    .optional()
    .meta({ description: 'when tieup push --due brings pages to partners without a schedule of their own' }),
  retention: z
    .strictObject({
      releases: z
        .int()
        .min(0)
        .max(1000)
        .default(10)
        .meta({ description: 'releases of each partner that tieup rollback can bring back' }),
    })
    .prefault({})
    .meta({ description: 'what is kept of what was pushed' }),
  confirmWithinDays: z.int().min(1).max(365).default(14).meta({ description: 'days within which an answer is asked' }),
});

function isWithin(path: string, of: string): boolean {
  const way = posix.relative(posix.resolve('/', of), posix.resolve('/', path));
  return !way.startsWith('..');
}

/** @throws TIEUP_E_CONFIG with every problem and its place. */
export function parseMainSite(text: string, file: string): MainSiteConfig {
  return decodeYaml(text, file, mainSiteSchema);
}
