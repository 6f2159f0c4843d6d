/** A main site in miniature: signs releases with seeded keys and lays them into an exchange. */
import type { FileTree } from '../../src/io/file-tree.ts';
import { memoryTree } from '../../src/io/memory-tree.ts';
import { deriveSeed } from '../../src/protocol/derive.ts';
import { sha256 } from '../../src/protocol/digest.ts';
import { publicKeyOf } from '../../src/protocol/ed25519.ts';
import {
  expiryAfter,
  type Freshness,
  type MetadataFile,
  type PartnerSeeds,
  type RoleKeys,
  signFreshness,
  signRelease,
  signRoot,
} from '../../src/protocol/tuf-repository.ts';

export const METADATA = 'inbox/metadata';
export const TARGETS = 'inbox/targets';
export const NOW = new Date('2026-11-23T12:00:00Z');

export interface Versions {
  readonly targets: number;
  readonly snapshot: number;
  readonly timestamp: number;
}

export type SignedFiles = Freshness & { readonly targets: MetadataFile };

/** Masters of a main site, told apart by `fill`; everything of one partner follows from them. */
export function partnerSeeds(partner: string, fill = 1, epoch = 1): PartnerSeeds {
  const master = (role: number): Uint8Array => new Uint8Array(32).fill(fill * 16 + role);
  return {
    root: [deriveSeed(master(1), 'root', 'main', partner, epoch)],
    targets: [deriveSeed(master(2), 'targets', 'main', partner, epoch)],
    online: deriveSeed(master(3), 'online', 'main', partner, epoch),
  };
}

const role = (keys: readonly Uint8Array[]): RoleKeys => ({ publicKeys: keys.map(publicKeyOf), threshold: 1 });

/** `version.root.json` for `seeds`, signed by them and by the root keys of `before`. */
export function rootOf(seeds: PartnerSeeds, version = 1, before?: PartnerSeeds, now = NOW): Uint8Array {
  return signRoot({
    version,
    expires: expiryAfter(now, 'root'),
    roles: {
      root: role(seeds.root),
      targets: role(seeds.targets),
      snapshot: role([seeds.online]),
      timestamp: role([seeds.online]),
    },
    signers: [...seeds.root, ...(before?.root ?? [])],
  });
}

/** What a release says, as its one target; distinct for every `text`. */
export function releaseBytes(text: string): Uint8Array {
  return new TextEncoder().encode(`{"release":${JSON.stringify(text)}}\n`);
}

/** The metadata of a release with one target, `release.json`. */
export function signed(seeds: PartnerSeeds, versions: Versions, text: string, now = NOW): SignedFiles {
  const bytes = releaseBytes(text);
  const targets = new Map([['release.json', { length: bytes.length, sha256: sha256(bytes) }]]);
  return signRelease({ seeds, versions, now, targets });
}

/** Snapshot and timestamp anew over the targets of `release`. */
export function refreshed(seeds: PartnerSeeds, release: SignedFiles, versions: Versions, now = NOW): SignedFiles {
  const targets = { version: versions.targets, bytes: release.targets.bytes };
  return { targets: release.targets, ...signFreshness({ online: seeds.online, versions, now, targets }) };
}

/** All versions equal: what most tests need. */
export function at(version: number): Versions {
  return { targets: version, snapshot: version, timestamp: version };
}

/** Lays a release into the exchange as a push does: timestamp last. */
export async function lay(exchange: FileTree, files: Partial<SignedFiles>, text?: string): Promise<void> {
  if (text !== undefined) {
    const bytes = releaseBytes(text);
    await exchange.write(`${TARGETS}/${sha256(bytes)}.release.json`, bytes);
  }
  for (const file of [files.targets, files.snapshot, files.timestamp]) {
    if (file !== undefined) await exchange.write(`${METADATA}/${file.name}`, file.bytes);
  }
}

/** An exchange that holds one release. */
export async function exchangeWith(seeds: PartnerSeeds, versions: Versions, text: string): Promise<FileTree> {
  const exchange = memoryTree('exchange');
  await lay(exchange, signed(seeds, versions, text), text);
  return exchange;
}
