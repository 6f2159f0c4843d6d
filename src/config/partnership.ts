/** `partners/<id>.yaml` of a main site: one contract, and what is known of the other party. */
import { z } from 'zod';
import { isInstant } from '../protocol/instant.ts';
import { MAX_DEMAND } from '../protocol/log-demand.ts';
import { PUBLISHERS, type ContentPolicy, type Publisher, type Terms } from '../protocol/terms.ts';
import { decodeYaml } from './document.ts';
import {
  date,
  folder,
  hostKey,
  hostName,
  images,
  mount,
  partnerId,
  sftpUrl,
  siteUrl,
  title,
  values,
  vkey,
} from './fields.ts';
import { scheduleSchema, type Schedule } from './schedule.ts';
import type { MainSiteConfig } from './main-site.ts';

export type PartnershipStatus = 'invited' | 'active' | 'suspended' | 'ended';

export interface Partnership {
  readonly id: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly status: PartnershipStatus;
  /** The last day of a suspension, `YYYY-MM-DD`. */
  readonly suspendedUntil?: string | undefined;
  /** Why it is suspended, in one line. */
  readonly suspendedFor?: string | undefined;
  /** First and last day of the contract, `YYYY-MM-DD`; `until` null when it is open. */
  readonly period: { readonly from: string; readonly until: string | null };
  /** Where tie-up pages live at the partner: `/with-main/`. */
  readonly mount: string;
  /** The partner's site; ends with a slash. */
  readonly url: string;
  readonly publisher: Publisher;
  /** Where the main site publishes itself: the partner's site as the login of `sftp` sees it, below the path there or absolute. */
  readonly site?:
    | { readonly public: string; readonly original: string; readonly publish: 'link' | 'overwrite' }
    | undefined;
  readonly policy: ContentPolicy;
  readonly services: readonly string[];
  /** A name below `tariffs/`; null when no fee is due. */
  readonly tariff: string | null;
  /** `{{ partner.<name> }}` in pages and templates. */
  readonly values: Readonly<Record<string, string>>;
  /** Files in `partners/<id>/`, by the names under which pages show them: `{{ partner.logo }}`. */
  readonly images: Readonly<Record<string, string>>;
  /** Rises when the keys for this partner are renewed as a whole. */
  readonly epoch: number;
  /** The open invitation: vkey line that checks who answers, SHA-256 of its body, and until when it may be answered. */
  readonly invitation: { readonly answerKey: string; readonly digest: string; readonly until: string } | null;
  /** Where pushes go, and the `ssh-ed25519 AAAA…` lines that this server may show. */
  readonly sftp: PartnerSftp | null;
  /** The partner's public keys as vkey lines; null until it has joined. */
  readonly keys: { readonly accept: string; readonly site: string; readonly log: string } | null;
  /** Number of the partner's own statement of new keys which was taken in last. */
  readonly keysSeq?: number | undefined;
  /** When pages are brought to it; that of tieup.yaml unless given. */
  readonly schedule?: Schedule | undefined;
  /** How closely its access logs are looked at. */
  readonly logs: LogScrutiny;
}

export interface PartnerSftp {
  readonly url: string;
  readonly hostKeys: readonly string[];
  /** `ssh`: over the program of that name, with certificates, jump hosts and whatever else it can do. */
  readonly transport?: 'ssh' | undefined;
}

export interface LogScrutiny {
  /** More lines of an export than this share, in per cent, that cannot be read are a finding. */
  readonly maxUnreadablePercent: number;
  /** How many records that were only counted are asked for after an export; 0 asks for none. */
  readonly audit: number;
  /** Names of the partner's site beside that in `url`, which counts with and without `www.`. */
  readonly hosts: readonly string[];
}

const POLICY: ContentPolicy = {
  scripts: 'none',
  remoteOrigins: [],
  serviceWorkers: false,
  search: 'canonical-to-main',
};

const origin = z
  .string()
  .regex(/^https?:\/\/[^/\s?#@]+$/, { error: 'must be an origin such as https://cdn.example, without a path' });

const word = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, { error: 'must consist of a-z, 0-9 and -' });

const digest = z.string().regex(/^[0-9a-f]{64}$/, { error: 'must be 64 hexadecimal digits' });
const time = z.string().refine(isInstant, { error: 'must be a time such as 2026-11-23T22:00:00Z' });

export const partnershipSchema: z.ZodType<Partnership> = z
  .strictObject({
    id: partnerId,
    name: title.meta({ description: 'the name of the partner, as visitors read it' }),
    tags: z.array(word).max(100).default([]).meta({ description: 'pages choose partners by these' }),
    status: z.enum(['invited', 'active', 'suspended', 'ended']).default('invited'),
    suspendedUntil: date.optional().meta({ description: 'the last day of a suspension; tieup partner resume ends it' }),
    suspendedFor: title.optional().meta({ description: 'why it is suspended' }),
    period: z
      .strictObject({ from: date, until: date.nullable().default(null) })
      .refine(({ from, until }) => until === null || from <= until, {
        path: ['until'],
        error: 'must not be before the first day',
      })
      .meta({ description: 'first and last day of the contract' }),
    mount: mount.meta({ description: 'where tie-up pages live at the partner' }),
    url: siteUrl.meta({ description: "the partner's site" }),
    publisher: z
      .enum(PUBLISHERS)
      .default('partner')
      .meta({ description: 'who changes the live pages after a decision' }),
    site: z
      .strictObject({
        public: folder.meta({ description: 'the web root, absolute or from the path in sftp.url: ../public' }),
        original: folder.default('in-place').meta({ description: "the partner's own pages, or in-place" }),
        publish: z.enum(['link', 'overwrite']).default('overwrite'),
      })
      .refine(({ original, publish }) => original !== 'in-place' || publish === 'overwrite', {
        path: ['publish'],
        error: 'must be overwrite when the original pages are in place',
      })
      .optional()
      .meta({ description: "with publisher: main, the partner's site as the login sees it" }),
    policy: z
      .strictObject({
        scripts: z.enum(['none', 'own', 'remote']).default(POLICY.scripts),
        remoteOrigins: z.array(origin).max(100).default([]),
        serviceWorkers: z.boolean().default(POLICY.serviceWorkers),
        search: z.enum(['canonical-to-main', 'noindex', 'own']).default(POLICY.search),
      })
      .prefault({})
      .meta({ description: "what the main site's pages may do at the partner" }),
    services: z.array(word).min(1).max(100).default(['pages']),
    tariff: word.nullable().default(null).meta({ description: 'the tariff of the partnership handling fee' }),
    values: values(['id', 'name', 'url', 'mount', 'tags', 'values']).meta({
      description: '{{ partner.<name> }} in pages',
    }),
    images: images(['id', 'name', 'url', 'mount', 'tags', 'values']).meta({
      description: 'pictures in partners/<id>/; {{ partner.<name> }} is the address',
    }),
    epoch: z.int().min(1).default(1),
    invitation: z.strictObject({ answerKey: vkey, digest, until: time }).nullable().default(null),
    sftp: z
      .strictObject({
        url: sftpUrl,
        hostKeys: z.array(hostKey).min(1).max(20),
        transport: z
          .literal('ssh')
          .optional()
          .meta({ description: 'ssh: connect with the program ssh of this machine, for certificates and jump hosts' }),
      })
      .nullable()
      .default(null),
    keys: z.strictObject({ accept: vkey, site: vkey, log: vkey }).nullable().default(null),
    keysSeq: z.int().min(1).optional(),
    schedule: scheduleSchema
      .optional()
      .meta({ description: 'when tieup push --due brings pages; that of tieup.yaml unless given' }),
    logs: z
      .strictObject({
        maxUnreadablePercent: z
          .number()
          .min(0)
          .max(100)
          .default(1)
          .meta({ description: 'more unreadable lines than this are a finding' }),
        audit: z
          .int()
          .min(0)
          .max(MAX_DEMAND)
          .default(20)
          .meta({ description: 'how many records that were only counted are asked for after an export' }),
        hosts: z
          .array(hostName)
          .max(100)
          .default([])
          .meta({ description: "names of the partner's site beside the one in url" }),
      })
      .prefault({})
      .meta({ description: 'how closely the access logs are looked at' }),
  })
  .refine(({ values: texts, images: pictures }) => !Object.keys(pictures).some((name) => Object.hasOwn(texts, name)), {
    path: ['images'],
    error: 'must not have a name that is among the values',
  });

/** @throws TIEUP_E_CONFIG with every problem and its place. */
export function parsePartnership(text: string, file: string): Partnership {
  return decodeYaml(text, file, partnershipSchema);
}

/**
 * The terms which both parties sign: days become instants, the first and the last second of them in UTC.
 * @param tariffDigest SHA-256 of the tariff file; undefined exactly when the partnership names no tariff
 */
export function termsOf(partnership: Partnership, mainSite: MainSiteConfig, tariffDigest: string | undefined): Terms {
  const { id, period, tariff } = partnership;
  return {
    partner: id,
    main: { name: mainSite.site.name, url: mainSite.site.url },
    period: { from: `${period.from}T00:00:00Z`, until: period.until === null ? null : `${period.until}T23:59:59Z` },
    mount: partnership.mount,
    publisher: partnership.publisher,
    policy: partnership.policy,
    services: partnership.services,
    tariff: tariff === null || tariffDigest === undefined ? null : { name: tariff, digest: tariffDigest },
  };
}
