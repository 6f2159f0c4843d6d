/**
 * This site's own keys: which of them are in use, and the public halves of all that ever were. One file of the state,
 * replaced as a whole, so that a crash leaves the keys of before or those of after.
 */
import { z } from 'zod';
import { TieupError } from '../errors.ts';
import type { KeyName } from '../io/keys.ts';
import { readIfThere } from '../io/read-if-there.ts';
import { publicKeyOf } from '../protocol/ed25519.ts';
import { noteSigner, type NoteSigner } from '../protocol/note.ts';
import { parseVkey, renderVkey, type VerifierKey } from '../protocol/vkey.ts';
import type { PartnerSite } from './partner-site.ts';

export type OwnRole = 'accept' | 'site' | 'log';

export const OWN_ROLES: readonly OwnRole[] = ['accept', 'site', 'log'];

/** How often each key was replaced, and by what. */
export interface RotatedKeys {
  /** Number of the statement in the outbox; 0 before the first rotation. */
  readonly seq: number;
  /** 1 for the key that `join` made. */
  readonly generations: Readonly<Record<OwnRole, number>>;
  /** Vkey lines of the keys in use. */
  readonly vkeys: Readonly<Record<OwnRole, string>>;
  /** Vkey lines of keys that were replaced: what they signed stays valid here. */
  readonly retired: Readonly<Record<OwnRole, readonly string[]>>;
  /** The signed statement, as text; null before the first rotation. */
  readonly note: string | null;
}

const FILE = 'keys/rotated.json';
const MAX_FILE = 1024 * 1024;

const perRole = <Item extends z.ZodType>(item: Item) => z.strictObject({ accept: item, site: item, log: item });
const schema: z.ZodType<RotatedKeys> = z.strictObject({
  seq: z.number().int().min(0),
  generations: perRole(z.number().int().min(1)),
  vkeys: perRole(z.string()),
  retired: perRole(z.array(z.string())),
  note: z.string().nullable(),
});

/** The name of a partner's key, as it stands in vkeys and notes. */
export function partnerKeyName(partner: string, role: OwnRole): string {
  return `${partner}/${role}`;
}

/** @throws TIEUP_E_FAILED when the file is damaged. */
export async function readRotated(site: PartnerSite): Promise<RotatedKeys | undefined> {
  const bytes = await readIfThere(site.state, FILE, MAX_FILE);
  if (bytes === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new TieupError('TIEUP_E_FAILED', `${FILE} in the state folder is damaged`, {
      hint: 'take it from a backup of the state folder',
      cause,
    });
  }
}

export async function writeRotated(site: PartnerSite, rotated: RotatedKeys): Promise<void> {
  await site.state.write(FILE, Buffer.from(`${JSON.stringify(rotated, undefined, 2)}\n`));
}

/** `accept` for the first, `accept-2` for the one that took its place. */
export function ownKeyName(role: OwnRole, generation: number): KeyName {
  return generation === 1 ? role : `${role}-${generation}`;
}

/** Signs notes with the key of `role` that is in use. @throws TIEUP_E_KEY, TIEUP_E_PASSWORD. */
export async function ownSigner(site: PartnerSite, role: OwnRole): Promise<NoteSigner> {
  const rotated = await readRotated(site);
  const seed = await site.keys.load(ownKeyName(role, rotated?.generations[role] ?? 1));
  return noteSigner(partnerKeyName(site.config.partner, role), seed);
}

/** The public half of the key in use; kept beside the secret, so that no password is asked for to verify. */
export async function ownKey(site: PartnerSite, role: OwnRole): Promise<VerifierKey> {
  const rotated = await readRotated(site);
  if (rotated !== undefined) return parseVkey(rotated.vkeys[role]);
  const line = await readIfThere(site.state, `keys/${role}.vkey`, 4096);
  if (line !== undefined) return parseVkey(new TextDecoder().decode(line).trimEnd());
  return parseVkey(renderVkey(partnerKeyName(site.config.partner, role), publicKeyOf(await site.keys.load(role))));
}

/** The key in use and all that it replaced: for what this site signed itself, years ago. */
export async function ownKeysEver(site: PartnerSite, role: OwnRole): Promise<readonly VerifierKey[]> {
  const rotated = await readRotated(site);
  return [await ownKey(site, role), ...(rotated?.retired[role] ?? []).map(parseVkey)];
}
