/**
 * A second look at TUF metadata beside the TUF client's own: it says exactly what is wrong, and refuses what the client
 * lets through. Every step checks a signature before it believes a version or a date, so that *authentic but stale* is
 * said of authentic metadata alone.
 *
 * Beyond the specification (5.3 to 5.6): the same version with other bytes is refused (the client keeps its own copy
 * without a word); a date that does not exist is refused (to the client it is later than every other); and releases keep
 * rising when the online key is replaced, upon which the client forgets the snapshot, and with it the last release (5.3.11).
 */
import type { Metadata, Root } from '@tufjs/models';
import { TieupError } from '../errors.ts';
import { sha256 } from './digest.ts';
import { Equivocation } from './equivocation.ts';
import { instant } from './instant.ts';
import {
  describeTargets,
  type MetadataReference,
  type MetadataRole,
  type MetadataVersion,
  parseRoot,
  parseSnapshot,
  parseTargets,
  parseTimestamp,
  readMetadataVersion,
  referenceTo,
  type TargetDescription,
} from './tuf-metadata.ts';

/** The metadata which a site trusts: a root alone before the first release, all four afterwards. */
export interface TrustedFiles {
  readonly root: Uint8Array;
  readonly release?: Readonly<Record<ReleaseRole, Uint8Array>> | undefined;
}

export type ReleaseRole = Exclude<MetadataRole, 'root'>;

export interface ReceivedFiles {
  /** The newest root that the client accepted, or the trusted one. */
  readonly root: Uint8Array;
  /** What was read from the inbox, by file name: `timestamp.json`, `7.snapshot.json`. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Metadata that hangs together up to a root which this site trusts. */
export interface VerifiedChain {
  readonly versions: Readonly<Record<MetadataRole, number>>;
  /** ISO 8601 UTC. */
  readonly expires: Readonly<Record<MetadataRole, string>>;
  readonly files: Readonly<Record<ReleaseRole, Uint8Array>>;
  readonly targets: ReadonlyMap<string, TargetDescription>;
}

/**
 * @throws TIEUP_E_EXPIRED when it is authentic and its time is over at `now`, TIEUP_E_ROLLBACK when it is authentic and
 * older than `trusted`, an Equivocation when it contradicts `trusted`, TIEUP_E_VERIFY for everything else; `cause` is attached.
 */
export function checkChain(trusted: TrustedFiles, received: ReceivedFiles, now: Date, cause?: unknown): VerifiedChain {
  const step: Step = { root: parseRoot(received.root), trusted, received, now, cause };
  checkNextRoot(step);
  const root = readMetadataVersion(received.root);
  checkExpiry(step, root);

  const timestamp = openRole(step, 'timestamp', undefined);
  const { signed } = parseTimestamp(timestamp.bytes);
  const snapshotReference = referenceTo('snapshot.json', signed.snapshotMeta);
  checkRises(step, 'snapshot', snapshotReference.version);
  checkExpiry(step, timestamp);

  const snapshot = openRole(step, 'snapshot', snapshotReference);
  const targetsReference = referenceTo('targets.json', parseSnapshot(snapshot.bytes).signed.meta['targets.json']);
  checkRises(step, 'targets', targetsReference.version);
  checkExpiry(step, snapshot);

  const targets = openRole(step, 'targets', targetsReference);
  checkExpiry(step, targets);
  const roles = { timestamp, snapshot, targets };
  return {
    versions: { root: root.version, ...mapRoles(roles, (role) => role.version) },
    expires: { root: root.expires, ...mapRoles(roles, (role) => role.expires) },
    files: mapRoles(roles, (role) => role.bytes),
    targets: describeTargets(parseTargets(targets.bytes).signed),
  };
}

/** Whether trusted metadata still is what it was: the client takes a damaged copy for none, and an older release for new. */
export function isIntact(trusted: TrustedFiles): boolean {
  try {
    const root = parseRoot(trusted.root);
    const { release } = trusted;
    return (
      isSigned(root, 'root', root) &&
      (release === undefined || RELEASE_ROLES.every((role) => signs(root, role, release[role])))
    );
  } catch {
    return false;
  }
}

const RELEASE_ROLES = ['timestamp', 'snapshot', 'targets'] as const satisfies readonly ReleaseRole[];

interface Step {
  /** The root which the other roles are verified with. */
  readonly root: Metadata<Root>;
  readonly trusted: TrustedFiles;
  readonly received: ReceivedFiles;
  readonly now: Date;
  readonly cause: unknown;
}

interface OpenedRole extends MetadataVersion {
  readonly bytes: Uint8Array;
}

/** A root after the newest accepted one was received: then the client refused it, and this says why (5.3.4, 5.3.5). */
function checkNextRoot(step: Step): void {
  const current = step.root.signed.version;
  const name = `${current + 1}.root.json`;
  const bytes = step.received.files.get(name);
  if (bytes === undefined) return;
  const next = parseRoot(bytes);
  if (!isSigned(step.root, 'root', next)) {
    throw refused(step, `${name} is not signed by the root keys that this site trusts`);
  }
  if (next.signed.version <= current) throw older(step, 'root', next.signed.version, current);
  if (!isSigned(next, 'root', next)) throw refused(step, `${name} is not signed by the root keys that it names`);
  throw refused(step, `${name} cannot follow version ${current}: it says that it is version ${next.signed.version}`);
}

/** Finds the file of a role and checks signature, reference and age, in this order. */
function openRole(step: Step, role: ReleaseRole, reference: MetadataReference | undefined): OpenedRole {
  const name = reference === undefined ? `${role}.json` : `${reference.version}.${role}.json`;
  const known = knownRole(step, role);
  const received = step.received.files.get(name);
  // The client does not read again what it has; for the timestamp it always does.
  const bytes = received ?? (known?.version === reference?.version ? known?.bytes : undefined);
  if (bytes === undefined) throw refused(step, `${name} was not read`);
  if (!signs(step.root, role, bytes)) {
    throw refused(step, `${name} is not signed by the keys which the main site's root names for it`);
  }
  const head = readMetadataVersion(bytes);
  checkRises(step, role, head.version);
  if (known?.version === head.version && (!same(known.bytes, bytes) || !fits(reference, known.bytes))) {
    throw equivocation(step, role, known, bytes);
  }
  if (!fits(reference, bytes) || (reference !== undefined && reference.version !== head.version)) {
    throw refused(step, `${name} is not the file which the ${role === 'targets' ? 'snapshot' : 'timestamp'} refers to`);
  }
  return { ...head, bytes };
}

/** The same version twice, or, when the other one is not there itself, the signed file that refers to it by another digest. */
function equivocation(step: Step, role: ReleaseRole, known: OpenedRole, bytes: Uint8Array): Equivocation {
  const files = new Map([
    ['root.json', step.received.root],
    [`trusted-${known.version}.${role}.json`, known.bytes],
  ]);
  if (!same(known.bytes, bytes)) files.set(`received-${known.version}.${role}.json`, bytes);
  else for (const [name, received] of step.received.files) files.set(`received-${name}`, received);
  const message = `there are two different signed versions ${known.version} of the ${role} metadata`;
  return new Equivocation(message, files, step.cause);
}

/** @throws TIEUP_E_ROLLBACK when this site has already seen a newer version (5.4.3, 5.5.5). */
function checkRises(step: Step, role: ReleaseRole, version: number): void {
  const known = knownRole(step, role);
  if (known !== undefined && version < known.version) throw older(step, role, version, known.version);
}

/** What this site trusts of a role, unless the current root names other keys for it since. */
function knownRole({ trusted, root }: Step, role: ReleaseRole): OpenedRole | undefined {
  const bytes = trusted.release?.[role];
  if (bytes === undefined || !signs(root, role, bytes)) return undefined;
  return { ...readMetadataVersion(bytes), bytes };
}

const WHOSE_TIME: Readonly<Record<MetadataRole, string>> = {
  root: "the main site's root of trust",
  targets: 'the release',
  snapshot: 'the proof that this is the newest release',
  timestamp: 'the proof that this is the newest release',
};

const WHAT_TO_ASK: Readonly<Record<MetadataRole, string>> = {
  root: 'ask the main site to sign a new root',
  targets: 'ask the main site to push the release again',
  snapshot: 'ask the main site to run "tieup refresh"',
  timestamp: 'ask the main site to run "tieup refresh"',
};

function checkExpiry({ now, cause }: Step, { type, version, expires }: MetadataVersion): void {
  if (now.getTime() < Date.parse(expires)) return;
  throw new TieupError(
    'TIEUP_E_EXPIRED',
    `${WHOSE_TIME[type]} is authentic, but its time was over on ${expires} (${type} ${version})`,
    { hint: `${WHAT_TO_ASK[type]}; this machine's clock says ${instant(now)}; pages that are live stay live`, cause },
  );
}

const PARSERS = { timestamp: parseTimestamp, snapshot: parseSnapshot, targets: parseTargets } as const;

function signs(root: Metadata<Root>, role: ReleaseRole, bytes: Uint8Array): boolean {
  return isSigned(root, role, PARSERS[role](bytes));
}

function isSigned(
  root: Metadata<Root>,
  role: MetadataRole,
  metadata: Parameters<Metadata<Root>['verifyDelegate']>[1],
): boolean {
  try {
    root.verifyDelegate(role, metadata);
    return true;
  } catch {
    return false;
  }
}

function fits(reference: MetadataReference | undefined, bytes: Uint8Array): boolean {
  return reference === undefined || (reference.length === bytes.length && reference.sha256 === sha256(bytes));
}

function same(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}

function mapRoles<From, To>(
  roles: Readonly<Record<ReleaseRole, From>>,
  map: (role: From) => To,
): Record<ReleaseRole, To> {
  return { timestamp: map(roles.timestamp), snapshot: map(roles.snapshot), targets: map(roles.targets) };
}

function older({ cause }: Step, role: MetadataRole, version: number, known: number): TieupError {
  const what = role === 'targets' ? 'release' : role;
  return new TieupError(
    'TIEUP_E_ROLLBACK',
    `${what} ${version} is older than ${known}, which this site has already seen`,
    {
      hint: 'somebody put back old files, or the main site signed from an old state: ask the main site to push again',
      cause,
    },
  );
}

function refused({ cause }: Step, why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', why, { cause });
}
