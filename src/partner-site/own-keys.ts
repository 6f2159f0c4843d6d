/**
 * This site's own keys: which of them are in use, and the public halves of all that ever were. One file of the state,
 * replaced as a whole, so that a crash leaves the keys of before or those of after.
 */
import { z } from 'zod';
import { TieupError } from '../errors.ts';
import type { KeyName } from '../io/keys.ts';
import { readIfThere } from '../io/read-if-there.ts';
import type { NoteKey } from '../protocol/note.ts';
import { parseVkey, renderVkey, type VerifierKey, verifierKey } from '../protocol/vkey.ts';
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

/**
 * Signs notes with the key of `role` that is in use.
 * @throws TIEUP_E_KEY also when the key that was found is another one: the main site would not know its signature
 */
export async function ownSigner(site: PartnerSite, role: OwnRole): Promise<NoteKey> {
  const rotated = await readRotated(site);
  const name = ownKeyName(role, rotated?.generations[role] ?? 1);
  const signer = await namedSigner(site, role, name);
  const { publicKey } = await ownKey(site, role);
  if (Buffer.compare(publicKey, signer.publicKey) === 0) return signer;
  throw new TieupError('TIEUP_E_KEY', `the key that was found as "${name}" is not the ${role} key of this site`, {
    hint: 'see tieup keys for the one in use; tieup keys rotate puts another one in its place',
  });
}

/** Signs notes as `role` with the key `name`, which need not be in use. @throws TIEUP_E_KEY, TIEUP_E_PASSWORD. */
export async function namedSigner(
  { keys, config }: Pick<PartnerSite, 'keys' | 'config'>,
  role: OwnRole,
  name: KeyName,
): Promise<NoteKey> {
  const { publicKey, sign } = await keys.signer(name);
  return { ...verifierKey(partnerKeyName(config.partner, role), publicKey), sign };
}

/** The public half of the key in use; kept beside the secret, so that no password is asked for to verify. */
export async function ownKey(site: PartnerSite, role: OwnRole): Promise<VerifierKey> {
  const rotated = await readRotated(site);
  if (rotated !== undefined) return parseVkey(rotated.vkeys[role]);
  const line = await readIfThere(site.state, `keys/${role}.vkey`, 4096);
  if (line !== undefined) return parseVkey(new TextDecoder().decode(line).trimEnd());
  return parseVkey(renderVkey(partnerKeyName(site.config.partner, role), (await site.keys.signer(role)).publicKey));
}

/** The key in use and all that it replaced: for what this site signed itself, years ago. */
export async function ownKeysEver(site: PartnerSite, role: OwnRole): Promise<readonly VerifierKey[]> {
  const rotated = await readRotated(site);
  return [await ownKey(site, role), ...(rotated?.retired[role] ?? []).map(parseVkey)];
}
