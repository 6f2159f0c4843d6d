/**
 * A backup of keys in one file: the sealed key files as they are, and the roots of all partners, without which a master is
 * of little use. It opens nothing by itself: whoever finds it still needs the password.
 */
import { z } from 'zod';
import { TieupError } from '../errors.ts';
import { isInstant } from './instant.ts';
import { PARTNER_ID } from './names.ts';

export interface KeyBackup {
  readonly site: string;
  readonly created: string;
  /** PEM by name of the key, sealed. */
  readonly keys: Readonly<Record<string, string>>;
  /** Root metadata by partner, each as text by version. */
  readonly roots: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export const MAX_KEY_BACKUP = 256 * 1024 * 1024;

const TYPE = 'tieup-key-backup/1';
const schema = z.strictObject({
  type: z.literal(TYPE),
  site: z.string().max(2000),
  created: z.string().refine(isInstant, { message: 'not an instant such as 2026-11-23T22:00:00Z' }),
  keys: z.record(z.string().regex(/^[a-z0-9-]{1,60}$/), z.string().max(16 * 1024)),
  roots: z.record(
    z.string().regex(PARTNER_ID),
    z.record(z.string().regex(/^[1-9]\d{0,8}$/), z.string().max(512 * 1024)),
  ),
});

export function renderKeyBackup(backup: KeyBackup): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ type: TYPE, ...backup }, undefined, 1)}\n`);
}

/** @throws TIEUP_E_VERIFY when the bytes are no backup. */
export function parseKeyBackup(bytes: Uint8Array): KeyBackup {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // Without the cause: the message of JSON.parse quotes the text.
    throw new TieupError('TIEUP_E_VERIFY', 'the backup cannot be read as JSON');
  }
  const decoded = schema.safeParse(value);
  if (!decoded.success)
    throw new TieupError('TIEUP_E_VERIFY', `the backup is malformed: ${z.prettifyError(decoded.error)}`);
  const { type: _, ...backup } = decoded.data;
  return backup;
}
