/**
 * A root ceremony as a file: the new root metadata of one or many partners, which travels from holder to holder by mail or
 * on a stick until enough of them have signed.
 *
 * Nothing in it is secret. What a holder signs is made anew from the fields that the holder was shown, never taken as bytes
 * from the file; a file that somebody changed on the way has another digest, which holders compare by voice.
 */
import { Metadata, type Root, Signature } from '@tufjs/models';
import { z } from 'zod';
import { TieupError } from '../errors.ts';
import { sha256 } from './digest.ts';
import { bulkSigner, bulkVerifier, publicKeyOf } from './ed25519.ts';
import { isInstant } from './instant.ts';
import { PARTNER_ID, ROOT_HOLDER } from './names.ts';
import { parseRoot, tufKeyId } from './tuf-metadata.ts';
import { unsignedRoot } from './tuf-repository.ts';

export interface RootRequest {
  /** The main site's address. */
  readonly site: string;
  /** What it is for, in words: `rotate release`. */
  readonly reason: string;
  readonly created: string;
  /** Of the new roots. */
  readonly threshold: number;
  readonly holders: readonly string[];
  readonly partners: readonly PartnerRootRequest[];
}

export interface PartnerRootRequest {
  readonly partner: string;
  /** Of the derivation of this partner's keys. */
  readonly epoch: number;
  readonly version: number;
  readonly expires: string;
  /** The root in force, as bytes; null for a partner's first root. */
  readonly previous: Uint8Array | null;
  /** Public keys in hex: the release key, and the one that signs snapshot and timestamp. */
  readonly targets: string;
  readonly online: string;
  /** Public root keys in hex, by holder, as far as holders have added theirs. */
  readonly rootKeys: Readonly<Record<string, string>>;
  /** Signatures in hex, by key id. */
  readonly signatures: Readonly<Record<string, string>>;
}

export const MAX_ROOT_REQUEST = 64 * 1024 * 1024;

const TYPE = 'tieup-root-request/1';
const time = z.string().refine(isInstant, { message: 'not an instant such as 2026-11-23T22:00:00Z' });
const holder = z.string().regex(ROOT_HOLDER);
const key = z.string().regex(/^[0-9a-f]{64}$/);
const whole = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);

const requestSchema = z.strictObject({
  type: z.literal(TYPE),
  site: z.url({ protocol: /^https?$/ }).max(2000),
  reason: z
    .string()
    .max(200)
    .regex(/^[^\p{Cc}]*$/u),
  created: time,
  threshold: whole,
  holders: z.array(holder).min(1).max(20),
  partners: z
    .array(
      z.strictObject({
        partner: z.string().regex(PARTNER_ID),
        epoch: whole,
        version: whole,
        expires: time,
        previous: z.base64().nullable(),
        targets: key,
        online: key,
        rootKeys: z.record(holder, key),
        signatures: z.record(key, z.string().regex(/^[0-9a-f]{128}$/)),
      }),
    )
    .min(1)
    .max(100_000),
});

export function renderRootRequest(request: RootRequest): Uint8Array {
  const partners = request.partners.map((each) => ({
    ...each,
    previous: each.previous === null ? null : Buffer.from(each.previous).toString('base64'),
  }));
  return new TextEncoder().encode(`${JSON.stringify({ type: TYPE, ...request, partners }, undefined, 1)}\n`);
}

/** @throws TIEUP_E_VERIFY when the bytes are no such file, or contradict themselves. */
export function parseRootRequest(bytes: Uint8Array): RootRequest {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new TieupError('TIEUP_E_VERIFY', 'the root request cannot be read as JSON', { cause });
  }
  const decoded = requestSchema.safeParse(value);
  if (!decoded.success) throw malformed(z.prettifyError(decoded.error));
  const { type: _, ...rest } = decoded.data;
  const partners = rest.partners.map((each) => ({
    ...each,
    previous: each.previous === null ? null : Uint8Array.from(Buffer.from(each.previous, 'base64')),
  }));
  const request = { ...rest, partners };
  checkRequest(request);
  return request;
}

function checkRequest({ holders, threshold, partners }: RootRequest): void {
  if (new Set(holders).size !== holders.length) throw malformed('a holder is named twice');
  if (threshold > holders.length) throw malformed(`${threshold} of ${holders.length} holders cannot sign`);
  if (new Set(partners.map(({ partner }) => partner)).size !== partners.length) {
    throw malformed('a partner is named twice');
  }
  for (const { partner, version, previous, rootKeys } of partners) {
    const strangers = Object.keys(rootKeys).filter((name) => !holders.includes(name));
    if (strangers.length > 0) throw malformed(`${strangers.join(', ')} holds no root of ${partner}`);
    const before = previous === null ? 0 : parseRoot(previous).signed.version;
    if (version !== before + 1) {
      throw malformed(`version ${version} of the root of ${partner} cannot follow version ${before}`);
    }
  }
}

/** Holders whose public keys are missing for some partner. */
export function missingHolders({ holders, partners }: RootRequest): readonly string[] {
  return holders.filter((name) => partners.some(({ rootKeys }) => rootKeys[name] === undefined));
}

/**
 * What all signatures are about, without the signatures: equal digests mean that two holders see the same.
 * @throws TIEUP_E_KEY while a holder's public keys are missing, or when a key is weak or there twice.
 */
export function requestDigest(request: RootRequest): string {
  const missing = missingHolders(request);
  if (missing.length > 0) {
    throw new TieupError('TIEUP_E_KEY', `the public keys of ${missing.join(', ')} are missing in the root request`);
  }
  const lines = request.partners.map((each) => `${each.partner} ${sha256(signedBytes(request, each))}\n`);
  return sha256(`${TYPE}\n${request.site}\n${lines.join('')}`);
}

function rootOf({ holders, threshold }: RootRequest, each: PartnerRootRequest): Root {
  const single = (publicKey: string) => ({ publicKeys: [bytesOf(publicKey)], threshold: 1 });
  return unsignedRoot({
    version: each.version,
    expires: new Date(each.expires),
    roles: {
      root: { publicKeys: holders.map((name) => bytesOf(each.rootKeys[name] ?? '')), threshold },
      targets: single(each.targets),
      snapshot: single(each.online),
      timestamp: single(each.online),
    },
  });
}

/** The canonical form, which TUF signs. */
function signedBytes(request: RootRequest, each: PartnerRootRequest): Uint8Array {
  let message: Uint8Array = new Uint8Array(0);
  new Metadata(rootOf(request, each)).sign((bytes) => {
    message = Uint8Array.from(bytes);
    return new Signature({ keyID: '0'.repeat(64), sig: '' });
  });
  return message;
}

/** With the signature of `seed` for one partner; unchanged when the key belongs neither to the new root nor to the one before. */
export function signPartnerRoot(request: RootRequest, each: PartnerRootRequest, seed: Uint8Array): PartnerRootRequest {
  const publicKey = hex(publicKeyOf(seed));
  const keyId = tufKeyId(publicKey);
  const isNew = Object.values(each.rootKeys).includes(publicKey);
  if (!isNew && !rootKeyIds(each.previous).ids.includes(keyId)) return each;
  const sig = hex(bulkSigner(seed)(signedBytes(request, each)));
  return { ...each, signatures: { ...each.signatures, [keyId]: sig } };
}

/** What one partner's new root changes. */
export interface RootChange {
  readonly isFirst: boolean;
  readonly newRelease: boolean;
  readonly newOnline: boolean;
  /** Holders whose key the root before did not name. */
  readonly newHolders: readonly string[];
  /** Root keys of before that go. */
  readonly removedKeys: number;
  readonly thresholdBefore: number;
}

export function changeOf(each: PartnerRootRequest): RootChange {
  const before = rootKeyIds(each.previous);
  const roles = each.previous === null ? undefined : parseRoot(each.previous).signed.roles;
  const own = Object.entries(each.rootKeys).map(([name, publicKey]) => ({ name, id: tufKeyId(publicKey) }));
  return {
    isFirst: each.previous === null,
    newRelease: roles?.['targets']?.keyIDs.includes(tufKeyId(each.targets)) !== true,
    newOnline: roles?.['timestamp']?.keyIDs.includes(tufKeyId(each.online)) !== true,
    newHolders: own.filter(({ id }) => !before.ids.includes(id)).map(({ name }) => name),
    removedKeys: before.ids.filter((id) => !own.some((other) => other.id === id)).length,
    thresholdBefore: before.threshold,
  };
}

export interface SignatureCount {
  readonly have: number;
  readonly needed: number;
}

/** Valid signatures under a partner's new root, by the new keys and by those of the root before. @throws TIEUP_E_VERIFY for a signature that is not valid. */
export function countSignatures(
  request: RootRequest,
  each: PartnerRootRequest,
): { readonly own: SignatureCount; readonly before: SignatureCount } {
  const message = signedBytes(request, each);
  const publicKeys = new Map<string, Uint8Array>(
    Object.values(each.rootKeys).map((publicKey) => [tufKeyId(publicKey), bytesOf(publicKey)]),
  );
  const before = rootKeyIds(each.previous);
  for (const [id, publicKey] of before.keys) publicKeys.set(id, publicKey);
  for (const [id, signature] of Object.entries(each.signatures)) {
    const publicKey = publicKeys.get(id);
    if (publicKey === undefined || !bulkVerifier(publicKey)(message, bytesOf(signature))) {
      throw malformed(`the signature of the key ${id} for ${each.partner} is not valid`);
    }
  }
  const signed = new Set(Object.keys(each.signatures));
  const own = new Set(Object.values(each.rootKeys).map(tufKeyId));
  const count = (ids: Iterable<string>): number => [...ids].filter((id) => signed.has(id)).length;
  return {
    own: { have: count(own), needed: request.threshold },
    before: { have: count(before.ids), needed: before.threshold },
  };
}

/** Whether holders of both roots have signed enough for every partner. */
export function isComplete(request: RootRequest): boolean {
  return request.partners.every((each) => {
    const { own, before } = countSignatures(request, each);
    return own.have >= own.needed && before.have >= before.needed;
  });
}

/** `<version>.root.json` of one partner. @throws TIEUP_E_KEY when too few have signed, TIEUP_E_VERIFY. */
export function sealPartnerRoot(request: RootRequest, each: PartnerRootRequest): Uint8Array {
  const counts = countSignatures(request, each);
  for (const [whose, { have, needed }] of Object.entries({ new: counts.own, present: counts.before })) {
    if (have >= needed) continue;
    throw new TieupError(
      'TIEUP_E_KEY',
      `the root of ${each.partner} has ${have} of ${needed} signatures of its ${whose} holders`,
      {
        hint: 'let further holders run tieup keys sign on the file; when too few of them still have their keys, see docs/keys.md',
      },
    );
  }
  const metadata = new Metadata(rootOf(request, each));
  for (const [keyID, sig] of Object.entries(each.signatures).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    metadata.sign(() => new Signature({ keyID, sig }));
  }
  return new TextEncoder().encode(`${JSON.stringify(metadata.toJSON(), undefined, 1)}\n`);
}

/** The root keys that root metadata names. */
export function rootKeyIds(bytes: Uint8Array | null): {
  readonly ids: readonly string[];
  readonly threshold: number;
  readonly keys: ReadonlyMap<string, Uint8Array>;
} {
  if (bytes === null) return { ids: [], threshold: 0, keys: new Map() };
  const { roles, keys } = parseRoot(bytes).signed;
  const ids = roles['root']?.keyIDs ?? [];
  return {
    ids,
    threshold: roles['root']?.threshold ?? Infinity,
    keys: new Map(ids.map((id) => [id, bytesOf(keys[id]?.keyVal.public ?? '')])),
  };
}

function bytesOf(hexText: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hexText, 'hex'));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function malformed(why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the root request is refused: ${why}`);
}
