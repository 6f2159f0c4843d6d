/** The keys of one partner's repository: derived from the masters, so that no two partners share one (design, 4.1). */
import type { KeyStore } from '../io/keys.ts';
import { deriveSeed } from '../protocol/derive.ts';

/** The one holder of each role until a key ceremony names more. */
const HOLDER = 'main';

export interface PartnerRole {
  readonly partner: string;
  /** Rises when a master is replaced. */
  readonly epoch: number;
}

/** Opens the offline root master; only `invite` and rotation do. */
export async function rootSeed(keys: KeyStore, { partner, epoch }: PartnerRole): Promise<Uint8Array> {
  return deriveSeed(await keys.load('root'), 'root', HOLDER, partner, epoch);
}

export interface ReleaseSeeds {
  readonly targets: Uint8Array;
  /** Signs snapshot and timestamp. */
  readonly online: Uint8Array;
}

/** Opens the online master, which signs snapshot and timestamp. */
export async function onlineSeed(keys: KeyStore, { partner, epoch }: PartnerRole): Promise<Uint8Array> {
  return deriveSeed(await keys.load('online'), 'online', HOLDER, partner, epoch);
}

/** Opens the release master and the online master: what a push needs. */
export async function releaseSeeds(keys: KeyStore, role: PartnerRole): Promise<ReleaseSeeds> {
  const { partner, epoch } = role;
  const targets = deriveSeed(await keys.load('release'), 'targets', HOLDER, partner, epoch);
  return { targets, online: await onlineSeed(keys, role) };
}
