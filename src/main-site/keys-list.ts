/** The keys of a main site at a glance: where they are, what they do, and how long what they sign will last. */
import type { KeyShelf, ShelfKey } from '../io/key-shelf.ts';
import type { KeyName } from '../io/keys.ts';
import { publicKeyOf } from '../protocol/ed25519.ts';
import { fingerprint } from '../protocol/vkey.ts';
import type { MainSite } from './main-site.ts';
import { documentKey, generationOf, mastersOf, rootKeyName, sshKey } from './partner-keys.ts';
import { loadPartnerships } from './partnerships.ts';
import { findRoot } from './root-store.ts';

export interface ListedKey {
  readonly name: KeyName;
  readonly role: string;
  /** Below the folder of keys, or a variable. */
  readonly where: string;
  readonly state: ShelfKey['state'] | 'variable';
  readonly fault: string | null;
  /** SHA-256 of the public key; null while it is sealed. */
  readonly fingerprint: string | null;
  /** False for what a rotation has replaced. */
  readonly current: boolean;
  /** When the first root that it has signed, or that names it, runs out; null when it signs none. */
  readonly expires: string | null;
}

/** @param open opens sealed keys as well, to show their fingerprints; asks for the password. */
export async function listKeys(site: MainSite, shelf: KeyShelf, open: boolean): Promise<readonly ListedKey[]> {
  const files = await shelf.list();
  const expires = await firstExpiry(site);
  const current = await currentKeys(site);
  const rows: ListedKey[] = [];
  for (const name of await site.keys.names()) {
    const file = files.find((each) => each.name === name);
    const seed = open && name.split('-')[0] !== 'ssh' ? await site.keys.load(name) : (file?.seed ?? null);
    const isMaster = !/^(?:document|ssh)(?:-|$)/.test(name);
    rows.push({
      name,
      role: roleOf(name),
      where:
        file === undefined
          ? `TIEUP_KEY_${name.toUpperCase().replaceAll('-', '_')}`
          : `${site.config.folders.keys}/${name}.key`,
      state: file?.state ?? 'variable',
      fault: file?.fault ?? null,
      fingerprint: seed === null ? null : fingerprint(publicKeyOf(seed)),
      current: current.has(name),
      expires: isMaster && current.has(name) ? expires : null,
    });
  }
  return rows;
}

async function currentKeys({ keys, config }: MainSite): Promise<ReadonlySet<KeyName>> {
  const current = new Set<KeyName>([
    ...config.roots.holders.map(rootKeyName),
    await documentKey(keys),
    await sshKey(keys),
  ]);
  for (const master of ['release', 'online'] as const) {
    const [newest] = await mastersOf(keys, master);
    if (newest !== undefined) current.add(newest);
  }
  return current;
}

async function firstExpiry(site: MainSite): Promise<string | null> {
  const dates: string[] = [];
  for (const { id, status } of await loadPartnerships(site)) {
    const root = status === 'ended' ? undefined : await findRoot(site, id);
    if (root !== undefined) dates.push(root.expires);
  }
  return dates.toSorted()[0] ?? null;
}

function roleOf(name: KeyName): string {
  if (generationOf(name, 'release') !== undefined) return 'signs releases';
  if (generationOf(name, 'online') !== undefined) return 'signs snapshots and timestamps';
  if (name.startsWith('root')) return 'signs roots, which name all other keys';
  if (name.startsWith('document')) return 'signs invitations';
  return name.startsWith('ssh') ? 'logs in to partners' : 'unknown to tieup';
}
