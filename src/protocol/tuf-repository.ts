/**
 * Writes the TUF metadata of one partner's repository
 * (https://theupdateframework.github.io/specification/v1.0.31): the same input gives the same bytes, always.
 */
import { Metadata, Root, Signature, Snapshot, Targets, Timestamp } from '@tufjs/models';
import { TieupError } from '../errors.ts';
import { sha256 } from './digest.ts';
import { bulkSigner, publicKeyFault, publicKeyOf } from './ed25519.ts';
import { instant } from './instant.ts';
import { type MetadataReference, type MetadataRole, type TargetDescription, tufKeyId } from './tuf-metadata.ts';

/** How long signatures last, in days; see {@link expiryAfter}. */
export const LIFETIME_DAYS = { root: 730, targets: 180, snapshot: 14, timestamp: 14 } as const;

const SPEC_VERSION = '1.0.31';
const DAY_MS = 24 * 60 * 60 * 1000;

/** When metadata of `role` that is signed at `now` expires. */
export function expiryAfter(now: Date, role: MetadataRole): Date {
  return new Date(now.getTime() + LIFETIME_DAYS[role] * DAY_MS);
}

/** Whether half of the life of metadata of `role` is over, which is when it should be signed anew; `expires` is ISO 8601 UTC. */
export function isHalfOver(role: MetadataRole, expires: string, now: Date): boolean {
  return now > halfOverAfter(role, expires);
}

/** The last moment of the first half of that life. */
export function halfOverAfter(role: MetadataRole, expires: string): Date {
  return new Date(Date.parse(expires) - (LIFETIME_DAYS[role] / 2) * DAY_MS);
}

/** Who may sign for a role. */
export interface RoleKeys {
  /** Ed25519, 32 bytes each, no key twice. */
  readonly publicKeys: readonly Uint8Array[];
  /** How many of them must sign. */
  readonly threshold: number;
}

interface SignedHead {
  /** From 1 on. */
  readonly version: number;
  readonly expires: Date;
  /** Seeds of the signing keys, 32 bytes each. */
  readonly signers: readonly Uint8Array[];
}

/**
 * `<version>.root.json`. A new root is signed by its own root keys and by those of the root before.
 * @throws TIEUP_E_KEY when a key is weak or there twice, a threshold cannot be met, or the signers do not meet this root's own.
 */
export function signRoot(
  request: SignedHead & { readonly roles: Readonly<Record<MetadataRole, RoleKeys>> },
): Uint8Array {
  const { root } = request.roles;
  const unsigned = unsignedRoot(request);
  const own = new Set(unsigned.roles['root']?.keyIDs);
  const signing = new Set(request.signers.map((seed) => tufKeyId(hex(publicKeyOf(seed)))).filter((id) => own.has(id)));
  if (signing.size < root.threshold) {
    throw new TieupError(
      'TIEUP_E_KEY',
      `a root needs ${root.threshold} of its own keys, ${signing.size} would sign it`,
    );
  }
  return sealed(unsigned, request.signers);
}

/** Root metadata that nobody has signed yet. @throws TIEUP_E_KEY when a key is weak or there twice, or a threshold cannot be met. */
export function unsignedRoot(
  request: Omit<SignedHead, 'signers'> & { readonly roles: Readonly<Record<MetadataRole, RoleKeys>> },
): Root {
  const { root, timestamp, snapshot, targets } = request.roles;
  const roles = { root: roleOf('root', root), timestamp: roleOf('timestamp', timestamp) };
  const others = { snapshot: roleOf('snapshot', snapshot), targets: roleOf('targets', targets) };
  const publicKeys = [root, timestamp, snapshot, targets].flatMap((role) => role.publicKeys.map(hex));
  const keys = publicKeys.map((key) => [
    tufKeyId(key),
    { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: key } },
  ]);
  return Root.fromJSON({
    ...head(request),
    consistent_snapshot: true,
    keys: Object.fromEntries(keys),
    roles: { ...roles, ...others },
  });
}

/** `<version>.targets.json`; its version is the number of the release, its SHA-256 the release digest. */
export function signTargets(
  request: SignedHead & { readonly targets: ReadonlyMap<string, TargetDescription> },
): Uint8Array {
  const targets = [...request.targets]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, target]) => [name, { length: target.length, hashes: { sha256: target.sha256 } }]);
  return sealed(Targets.fromJSON({ ...head(request), targets: Object.fromEntries(targets) }), request.signers);
}

/** `<version>.snapshot.json`. */
export function signSnapshot(request: SignedHead & { readonly targetsMeta: MetadataReference }): Uint8Array {
  const meta = { 'targets.json': metaFile(request.targetsMeta) };
  return sealed(Snapshot.fromJSON({ ...head(request), meta }), request.signers);
}

/** `timestamp.json`. */
export function signTimestamp(request: SignedHead & { readonly snapshotMeta: MetadataReference }): Uint8Array {
  const meta = { 'snapshot.json': metaFile(request.snapshotMeta) };
  return sealed(Timestamp.fromJSON({ ...head(request), meta }), request.signers);
}

/** The seeds of one partner's repository. */
export interface PartnerSeeds {
  readonly root: readonly Uint8Array[];
  readonly targets: readonly Uint8Array[];
  /** Signs snapshot and timestamp. */
  readonly online: Uint8Array;
}

export interface MetadataFile {
  /** In `inbox/metadata/`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface Freshness {
  readonly snapshot: MetadataFile;
  /** Written last: the commit point. */
  readonly timestamp: MetadataFile;
}

/** Signs snapshot and timestamp anew over targets that stay: what the online key alone can do, and `tieup refresh` does. */
export function signFreshness(request: {
  readonly online: Uint8Array;
  readonly versions: { readonly snapshot: number; readonly timestamp: number };
  readonly now: Date;
  /** The `N.targets.json` in force. */
  readonly targets: { readonly version: number; readonly bytes: Uint8Array };
}): Freshness {
  const { versions, now, targets } = request;
  const signers = [request.online];
  const snapshot = signSnapshot({
    version: versions.snapshot,
    expires: expiryAfter(now, 'snapshot'),
    targetsMeta: describe(targets.version, targets.bytes),
    signers,
  });
  const timestamp = signTimestamp({
    version: versions.timestamp,
    expires: expiryAfter(now, 'timestamp'),
    snapshotMeta: describe(versions.snapshot, snapshot),
    signers,
  });
  return {
    snapshot: { name: `${versions.snapshot}.snapshot.json`, bytes: snapshot },
    timestamp: { name: 'timestamp.json', bytes: timestamp },
  };
}

/** Signs a release: targets with the release key, snapshot and timestamp with the online key. @throws TIEUP_E_KEY. */
export function signRelease(request: {
  readonly seeds: Pick<PartnerSeeds, 'targets' | 'online'>;
  readonly versions: { readonly targets: number; readonly snapshot: number; readonly timestamp: number };
  readonly now: Date;
  readonly targets: ReadonlyMap<string, TargetDescription>;
  /** The end of a campaign; 180 days from now unless given. */
  readonly targetsExpire?: Date | undefined;
}): Freshness & { readonly targets: MetadataFile } {
  const { seeds, versions, now } = request;
  const bytes = signTargets({
    version: versions.targets,
    expires: request.targetsExpire ?? expiryAfter(now, 'targets'),
    targets: request.targets,
    signers: seeds.targets,
  });
  const targets = { version: versions.targets, bytes };
  return {
    targets: { name: `${versions.targets}.targets.json`, bytes },
    ...signFreshness({ online: seeds.online, versions, now, targets }),
  };
}

function head({ version, expires }: Omit<SignedHead, 'signers'>): {
  spec_version: string;
  version: number;
  expires: string;
} {
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new TieupError('TIEUP_E_FAILED', `${version} cannot be a version of TUF metadata`);
  }
  return { spec_version: SPEC_VERSION, version, expires: instant(expires) };
}

function roleOf(name: MetadataRole, { publicKeys, threshold }: RoleKeys): { keyids: string[]; threshold: number } {
  for (const key of publicKeys) {
    const fault = publicKeyFault(key);
    if (fault !== undefined) throw new TieupError('TIEUP_E_KEY', `a key of the role ${name} ${fault}`);
  }
  const keyids = publicKeys.map((key) => tufKeyId(hex(key)));
  if (new Set(keyids).size !== keyids.length) throw new TieupError('TIEUP_E_KEY', `the role ${name} has a key twice`);
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > keyids.length) {
    throw new TieupError('TIEUP_E_KEY', `the role ${name} has ${keyids.length} keys: ${threshold} cannot be needed`);
  }
  return { keyids, threshold };
}

function sealed(signed: Root | Targets | Snapshot | Timestamp, signers: readonly Uint8Array[]): Uint8Array {
  if (signers.length === 0) throw new TieupError('TIEUP_E_KEY', `nobody would sign the ${signed.type} metadata`);
  const metadata = new Metadata(signed);
  for (const seed of signers) {
    const sign = bulkSigner(seed);
    const keyID = tufKeyId(hex(publicKeyOf(seed)));
    metadata.sign((bytes) => new Signature({ keyID, sig: hex(sign(bytes)) }));
  }
  return new TextEncoder().encode(`${JSON.stringify(metadata.toJSON(), undefined, 1)}\n`);
}

function describe(version: number, bytes: Uint8Array): MetadataReference {
  return { version, length: bytes.length, sha256: sha256(bytes) };
}

function metaFile({ version, length, sha256: digest }: MetadataReference): {
  version: number;
  length: number;
  hashes: { sha256: string };
} {
  return { version, length, hashes: { sha256: digest } };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
