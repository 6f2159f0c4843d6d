/** Partnerships and their terms, in documents. */
import { z } from 'zod';
import { instant, list, sha256 } from './parts.ts';

export const contentPolicy = z.object({
  scripts: z.enum(['none', 'own', 'remote']),
  remoteOrigins: list.describe('Origins from which pages may load what is no script'),
  serviceWorkers: z.boolean(),
  search: z.enum(['noindex', 'canonical-to-main', 'own']).describe('What search engines are told about the copies'),
});

export const terms = z.object({
  partner: z.string(),
  main: z.object({ name: z.string(), url: z.string() }),
  period: z.object({ from: instant, until: instant.nullable() }),
  mount: z.string().describe('Where tie-up pages live: /with-main/'),
  publisher: z.string().describe('Who carries out the update of the live tree'),
  policy: contentPolicy,
  services: list,
  tariff: z.object({ name: z.string(), digest: sha256 }).nullable().describe('null when no fee is due'),
});

/** What the main site has recorded of one partner. */
export const partnership = z.object({
  id: z.string(),
  name: z.string(),
  tags: list,
  status: z.enum(['invited', 'active', 'suspended', 'ended']),
  inForce: z.boolean().describe('Whether a push would be made'),
  notInForce: z
    .object({
      kind: z.enum(['invited', 'suspended', 'ended', 'early', 'over']),
      message: z.string(),
      hint: z.string(),
    })
    .nullable(),
  suspendedUntil: z.string().nullable(),
  suspendedFor: z.string().nullable().describe('The reason'),
  invitation: z.object({ digest: z.string(), until: instant }).nullable().describe('The one that is open'),
  period: z.object({ from: z.string(), until: z.string().nullable() }).describe('Days: YYYY-MM-DD'),
  mount: z.string(),
  url: z.string(),
  publisher: z.string(),
  policy: contentPolicy,
  services: list,
  tariff: z.string().nullable(),
  values: z.record(z.string(), z.string()).describe('{{ partner.<name> }} in pages'),
  images: z.record(z.string(), z.string()),
  epoch: z.number().describe('Rises when all keys for this partner are renewed'),
  sftp: z.object({ url: z.string(), hostKeys: list }).nullable(),
  keys: z
    .object({ accept: z.string(), site: z.string(), log: z.string() })
    .nullable()
    .describe('The partner’s public keys, as vkey lines'),
  keysSeq: z.number().optional(),
  schedule: z.object({ at: z.string().describe('A cron pattern'), timezone: z.string(), quiet: list }).optional(),
  logs: z.object({ maxUnreadablePercent: z.number(), audit: z.number(), hosts: list }),
});
