/** `tieup.yaml` of a main site. */
import { posix } from 'node:path';
import { z } from 'zod';
import { decodeYaml } from './document.ts';
import { folder, siteUrl, title, values } from './fields.ts';

export interface MainSiteConfig {
  readonly role: 'main';
  readonly site: {
    readonly name: string;
    /** Where the main site itself lives; ends with a slash. */
    readonly url: string;
    /** BCP 47, for `<html lang>`. */
    readonly language: string;
    /** `{{ site.<name> }}` in pages and templates. */
    readonly values: Readonly<Record<string, string>>;
  };
  /** Relative to the folder of tieup.yaml, `keys` also absolute. */
  readonly folders: {
    readonly pages: string;
    readonly templates: string;
    readonly assets: string;
    readonly partners: string;
    readonly keys: string;
  };
  /** What a release says to the partner's manager unless `push` is told otherwise. */
  readonly message?: { readonly subject?: string | undefined; readonly text?: string | undefined } | undefined;
  /** Days after a push within which an answer is asked for. */
  readonly confirmWithinDays: number;
}

const inside = folder.refine((path) => !posix.isAbsolute(path) && path !== '.' && !/^\.\.(?:\/|$)/.test(path), {
  error: 'must be a folder beside tieup.yaml',
});

const language = z.string().regex(/^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$/, { error: 'must be a language such as en' });

export const mainSiteSchema: z.ZodType<MainSiteConfig> = z.strictObject({
  role: z.literal('main'),
  site: z.strictObject({
    name: title.meta({ description: 'the name of the main site, as visitors read it' }),
    url: siteUrl.meta({ description: 'where the main site itself lives' }),
    language: language.default('en').meta({ description: 'the language of the pages' }),
    values: values(['name', 'url', 'language', 'values']).meta({ description: '{{ site.<name> }} in pages' }),
  }),
  folders: z
    .strictObject({
      pages: inside.default('pages'),
      templates: inside.default('templates'),
      assets: inside.default('assets'),
      partners: inside.default('partners'),
      keys: folder.default('keys'),
    })
    .refine((folders) => !isWithin(folders.keys, folders.assets), {
      path: ['keys'],
      error: 'must not lie in the assets, which are published',
    })
    .prefault({})
    .meta({ description: 'where things are, beside tieup.yaml' }),
  message: z
    .strictObject({ subject: title.optional(), text: z.string().max(20_000).optional() })
    .optional()
    .meta({ description: "what a release says to the partner's manager" }),
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
