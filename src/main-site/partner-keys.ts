/**
 * The keys of one partner's repository: derived from masters, so that no two partners share one (design, 4.1).
 *
 * A stolen or lost master is cured by a new master alone: `release-2` after `release`. A new epoch would be no cure, because
 * whoever has the master derives every epoch. Which master signs for a partner is what its newest root says: each master
 * that is here is tried, the newest first, and nothing is ever signed with a key that the root does not name.
 */
import { TieupError } from '../errors.ts';
import type { KeyName, KeyStore } from '../io/keys.ts';
import { deriveSeed, type Role } from '../protocol/derive.ts';
import { publicKeyOf } from '../protocol/ed25519.ts';
import { tufKeyId } from '../protocol/tuf-metadata.ts';
import type { MainSite } from './main-site.ts';
import { newestRoot, type PartnerRoot } from './root-store.ts';

export interface PartnerRole {
  readonly partner: string;
  /** Of the derivation: renews one partner's keys while the masters stay. */
  readonly epoch: number;
}

/** Masters of which the main site has one at a time. */
export type SingleMaster = 'release' | 'online';

/** `targets` and `online` keys have one holder. */
const HOLDER = 'main';

const ROLE_OF: Readonly<Record<SingleMaster, Role>> = { release: 'targets', online: 'online' };

export interface ReleaseSeeds {
  readonly targets: Uint8Array;
  /** Signs snapshot and timestamp. */
  readonly online: Uint8Array;
}

/** The key that signs snapshot and timestamp. @throws TIEUP_E_KEY when it is not here. */
export async function onlineSeed(site: MainSite, role: PartnerRole): Promise<Uint8Array> {
  return seedNamedBy(site, await newestRoot(site, role.partner), 'online', role);
}

/** What a push needs. @throws TIEUP_E_KEY when one of them is not here. */
export async function releaseSeeds(site: MainSite, role: PartnerRole): Promise<ReleaseSeeds> {
  const root = await newestRoot(site, role.partner);
  const targets = await seedNamedBy(site, root, 'release', role);
  return { targets, online: await seedNamedBy(site, root, 'online', role) };
}

async function seedNamedBy(
  { keys }: MainSite,
  root: PartnerRoot,
  master: SingleMaster,
  role: PartnerRole,
): Promise<Uint8Array> {
  const named = master === 'release' ? root.keyIds.targets : root.keyIds.timestamp;
  const names = await mastersOf(keys, master);
  for (const name of names) {
    const seed = await singleSeed(keys, master, name, role);
    if (named.includes(keyIdOf(seed))) return seed;
  }
  const tried = names.length === 0 ? 'there is none here' : `${names.join(' and ')} here is not it`;
  throw new TieupError('TIEUP_E_KEY', `root ${root.version} of ${role.partner} names another ${master} key: ${tried}`, {
    hint: `bring the newest ${master} master here (TIEUP_KEY_${master.toUpperCase()} in CI), or finish what tieup keys rotate began`,
  });
}

/** The masters of a kind that are here, the newest first. */
export async function mastersOf(keys: KeyStore, master: SingleMaster): Promise<readonly KeyName[]> {
  return newestFirst(keys, master);
}

async function newestFirst(keys: KeyStore, base: SingleMaster | 'document' | 'ssh'): Promise<readonly KeyName[]> {
  const generations = (await keys.names()).flatMap((name) => {
    const generation = generationOf(name, base);
    return generation === undefined ? [] : [{ name, generation }];
  });
  return generations.toSorted((a, b) => b.generation - a.generation).map(({ name }) => name);
}

/** The newest key for invitations and the like. */
export async function documentKey(keys: KeyStore): Promise<KeyName> {
  return (await newestFirst(keys, 'document'))[0] ?? 'document';
}

/** The key that logs in at partners, or takes the place of the one that does. */
export async function sshKey(keys: KeyStore): Promise<KeyName> {
  return (await newestFirst(keys, 'ssh'))[0] ?? 'ssh';
}

/** 1 for `release`, 3 for `release-3`; undefined for the name of another key. */
export function generationOf(name: string, base: string): number | undefined {
  if (name === base) return 1;
  const [, number] = name.startsWith(`${base}-`)
    ? (/^([2-9]|[1-9]\d{1,5})$/.exec(name.slice(base.length + 1)) ?? [])
    : [];
  return number === undefined ? undefined : Number(number);
}

/** A partner's key out of the master `name`. */
export async function singleSeed(
  keys: KeyStore,
  master: SingleMaster,
  name: KeyName,
  { partner, epoch }: PartnerRole,
): Promise<Uint8Array> {
  return deriveSeed(await keys.load(name), ROLE_OF[master], HOLDER, partner, epoch);
}

/** Where a holder's root master is kept: `root` for `main`, `root-alice` for alice. */
export function rootKeyName(holder: string): KeyName {
  return holder === 'main' ? 'root' : `root-${holder}`;
}

/** The holders whose root masters are here. */
export async function rootHolders(keys: KeyStore): Promise<readonly string[]> {
  return (await keys.names()).flatMap((name) => {
    if (name === 'root') return ['main'];
    return name.startsWith('root-') ? [name.slice('root-'.length)] : [];
  });
}

/** A partner's root key of one holder. */
export async function rootSeed(keys: KeyStore, holder: string, { partner, epoch }: PartnerRole): Promise<Uint8Array> {
  return deriveSeed(await keys.load(rootKeyName(holder)), 'root', holder, partner, epoch);
}

export function keyIdOf(seed: Uint8Array): string {
  return tufKeyId(publicHex(seed));
}

export function publicHex(seed: Uint8Array): string {
  return Buffer.from(publicKeyOf(seed)).toString('hex');
}
