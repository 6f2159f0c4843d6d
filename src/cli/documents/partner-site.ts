/** Documents of commands at the partner. */
import { z } from 'zod';
import {
  changes,
  decision,
  diskUse,
  historyEntry,
  instant,
  list,
  namedRelease,
  pageCounts,
  publicationRecord,
  receiptState,
  releaseNumber,
  sha256,
  strayLinks,
  unpruned,
  wentLive,
} from './parts.ts';
import { terms } from './terms.ts';

const slotUses = z.array(z.object({ page: z.string(), slot: z.string() }));

/** What waits for the manager. */
const review = z.object({
  release: releaseNumber,
  releaseDigest: sha256,
  created: instant,
  confirmBy: instant.nullable(),
  message: z.object({ subject: z.string(), text: z.string() }),
  ...changes,
  originals: z
    .object({ added: list, changed: list, removed: list })
    .describe('Copies of original pages that follow the original folder'),
  replaced: list.describe('Original pages in whose place a tie-up page stands'),
  leftOut: z.array(
    z.object({
      path: z.string(),
      reason: z.enum(['withheld', 'slot-missing', 'kept-mine']),
      slots: list.optional().describe('The required slots that nothing fills'),
    }),
  ),
  fallbacks: slotUses,
  unusedSlots: slotUses,
  foreign: list.describe('Files under the mount that tieup did not put there'),
  earlier: list.describe('Files of the release before that stay until the next one'),
  conflicts: z.number(),
  terms,
  termsBefore: terms.nullable().describe('null when the release has the terms that were agreed to'),
  rejected: z.object({ time: instant, reason: z.string().nullable() }).nullable(),
  activeContent: z.array(
    z.object({
      path: z.string(),
      line: z.number().optional(),
      column: z.number().optional(),
      kind: z.enum(['script', 'frame', 'remote', 'refresh', 'form', 'service-worker', 'unreadable']),
      what: z.string(),
      origin: z.string().optional(),
      url: z.string().optional(),
      integrity: z.boolean().optional(),
    }),
  ),
  unusedSlotFiles: list,
  strayLinks,
});

export const PARTNER_SITE_DOCUMENTS = {
  join: z.object({
    partner: z.string(),
    answer: z.string().describe('The file for the main site'),
    words: list.describe('Six words to read out'),
    digest: sha256,
    authorizedKey: z.string().describe('The line for authorized_keys'),
    hostKeys: list,
    hostKeyFingerprints: list,
    hostKeySource: z.enum(['flag', 'this-machine', 'network']),
    kit: list.describe('Files'),
  }),
  'site-status': z.object({
    live: publicationRecord.nullable(),
    held: z.boolean(),
    leftSince: instant.nullable(),
    withheld: list,
    decision: decision.nullable(),
    inbox: z.enum(['empty', 'live', 'waiting', 'rejected', 'refused']),
    waiting: review.nullable(),
    refused: z.object({ code: z.string(), message: z.string() }).nullable(),
    logs: z
      .object({
        readAt: instant.nullable(),
        lines: z.number(),
        disk: diskUse,
      })
      .nullable(),
    warnings: list,
  }),
  accept: z.union([
    z.object({ result: z.literal('nothing-new'), release: releaseNumber }),
    z.object({
      result: z.literal('left-to-the-manager'),
      release: releaseNumber,
      reasons: list,
      review: review.optional(),
    }),
    z.object({ result: z.literal('live'), ...wentLive, review: review.optional() }),
    z
      .object({ result: z.literal('handed-over'), release: releaseNumber, review: review.optional() })
      .describe('Decided; the main site publishes it'),
  ]),
  policy: z.object({
    partner: z.string(),
    maxChanged: z.number().nullable().describe('null for any number'),
    maxRemoved: z.number().nullable().describe('null for any number'),
    from: instant,
    until: instant,
  }),
  reject: z.object({ release: releaseNumber, releaseDigest: sha256, seq: z.number(), reason: z.string() }),
  withhold: z.object({ path: z.string(), withheld: z.boolean(), ...wentLive, strayLinks }),
  merge: z.object({ ...wentLive, strayLinks }),
  resume: z.object(wentLive),
  verify: z.object({
    publication: z.number().nullable(),
    release: namedRelease.nullable(),
    undecided: z
      .object({ release: namedRelease.nullable() })
      .nullable()
      .describe('With publisher: main, what its records say is live though nobody here decided on it'),
    differences: z.array(
      z.object({
        kind: z.enum(['changed', 'missing', 'extra', 'wrong-kind', 'unlike-original']),
        path: z.string().describe('From the web root'),
        found: z.enum(['folder', 'file', 'link', 'other', 'unnamable']).optional(),
      }),
    ),
    kept: list.describe('Files under the mount that the manager keeps'),
    deadLinks: z
      .array(
        z.object({
          kind: z.enum(['link', 'anchor', 'file', 'id']),
          path: z.string(),
          line: z.number(),
          column: z.number(),
          address: z.string(),
          message: z.string(),
        }),
      )
      .nullable()
      .describe('null without --links'),
  }),
  rollback: z.object({
    publication: z.number(),
    live: z.number().describe('The publication that is live: the same one, or a new one with its content'),
    altered: list,
    unpruned,
    release: namedRelease.nullable(),
    receipt: receiptState,
  }),
  leave: z.union([
    z.object({ result: z.enum(['left-already', 'came-back']), since: instant }),
    z.object({
      result: z.literal('left'),
      publication: z.number(),
      removed: list,
      restored: list,
      pages: pageCounts,
      unpruned,
      receipt: receiptState,
    }),
  ]),
  redirects: z.object({
    release: releaseNumber,
    server: z.enum(['nginx', 'apache', 'caddy']),
    redirects: z.array(z.object({ from: z.string(), to: z.string() })),
    rules: z.string().describe('For the configuration of the web server'),
  }),
  history: z.object({
    publications: z.array(publicationRecord).optional().describe('At the partner'),
    actions: z.array(historyEntry),
    faults: list.describe('Where the chain of actions is broken'),
  }),
  'site-keys': z.object({
    keys: z.array(
      z.object({
        role: z.enum(['accept', 'site', 'log']),
        name: z.string(),
        vkey: z.string(),
        replaced: z.number().describe('How many keys it has replaced'),
        here: z.boolean().describe('Whether the secret half can be found here'),
        state: z.string(),
        fault: z.string().nullable(),
      }),
    ),
  }),
  'site-keys-rotate': z.object({
    name: z.string(),
    seq: z.number(),
    words: list.nullable(),
    digest: sha256.nullable(),
    epoch: z
      .union([z.number(), z.literal('needed')])
      .nullable()
      .describe('Of the logs'),
  }),
};
