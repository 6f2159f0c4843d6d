/** What several documents have in common. Texts are plain words for people; paths have slashes and no slash before them. */
import { z } from 'zod';

export const list = z.array(z.string());
/** ISO 8601 UTC: `2026-11-23T22:00:00Z`. */
export const instant = z.string().describe('ISO 8601 UTC');
export const sha256 = z.string().describe('SHA-256, 64 hexadecimal digits');

export const problem = z.object({
  message: z.string().describe('Lower case, no full stop'),
  file: z.string().optional().describe('Relative to the site folder'),
  line: z.number().optional().describe('From 1'),
  column: z.number().optional().describe('From 1, in UTF-16 code units'),
});

export const fault = z.object({
  code: z.string().describe('TIEUP_E_…'),
  message: z.string(),
  hint: z.string().nullable().describe('What mends it'),
  problems: z.array(problem),
});

/** What became of one partner where it failed; the others are told beside it. */
export const failed = z.object({ partner: z.string(), result: z.literal('failed'), error: fault });

export const changes = {
  added: list.describe('Paths from the web root'),
  changed: list,
  removed: list,
  unchanged: z.number().describe('How many files'),
};

export const releaseNumber = z.number().describe('Of the release');
export const namedRelease = z.object({ number: releaseNumber, digest: sha256 });

export const pageCounts = z.object({ tieUp: z.number(), original: z.number() }).describe('How many pages are live');

export const unpruned = z.array(
  z.object({
    path: z.string().describe('From the folder in which the web root is'),
    why: z
      .enum(['not-ours', 'stuck'])
      .describe('not-ours: it was put or edited there by hand, and lives nowhere else; stuck: it could not be removed'),
  }),
);

/** What a command at the partner has published. */
export const wentLive = {
  publication: z.number().describe('Rises with every publication'),
  changed: z.boolean().describe('False when it was live already'),
  written: z.number().describe('Files'),
  removed: z.number().describe('Files'),
  unpruned,
  pages: pageCounts,
  release: namedRelease.nullable().describe('null when no tie-up page is live'),
};

export const strayLinks = z.array(
  z.object({
    target: z.string().describe('The page that the links were written for'),
    instead: z.enum(['nothing', 'yours']).describe('What visitors find there'),
    pages: list.describe('The tie-up pages with such a link'),
  }),
);

export const diskUse = z.object({ files: z.number(), bytes: z.number() });

export const receiptState = z.enum(['live', 'held', 'left']).nullable();

export const keyName = z
  .string()
  .describe('root, release, online, document, ssh, accept, site, log; with -<holder> or -<n>');

export const historyEntry = z.object({
  seq: z.number().describe('From 1, without a gap; lines with "after" are counted by themselves'),
  after: z.number().optional().describe('Of a line that is never dropped: how many of the others there were'),
  previous: sha256.nullable().describe('Of the line before, without its line feed'),
  time: instant,
  who: z.string().describe('user@host'),
  action: z.string().describe('push, decision, suspend, …'),
  partner: z.string().optional(),
  release: releaseNumber.optional(),
  digest: sha256.optional().describe('Of the release, decision or files that it was about'),
  detail: z.string().optional(),
});

export const publicationRecord = z.object({
  number: z.number().describe('Rises with every publication'),
  time: instant,
  how: z.enum(['link', 'overwrite']),
  mount: z.string(),
  release: namedRelease.nullable().describe('null when no tie-up page is live'),
  decision: sha256.nullable().describe('Of the decision that it carries out'),
  restores: z.number().nullable().describe('The earlier publication that it restores'),
  pages: pageCounts,
  files: z.number().describe('Files that tieup put there'),
  sums: sha256.describe('Of published/<n>.SHA256SUMS'),
  redirects: list.describe('HTML files that are redirects, not pages'),
  earlier: list.describe('Files of the release before that stay until the next one'),
  folders: list.describe('Folders in the web root that tieup made'),
});

export const decision = z.object({
  partner: z.string(),
  terms: sha256,
  seq: z.number(),
  previous: sha256.nullable(),
  release: releaseNumber,
  releaseDigest: sha256,
  merge: sha256.nullable(),
  verdict: z.enum(['accepted', 'rejected', 'rollback']),
  by: z.enum(['manager', 'policy']),
  time: instant,
  expires: instant,
  reason: z.string().nullable(),
});

export const receipt = z.object({
  partner: z.string(),
  release: releaseNumber,
  releaseDigest: sha256,
  decision: sha256.nullable(),
  publication: z.number(),
  published: sha256.describe('Of published/<n>.SHA256SUMS, which the live tree is checked with'),
  state: z.enum(['live', 'held', 'left']),
  pages: pageCounts,
  time: instant,
});
