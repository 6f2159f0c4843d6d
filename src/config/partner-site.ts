/** `tieup.yaml` of a partner site. */
import { isAbsolute, posix, relative, resolve } from 'node:path';
import { z } from 'zod';
import { decodeYaml } from './document.ts';
import { folder, hostKey, partnerId, sftpUrl, siteUrl, title, vkey } from './fields.ts';
import { type LogsConfig, logsSchema } from './partner-logs.ts';

export interface PartnerSiteConfig {
  readonly role: 'partner';
  /** The id that the main site knows this partner by. */
  readonly partner: string;
  readonly main: {
    readonly name: string;
    readonly url: string;
    /** Vkey lines. */
    readonly keys: { readonly document: string };
  };
  /** This site; ends with a slash. */
  readonly url: string;
  /**
   * The server that original pages, slots, exchange and web root lie on, and its `ssh-ed25519 AAAA…` lines; without these those
   * of `known_hosts` count. Absent where everything lies on this machine.
   */
  readonly site?: { readonly url: string; readonly hostKeys: readonly string[] } | undefined;
  /** Absolute, or relative to the folder of tieup.yaml or, on a server, to the path in its address. */
  readonly folders: {
    /** Original pages; `in-place` when they live in the web root already. */
    readonly original: string;
    readonly slots: string;
    readonly exchange: string;
    /** The web root; in link mode a link to the tree being served. */
    readonly public: string;
    readonly state: string;
    readonly keys: string;
  };
  readonly publish: 'overwrite' | 'link';
  /** For how many releases the newest publication is kept, so that a rollback finds it. */
  readonly keep: number;
  /** What `tieup accept --auto` may accept once the manager has signed it. */
  readonly auto: {
    readonly allow: 'nothing' | 'content';
    readonly maxChangedPages?: number | undefined;
    readonly maxRemovedPages?: number | undefined;
  };
  /** The index of sitemaps that tieup makes in the web root; absent where none is wanted. */
  readonly sitemap?:
    | {
        readonly index: string;
        /** The partner's own, from the web root. */
        readonly own: readonly string[];
      }
    | undefined;
  /** The access logs; absent where none are read. */
  readonly logs?: LogsConfig | undefined;
}

/** The name beside the web root under which published trees are kept. */
export const TREES_FOLDER = 'published';

export const IN_PLACE = 'in-place';

const sitemapFile = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]*\.xml$/, { error: 'must be a file in the web root, such as sitemap-index.xml' });
const sitemapPath = z
  .string()
  .max(1000)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_~%/.-]*$/, { error: 'must be a path from the web root, such as sitemap.xml' });

const pages = z.int().min(0).max(1_000_000);

function partnerSiteSchemaAt(base: string): z.ZodType<PartnerSiteConfig> {
  return z
    .strictObject({
      role: z.literal('partner'),
      partner: partnerId.meta({ description: 'the id that the main site knows this partner by' }),
      main: z.strictObject({ name: title, url: siteUrl, keys: z.strictObject({ document: vkey }) }),
      url: siteUrl.meta({ description: 'this site' }),
      site: z
        .strictObject({
          url: sftpUrl.meta({ description: 'sftp://user@host/path: the folder of the site there' }),
          hostKeys: z.array(hostKey).max(20).default([]).meta({ description: 'those in known_hosts unless given' }),
        })
        .optional()
        .meta({ description: 'the server that all folders but state and keys lie on; this machine unless given' }),
      folders: z
        .strictObject({
          original: folder.default('original').meta({ description: 'original pages, or in-place' }),
          slots: folder.default('slots').meta({ description: 'what fills the slots of framework pages' }),
          exchange: folder.default('exchange').meta({ description: 'where the main site writes' }),
          public: folder.default('public').meta({ description: 'the web root' }),
          state: folder.default('state').meta({ description: 'trusted state; never in the web root' }),
          keys: folder.default('keys').meta({ description: 'secret keys; never in the web root' }),
        })
        .prefault({}),
      publish: z.enum(['overwrite', 'link']).default('link').meta({ description: 'how a release goes live' }),
      keep: z
        .int()
        .min(2)
        .max(100)
        .default(5)
        .meta({ description: 'releases to keep for a rollback, each with its newest publication' }),
      auto: z
        .strictObject({
          allow: z.enum(['nothing', 'content']).default('nothing'),
          maxChangedPages: pages.optional(),
          maxRemovedPages: pages.optional(),
        })
        .prefault({})
        .meta({ description: 'what tieup accept --auto may accept' }),
      sitemap: z
        .strictObject({
          index: sitemapFile.default('sitemap-index.xml').meta({ description: 'what tieup makes in the web root' }),
          own: z.array(sitemapPath).max(1000).default([]).meta({ description: 'your sitemaps, from the web root' }),
        })
        .refine(({ index, own }) => !own.includes(index), {
          path: ['index'],
          error: 'must not be one of your own sitemaps',
        })
        .optional()
        .meta({ description: 'an index of your sitemaps and that of the tie-up pages' }),
      logs: logsSchema.optional().meta({ description: 'the access logs, and what of them leaves this machine' }),
    })
    .superRefine(({ folders, site }, context) => {
      for (const { key, error } of site === undefined ? folderFaults(folders, base) : serverFolderFaults(folders)) {
        context.addIssue({ code: 'custom', path: ['folders', key], message: error, input: folders[key] });
      }
    })
    .refine(({ folders, publish }) => folders.original !== IN_PLACE || publish === 'overwrite', {
      path: ['publish'],
      error: 'must be overwrite when the original pages are in place',
    });
}

export const partnerSiteSchema = partnerSiteSchemaAt('/');

type Folders = PartnerSiteConfig['folders'];

/**
 * Which folder must not lie in which other, and why. Web servers serve all of the web root, the main site's login
 * writes into the exchange, and original pages are copied into the web root.
 */
const APART: readonly (readonly [inner: keyof Folders, outer: keyof Folders | 'trees', why: string])[] = [
  ['keys', 'public', 'must not lie in the web root: visitors could read the keys'],
  ['keys', 'trees', `must not lie in ${TREES_FOLDER}/, which is served`],
  ['keys', 'original', 'must not lie in the original pages, which are published'],
  ['keys', 'exchange', 'must not lie in the exchange, which the main site reads'],
  ['state', 'public', 'must not lie in the web root: visitors could read it'],
  ['state', 'trees', `must not lie in ${TREES_FOLDER}/, which is served`],
  ['state', 'original', 'must not lie in the original pages, which are published'],
  ['state', 'exchange', 'must not lie in the exchange, which the main site writes to'],
  ['exchange', 'public', 'must not lie in the web root: unconfirmed pages would be served'],
  ['exchange', 'trees', `must not lie in ${TREES_FOLDER}/, which is served`],
  ['exchange', 'original', 'must not lie in the original pages, which are published'],
  ['slots', 'public', 'must not lie in the web root'],
  ['slots', 'exchange', 'must not lie in the exchange, which the main site writes to'],
  ['slots', 'original', 'must not lie in the original pages, which are published'],
  ['original', 'public', 'must not lie in the web root: write in-place when they are the same'],
  ['original', 'trees', `must not lie in ${TREES_FOLDER}/, which tieup prunes`],
  ['original', 'exchange', 'must not lie in the exchange, which the main site writes to'],
  ['public', 'original', 'must not lie in the original pages'],
  ['public', 'exchange', 'must not lie in the exchange, which the main site writes to'],
  ['public', 'state', 'must not lie in the state folder'],
  ['public', 'keys', 'must not lie in the folder of the keys'],
];

interface FolderFault {
  readonly key: keyof Folders;
  readonly error: string;
}

/** State and keys lie on this machine, everything else on the server. */
function serverFolderFaults(folders: Folders): readonly FolderFault[] {
  const away: readonly (keyof Folders)[] = ['original', 'slots', 'exchange', 'public'];
  const climbing = away.filter((key) => folders[key].split('/').includes('..'));
  const found: FolderFault[] = climbing.map((key) => ({
    key,
    error: 'must be below the path in site.url, or absolute on the server',
  }));
  const apart = folderFaults({ ...folders, state: LOCAL, keys: LOCAL }, '/site').filter(({ key }) =>
    away.includes(key),
  );
  return [...found, ...apart];
}

/** Where nothing of a server can be. */
const LOCAL = '/.tieup/here';

function folderFaults(folders: Folders, base: string): readonly FolderFault[] {
  const inPlace = folders.original === IN_PLACE;
  const places = {
    ...folders,
    original: inPlace ? folders.public : folders.original,
    trees: posix.join(posix.dirname(posix.normalize(folders.public).replace(/\/$/, '')), TREES_FOLDER),
  };
  const within = (inner: string, outer: string): boolean => {
    const way = relative(resolve(base, outer), resolve(base, inner));
    return way === '' || (!isAbsolute(way) && way !== '..' && !way.startsWith('../'));
  };
  const faults: FolderFault[] = [];
  if (within('.', places.public)) {
    faults.push({ key: 'public', error: 'must not hold tieup.yaml itself: choose a folder below or elsewhere' });
  }
  for (const [inner, outer, error] of APART) {
    // In place the original pages and the web root are one folder, and its rules are those of the web root.
    if (inPlace && (inner === 'original' || outer === 'original')) continue;
    const known = faults.some((fault) => fault.key === inner);
    if (!known && within(places[inner], places[outer])) faults.push({ key: inner, error });
  }
  return faults;
}

/**
 * @param base absolute path of the folder that `file` is in, against which relative folders are compared
 * @throws TIEUP_E_CONFIG with every problem and its place.
 */
export function parsePartnerSite(text: string, file: string, base: string): PartnerSiteConfig {
  return decodeYaml(text, file, partnerSiteSchemaAt(base));
}
