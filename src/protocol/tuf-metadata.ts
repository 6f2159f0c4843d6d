/**
 * Reads TUF metadata (https://theupdateframework.github.io/specification/v1.0.31) more strictly than the TUF library does:
 * what the specification leaves open and a thief of one key could use is closed here.
 */
import { Metadata, MetadataKind, type Root, type Snapshot, type Targets, type Timestamp } from '@tufjs/models';
import { z } from 'zod';
import { TieupError } from '../errors.ts';
import { DIGEST, sha256 } from './digest.ts';
import { publicKeyFault } from './ed25519.ts';
import { isInstant } from './instant.ts';

export type MetadataRole = 'root' | 'targets' | 'snapshot' | 'timestamp';

export interface MetadataVersion {
  readonly type: MetadataRole;
  readonly version: number;
  /** ISO 8601 UTC. */
  readonly expires: string;
}

/** Length and digest of one target file, as signed. */
export interface TargetDescription {
  readonly length: number;
  /** 64 lower-case hex digits. */
  readonly sha256: string;
}

/** What one metadata file says about another one. */
export interface MetadataReference extends TargetDescription {
  readonly version: number;
}

const versionSchema = z.object({
  signed: z.object({
    _type: z.enum(['root', 'targets', 'snapshot', 'timestamp']),
    version: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER),
    expires: z.string().refine(isInstant, { message: 'not an instant such as 2026-11-23T22:00:00Z' }),
  }),
});

const rootSchema = z.object({
  signed: z.object({
    consistent_snapshot: z.literal(true),
    keys: z.record(
      z.string(),
      z.strictObject({
        keytype: z.literal('ed25519'),
        scheme: z.literal('ed25519'),
        keyval: z.strictObject({ public: z.string().regex(/^[0-9a-f]{64}$/) }),
      }),
    ),
  }),
});

/**
 * What a metadata file claims to be, for status output. Verifies no signature.
 * @throws TIEUP_E_VERIFY when it is not TUF metadata with a whole version and an expiry that exists: stock clients take
 * `"expires": "never"`, which is later than every date.
 */
export function readMetadataVersion(bytes: Uint8Array): MetadataVersion {
  const decoded = versionSchema.safeParse(decodeJson(bytes));
  if (!decoded.success) throw malformed('TUF metadata', z.prettifyError(decoded.error));
  const { _type, version, expires } = decoded.data.signed;
  return { type: _type, version, expires };
}

/** A signature a second would take longer than a century to get here. */
export const MAX_HONEST_VERSION = 2 ** 32;

/**
 * Checks the keys of root metadata before anything is verified with them: Ed25519 in hex alone, no weak key, key ids that
 * are the digests of their keys, and no key under two ids, which would count twice towards a threshold.
 * @throws TIEUP_E_VERIFY.
 */
export function checkRootKeys(bytes: Uint8Array): void {
  const decoded = rootSchema.safeParse(decodeJson(bytes));
  if (!decoded.success) throw malformed('the root metadata', z.prettifyError(decoded.error));
  for (const [keyId, { keyval }] of Object.entries(decoded.data.signed.keys)) {
    if (keyId !== tufKeyId(keyval.public)) {
      throw malformed('the root metadata', `the key id ${JSON.stringify(keyId)} is not the digest of its key`);
    }
    const fault = publicKeyFault(Buffer.from(keyval.public, 'hex'));
    if (fault !== undefined) throw malformed('the root metadata', `the key ${keyval.public} ${fault}`);
  }
}

/** The key id as securesystemslib computes it: SHA-256 of the canonical JSON of the key. */
export function tufKeyId(publicKeyHex: string): string {
  return sha256(`{"keytype":"ed25519","keyval":{"public":"${publicKeyHex}"},"scheme":"ed25519"}`);
}

/** @throws TIEUP_E_VERIFY, like the three below, when the bytes are not such metadata. Verifies no signature. */
export function parseRoot(bytes: Uint8Array): Metadata<Root> {
  return parse('root', bytes, (json) => Metadata.fromJSON(MetadataKind.Root, json));
}

export function parseTimestamp(bytes: Uint8Array): Metadata<Timestamp> {
  return parse('timestamp', bytes, (json) => Metadata.fromJSON(MetadataKind.Timestamp, json));
}

export function parseSnapshot(bytes: Uint8Array): Metadata<Snapshot> {
  return parse('snapshot', bytes, (json) => Metadata.fromJSON(MetadataKind.Snapshot, json));
}

export function parseTargets(bytes: Uint8Array): Metadata<Targets> {
  return parse('targets', bytes, (json) => Metadata.fromJSON(MetadataKind.Targets, json));
}

/** Whether targets metadata is signed with the keys that a root names for it. @throws TIEUP_E_VERIFY when one of them is malformed. */
export function isSignedUnder(root: Uint8Array, targets: Uint8Array): boolean {
  const [by, what] = [parseRoot(root), parseTargets(targets)];
  try {
    by.verifyDelegate('targets', what);
    return true;
  } catch {
    return false;
  }
}

/** The reference to `snapshot.json` or `targets.json`; tieup signs length and digest always, and wants both. */
export function referenceTo(
  name: string,
  meta: { version: number; length?: number | undefined; hashes?: Record<string, string> | undefined } | undefined,
): MetadataReference {
  const digest = meta?.hashes?.['sha256'];
  if (meta?.length === undefined || digest === undefined || !DIGEST.test(digest)) {
    throw malformed('TUF metadata', `${name} is not referred to with version, length and SHA-256`);
  }
  return { version: meta.version, length: meta.length, sha256: digest };
}

/** Target names are single file names: they become part of a path in the inbox. */
const TARGET_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** Every target by name. @throws TIEUP_E_VERIFY when a name is not a plain file name or a length or digest is missing. */
export function describeTargets(targets: Targets): ReadonlyMap<string, TargetDescription> {
  const found = new Map<string, TargetDescription>();
  for (const [name, { length, hashes }] of Object.entries(targets.targets)) {
    const digest = hashes['sha256'];
    if (!TARGET_NAME.test(name)) throw malformed('the targets metadata', `${JSON.stringify(name)} is not a file name`);
    if (!Number.isSafeInteger(length) || digest === undefined || !DIGEST.test(digest)) {
      throw malformed('the targets metadata', `${JSON.stringify(name)} has no length or no SHA-256`);
    }
    found.set(name, { length, sha256: digest });
  }
  return found;
}

type Json = Parameters<(typeof Root)['fromJSON']>[0];

function parse<T>(role: MetadataRole, bytes: Uint8Array, decode: (json: Json) => T): T {
  const { type } = readMetadataVersion(bytes);
  if (type !== role) throw malformed(`the ${role} metadata`, `its type is ${JSON.stringify(type)}`);
  try {
    return decode(decodeJson(bytes));
  } catch (cause) {
    throw new TieupError('TIEUP_E_VERIFY', `the ${role} metadata is malformed`, { cause });
  }
}

function decodeJson(bytes: Uint8Array): Json {
  try {
    // The models check every field that they read; an object is all that they take for granted.
    const value: Json | null = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (cause) {
    throw new TieupError('TIEUP_E_VERIFY', 'TUF metadata cannot be read as JSON', { cause });
  }
  throw malformed('TUF metadata', 'it is not a JSON object');
}

function malformed(what: string, why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `${what} is malformed: ${why}`);
}
