/** The fields that several configuration files share; every message continues a sentence that begins with the key. */
import { posix } from 'node:path';
import { z } from 'zod';
import { TieupError } from '../errors.ts';
import { MOUNT, PARTNER_ID } from '../protocol/names.ts';

export const partnerId = z
  .string()
  .regex(PARTNER_ID, { error: 'must consist of a-z, 0-9 and - only, with at most 63 characters' });

/** A name that people read, on one line. */
export const title = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, { error: 'must be one line without control characters' });

export const siteUrl = z
  .url({ protocol: /^https?$/, abort: true })
  .max(2000)
  .refine(isPlainAddress, { error: 'must be an address without user, query and fragment that ends with a slash' });

/**
 * The address of a site as somebody typed it, with the slash that ends it.
 * @throws TIEUP_E_CONFIG for everything that cannot stand in a configuration as {@link siteUrl}
 */
export function siteAddress(text: string): string {
  const url = text.endsWith('/') ? text : `${text}/`;
  if (/^https?:\/\/[^/]/i.test(url) && siteUrl.safeParse(url).success) return url;
  throw new TieupError('TIEUP_E_CONFIG', `${JSON.stringify(text)} is not the address of a site`, {
    hint: 'write it as https://shop.example/, without user, query and fragment',
  });
}

function isPlainAddress(text: string): boolean {
  if (!URL.canParse(text) || /[?#\s]/.test(text)) return false;
  const url = new URL(text);
  return url.username === '' && url.password === '' && text.endsWith('/');
}

export const mount = z
  .string()
  .max(200)
  .regex(MOUNT, { error: 'must be a path such as /with-main/, starting and ending with a slash' });

export const date = z.iso.date();

export const hostName = z
  .string()
  .max(255)
  .regex(/^[^\s/]+$/, { error: 'must be a host name such as www.example' });

export const vkey = z
  .string()
  .max(400)
  .regex(/^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+={0,2}$/, { error: 'must be a public key line: name+id+base64' });

export const hostKey = z.string().regex(/^(?:ssh|ecdsa)-[a-z0-9-]+ [A-Za-z0-9+/]+={0,2}(?: .*)?$/, {
  error: 'must be a host key line such as "ssh-ed25519 AAAA…"',
});

export const sftpUrl = z
  .string()
  .regex(/^sftp:\/\/(?:[A-Za-z0-9._+]|%40)(?:[A-Za-z0-9._+-]|%40)*@[A-Za-z0-9.:[\]-]+(?:\/\S*)?$/, {
    error:
      'must be an address such as sftp://user@host:22/path, with a user name of letters, digits and . _ + - alone, without a password',
  });

/** A folder, absolute or relative to the one that tieup.yaml is in; a slash at its end does not matter. */
export const folder = z
  .string()
  .min(1)
  .max(1000)
  .regex(/^[^\p{Cc}\\]*$/u, { error: 'must be written with slashes and without control characters' })
  .overwrite((path) => posix.normalize(path).replace(/(?<=.)\/$/, ''));

/** BCP 47, as far as `<html lang>` needs it. */
export const language = z
  .string()
  .max(50)
  .regex(/^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$/, { error: 'must be a language such as en' });

/** What pages and templates may use as variables; `taken` are the names that mean something already. */
export function values(taken: readonly string[]) {
  return z.record(variableName(taken), z.string().max(10_000)).default({});
}

/** Pictures by the names of variables: plain file names of the formats that pages can show. */
export function images(taken: readonly string[]) {
  const file = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}\.(?:svg|png|jpe?g|webp|avif|gif)$/, {
    error: 'must be the name of a picture such as logo.svg, in the folder of the partner',
  });
  return z.record(variableName(taken), file).default({});
}

function variableName(taken: readonly string[]) {
  return z
    .string()
    .regex(/^[a-z][A-Za-z0-9_-]{0,62}$/, { error: 'is not a variable name: use letters, digits, - and _' })
    .refine((name) => !taken.includes(name), { error: 'is a variable that tieup sets itself: choose another name' });
}
