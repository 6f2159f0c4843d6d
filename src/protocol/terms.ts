/**
 * `partnership.json`: the terms in force, a TUF target of every release, and the body of an invitation.
 * Changed terms need the manager; their digest stands in every decision.
 */
import { z } from 'zod';
import { TieupError } from '../errors.ts';
import { isInstant } from './instant.ts';
import { MOUNT, PARTNER_ID } from './names.ts';

/** What the partner lets the main site's pages do; everything is off unless stated. */
export interface ContentPolicy {
  /** Scripts in pages or as files: none, files of the release itself, or also remote ones (which need subresource integrity). */
  readonly scripts: 'none' | 'own' | 'remote';
  /** Origins from which pages may load pictures, styles, fonts and frames: `https://cdn.example`. */
  readonly remoteOrigins: readonly string[];
  readonly serviceWorkers: boolean;
  /** What search engines are told about the copies. */
  readonly search: 'canonical-to-main' | 'noindex' | 'own';
}

/**
 * Who carries out the update of the live tree: the partner, when its manager accepts, or the main site itself over SFTP, once the
 * manager's signed decision is in the outbox.
 */
export const PUBLISHERS = ['partner', 'main'] as const;
export type Publisher = (typeof PUBLISHERS)[number];

export interface Terms {
  readonly partner: string;
  readonly main: { readonly name: string; readonly url: string };
  /** First and last instant of the contract; `until` null when it is open. */
  readonly period: { readonly from: string; readonly until: string | null };
  /** Where tie-up pages live at the partner: `/with-main/`. */
  readonly mount: string;
  /** Who carries out the update of the live tree. */
  readonly publisher: Publisher;
  readonly policy: ContentPolicy;
  readonly services: readonly string[];
  /** Name and SHA-256 of the tariff of the partnership handling fee; null when there is none. */
  readonly tariff: { readonly name: string; readonly digest: string } | null;
}

export const MAX_TERMS_JSON = 256 * 1024;

const time = z.string().refine(isInstant, { message: 'not an instant such as 2026-11-23T22:00:00Z' });

const termsSchema: z.ZodType<Terms> = z.strictObject({
  partner: z.string().regex(PARTNER_ID),
  main: z.strictObject({ name: z.string().min(1).max(200), url: z.url({ protocol: /^https?$/ }).max(2000) }),
  period: z.strictObject({ from: time, until: time.nullable() }),
  mount: z.string().regex(MOUNT).max(200),
  publisher: z.enum(PUBLISHERS),
  policy: z.strictObject({
    scripts: z.enum(['none', 'own', 'remote']),
    remoteOrigins: z.array(z.string().regex(/^https?:\/\/[^/\s]+$/)).max(100),
    serviceWorkers: z.boolean(),
    search: z.enum(['canonical-to-main', 'noindex', 'own']),
  }),
  services: z.array(z.string().regex(/^[a-z0-9-]{1,63}$/)).max(100),
  tariff: z.strictObject({ name: z.string().max(200), digest: z.string().regex(/^[0-9a-f]{64}$/) }).nullable(),
});

const TYPE = 'tieup-partnership/1';

/** The bytes to sign: indented JSON, because people read it. */
export function renderTerms(terms: Terms): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ type: TYPE, ...terms }, undefined, 2)}\n`);
}

/** @throws TIEUP_E_VERIFY when the bytes are not terms. */
export function parseTerms(bytes: Uint8Array): Terms {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new TieupError('TIEUP_E_VERIFY', 'partnership.json cannot be read as JSON', { cause });
  }
  const decoded = z.looseObject({ type: z.literal(TYPE) }).safeParse(value);
  if (!decoded.success) throw malformed(z.prettifyError(decoded.error));
  const { type: _, ...rest } = decoded.data;
  const terms = termsSchema.safeParse(rest);
  if (!terms.success) throw malformed(z.prettifyError(terms.error));
  return terms.data;
}

function malformed(why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `partnership.json is malformed: ${why}`);
}
