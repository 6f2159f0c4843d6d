/** Documents of commands at the main site. */
import { z } from 'zod';
import {
  changes,
  decision,
  diskUse,
  receipt,
  failed,
  fault,
  instant,
  keyName,
  list,
  problem,
  releaseNumber,
  sha256,
} from './parts.ts';
import { partnership } from './terms.ts';

const partnerState = z.enum([
  'never',
  'pending',
  'accepted',
  'live',
  'rejected',
  'failed',
  'drifted',
  'held',
  'left',
  'suspended',
  'ended',
  'expired',
]);

/** As `status --cached` has it. */
const standing = {
  state: partnerState.optional().describe('Where the partner stands, by what this machine knows'),
  detail: z.string().nullable().optional().describe('What the state does not say'),
  live: releaseNumber.nullable().optional().describe('By the partner’s last receipt that was seen'),
};

const passedOver = z
  .array(z.object({ partner: z.string(), why: z.string() }))
  .describe('Partners that nothing was done for, and are no failures');

const planned = z.object({
  partner: z.string(),
  result: z.enum(['changes', 'unchanged']),
  base: releaseNumber.nullable().describe('The release that it changes; null for the first'),
  next: releaseNumber,
  ...changes,
  scheduled: z
    .array(
      z.object({
        source: z.string(),
        title: z.string(),
        state: z.enum(['published', 'upcoming', 'over']),
        from: instant.nullable(),
        until: instant.nullable(),
      }),
    )
    .describe('Pages that come or go by date'),
});

/** Fields beside the first four are there where they apply. */
const pushed = z.object({
  partner: z.string(),
  result: z.enum(['pushed', 'repaired', 'unchanged']),
  release: releaseNumber,
  releaseDigest: sha256,
  warnings: z
    .array(fault.extend({ kind: z.enum(['answer', 'tidying', 'publication']) }))
    .describe('What went wrong beside the push'),
  added: changes.added.optional(),
  changed: changes.changed.optional(),
  removed: changes.removed.optional(),
  unchanged: changes.unchanged.optional(),
  sentObjects: z.number().optional(),
  sentBytes: z.number().optional(),
  ...standing,
  answer: z
    .enum(['live', 'rejected', 'waited-too-long', 'failed'])
    .optional()
    .describe('With --wait; with --canary also a rejection that was there'),
  reason: z.string().nullable().optional().describe('Of a rejection'),
  error: fault.optional().describe('Why the answer could not be read'),
});

const proven = z.object({
  partner: z.string(),
  path: z.string().describe('From the web root'),
  source: z.string(),
  release: releaseNumber,
  since: releaseNumber.describe('In which the page changed last'),
  constantDigest: sha256.describe('Of what is the same for every partner, a NUL byte in place of each hole'),
  constantLength: z.number().describe('Bytes'),
  holes: z.array(z.object({ name: z.string(), value: z.string() })).describe('What was filled in for this partner'),
  slots: list,
  isAsSigned: z.boolean(),
  signedDigest: sha256,
  found: z
    .object({
      from: z.string(),
      length: z.number(),
      digest: sha256,
      isEqual: z.boolean(),
      difference: z
        .object({ kind: z.literal('different'), part: z.string(), line: z.number(), column: z.number() })
        .nullable(),
      slots: z.array(z.object({ name: z.string(), isFilled: z.boolean(), length: z.number() })),
      unclean: list.describe('Slots that hold what tieup would not have put there'),
    })
    .nullable()
    .describe('The copy that was looked at; null without --live, --url or --file'),
});

const root = z.object({ partner: z.string(), version: z.number() });

export const MAIN_SITE_DOCUMENTS = {
  build: z.object({
    out: z.string().nullable(),
    partners: z.array(
      z.object({
        partner: z.string(),
        mount: z.string(),
        pages: z.number(),
        files: z.number(),
        bytes: z.number(),
        written: z.number().describe('Files that were not there as they are'),
        removed: z.number().describe('Files of an earlier build'),
      }),
    ),
    explained: z.array(
      z.object({
        partner: z.string(),
        path: z.string(),
        source: z.string(),
        reason: z.enum(['new', 'gone', 'touched', 'content', 'filled', 'same']),
        includes: list.describe('Files that its text takes in'),
      }),
    ),
    gone: z
      .array(z.object({ partner: z.string(), removed: z.number(), left: z.number().describe('Changed by somebody') }))
      .describe('Partners that there are no more, and what earlier builds wrote for them'),
    warnings: z.array(problem),
    findings: z
      .array(
        problem.extend({
          kind: z.enum(['link', 'anchor', 'file', 'id']),
          address: z.string(),
          published: list.describe('Where it was found, once for each partner'),
        }),
      )
      .nullable()
      .describe('null without --check'),
  }),
  preview: z.object({ url: z.string() }),
  plan: z.object({ partners: z.array(z.union([failed, planned])), passedOver, warnings: z.array(problem) }),
  push: z.object({
    partners: z.array(z.union([failed, pushed])),
    heldBack: list.describe('Not tried, because --canary did not go well'),
    passedOver: z
      .array(
        z.object({ partner: z.string(), why: z.string(), pushed: releaseNumber.nullable().optional(), ...standing }),
      )
      .describe('Partners that nothing was done for, and are no failures'),
    warnings: z.array(problem),
  }),
  status: z.object({
    partners: z
      .array(
        z.object({
          partner: z.string(),
          state: partnerState,
          pushed: releaseNumber.nullable(),
          pushedAt: instant.nullable(),
          live: releaseNumber.nullable().describe('By the partner’s last receipt that was seen'),
          decision: decision.nullable().optional().describe('The last one that was seen'),
          receipt: receipt.nullable().optional().describe('The last one that was seen'),
          detail: z.string().nullable(),
          lastContact: instant.nullable(),
          next: z.string().nullable().describe('The command that brings it on'),
          refreshed: z.boolean().describe('False when the partner could not be asked'),
          warnings: list,
        }),
      )
      .describe('Worst first'),
    tally: z.record(z.string(), z.number()).describe('How many partners are in each state'),
    nextChange: instant.nullable().describe('When pages come or go by date next'),
    disk: diskUse.nullable().describe('What .tieup keeps'),
    warnings: list,
  }),
  refresh: z.object({
    partners: z.array(
      z.union([
        failed,
        z.object({
          partner: z.string(),
          result: z.literal('refreshed'),
          release: releaseNumber,
          until: instant.describe('How long the partner takes it for fresh'),
          releaseUntil: instant,
          releaseHalfOver: z.boolean(),
        }),
        z.object({ partner: z.string(), result: z.literal('skipped'), why: z.string() }),
      ]),
    ),
  }),
  proof: proven,
  unlock: z.object({
    partner: z.string(),
    holder: z
      .object({
        until: instant,
        who: z.string(),
        id: z.string(),
        host: z.string(),
        pid: z.number(),
        processes: z.string().optional(),
      })
      .nullable()
      .describe('null when it was not locked'),
  }),
  invite: z.object({
    partner: z.string(),
    file: z.string(),
    kit: z.string().nullable(),
    until: instant,
    words: list.describe('Six words to read out'),
    digest: sha256,
  }),
  enroll: z.object({
    partner: z.string(),
    name: z.string(),
    sftp: z.string(),
    url: z.string(),
    hostKeyFingerprints: list,
  }),
  partners: z.object({ partners: z.array(partnership) }),
  partner: partnership,
  keys: z.object({
    keys: z.array(
      z.object({
        name: keyName,
        role: z.string(),
        where: z.string().describe('Below the folder of keys, or a variable'),
        state: z.enum(['sealed', 'plain', 'variable', 'agent', 'unusable']),
        fault: z.string().nullable(),
        fingerprint: z.string().nullable(),
        current: z.boolean().describe('False for what a rotation has replaced'),
        expires: instant.nullable().describe('When the first root that it signs runs out'),
      }),
    ),
  }),
  'keys-create': z.object({ name: keyName, folder: z.string() }),
  'keys-rotate': z.object({
    made: keyName.nullable(),
    roots: z.array(root),
    request: z.string().nullable().describe('The file that other holders must sign'),
  }),
  'keys-rotate-ssh': z.object({
    kind: z.enum(['begun', 'waiting', 'done']),
    line: z.string().describe('For authorized_keys'),
    partners: z.array(
      z.object({
        partner: z.string(),
        state: z.enum(['invited', 'new', 'old', 'both', 'neither', 'unreachable']).describe('Which keys it lets in'),
        detail: z.string().nullable(),
      }),
    ),
  }),
  'keys-sign': z.object({ file: z.string(), missing: list, digest: sha256.nullable(), complete: z.boolean() }),
  'keys-apply': z.object({ roots: z.array(root) }),
  'keys-backup': z.object({ file: z.string(), keys: z.array(keyName), leftOut: z.array(keyName), roots: z.number() }),
  'keys-restore': z.object({ keys: z.array(keyName), roots: list, unchanged: z.number() }),
  'keys-trust': z.object({ partner: z.string(), accept: z.string() }),
};
