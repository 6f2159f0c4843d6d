/**
 * A TUF repository that can be made wrong in any way: plain JSON, signed with its own canonical form, served over loopback.
 * It knows nothing of src/, so that what it shows about a client does not rest on the code under test.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign as signBytes,
  type KeyObject,
} from 'node:crypto';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';

const TOP_ROLES = ['root', 'timestamp', 'snapshot', 'targets'] as const;

export interface KeyJson {
  readonly keytype: string;
  readonly scheme: string;
  readonly keyval: { readonly public: string };
  [extra: string]: unknown;
}

export interface Signer {
  readonly keyId: string;
  readonly key: KeyJson;
  /** Hex. */
  sign(bytes: Uint8Array): string;
}

interface RoleJson {
  keyids: string[];
  threshold: number;
  [extra: string]: unknown;
}

export interface MetaFile {
  version: number;
  length?: number;
  hashes?: { sha256: string };
}

export interface Delegation {
  readonly name: string;
  readonly keyids: string[];
  readonly threshold: number;
  readonly terminating: boolean;
  readonly paths: readonly string[];
}

/** The signed part of any metadata, with the fields of all roles; a role has those it needs. */
export interface Signed {
  readonly _type: string;
  readonly spec_version: string;
  version: number;
  expires: string;
  keys: Record<string, KeyJson>;
  roles: Record<string, RoleJson>;
  meta: Record<string, MetaFile>;
  targets: Record<string, { length: number; hashes: { sha256: string } }>;
  delegations: { keys: Record<string, KeyJson>; roles: Delegation[] };
  [extra: string]: unknown;
}

/** A signed file as JSON, to be changed after it was signed. */
export interface Envelope {
  signatures: { keyid: string; sig: string }[];
  readonly signed: Signed;
}

export class TufSimulator {
  /** What the next `publish` signs. */
  readonly roles = new Map<string, Signed>();
  readonly signers = new Map<string, Map<string, Signer>>();
  /** Role, version, bytes: what is served. */
  readonly published = new Map<string, Map<number, Uint8Array>>();
  readonly artifacts = new Map<string, Uint8Array>();
  /** Requests for metadata: `2.root`, `timestamp`, `1.snapshot`. */
  readonly asked: string[] = [];
  readonly askedTargets: string[] = [];
  /** A file that never ends: `timestamp`. */
  endless: string | undefined;
  /** Length and digest of snapshot and targets are signed as well. */
  hashes = false;
  #latest = new Map<string, Uint8Array>();
  #seeds = 0;

  constructor(expires: Date) {
    for (const role of TOP_ROLES) this.roles.set(role, emptyRole(role, expires));
    for (const role of TOP_ROLES) this.addKey(role);
    this.publish('targets', 'snapshot', 'timestamp', 'root');
  }

  role(name: string): Signed {
    const role = this.roles.get(name);
    if (role === undefined) throw new Error(`there is no role ${name}`);
    return role;
  }

  get root(): Signed {
    return this.role('root');
  }

  rootRole(name: string): RoleJson {
    return entry(this.root.roles, name);
  }

  newSigner(): Signer {
    this.#seeds += 1;
    return ed25519Signer(this.#seeds);
  }

  /** Names a key for the role in the root, or in the targets role that delegates to it, and signs with it from now on. */
  addKey(role: string, signer = this.newSigner()): Signer {
    this.root.keys[signer.keyId] = signer.key;
    this.rootRole(role).keyids.push(signer.keyId);
    this.signWith(role, signer);
    return signer;
  }

  signWith(role: string, signer: Signer): void {
    this.signersOf(role).set(signer.keyId, signer);
  }

  signersOf(role: string): Map<string, Signer> {
    const signers = this.signers.get(role) ?? new Map<string, Signer>();
    this.signers.set(role, signers);
    return signers;
  }

  /** Forgets the keys of a role, in the root and here. */
  clearKeys(role: string): void {
    this.rootRole(role).keyids.length = 0;
    this.signersOf(role).clear();
  }

  rotateKeys(role: string): void {
    this.clearKeys(role);
    for (let count = 0; count < this.rootRole(role).threshold; count++) this.addKey(role);
  }

  addTarget(role: string, path: string, content: string): void {
    const bytes = Buffer.from(content);
    this.role(role).targets[path] = { length: bytes.length, hashes: { sha256: sha256(bytes) } };
    this.artifacts.set(path, bytes);
  }

  delegate(from: string, delegation: Omit<Delegation, 'keyids' | 'threshold'>, expires: Date): void {
    const { delegations } = this.role(from);
    const signer = this.newSigner();
    delegations.keys[signer.keyId] = signer.key;
    delegations.roles.push({ ...delegation, keyids: [signer.keyId], threshold: 1 });
    if (!this.roles.has(delegation.name)) this.roles.set(delegation.name, emptyRole('targets', expires));
    this.signWith(delegation.name, signer);
  }

  /** Signs the next version of each role, and tells snapshot and timestamp about it. */
  publish(...names: readonly string[]): void {
    for (const name of names) {
      const role = this.role(name);
      if (this.published.has(name)) role.version += 1;
      this.publishAs(name, role.version);
    }
  }

  /** The same with a version of the test's own choice. */
  publishAs(name: string, version: number): void {
    const role = this.role(name);
    role.version = version;
    const signed = withoutEmpty(role);
    const bytes = Buffer.from(canonical(signed));
    const signatures = [...this.signersOf(name).values()].map((signer) => ({
      keyid: signer.keyId,
      sig: signer.sign(bytes),
    }));
    this.serve(name, version, Buffer.from(JSON.stringify({ signatures, signed }, undefined, 1)));
  }

  /** Serves these bytes as that version of the role. */
  serve(name: string, version: number, bytes: Uint8Array): void {
    this.published.set(name, (this.published.get(name) ?? new Map<number, Uint8Array>()).set(version, bytes));
    this.#latest.set(name, bytes);
    const described = this.hashes ? { length: bytes.length, hashes: { sha256: sha256(bytes) } } : {};
    if (name === 'snapshot') this.role('timestamp').meta['snapshot.json'] = { version, ...described };
    else if (name !== 'root' && name !== 'timestamp')
      this.role('snapshot').meta[`${name}.json`] = { version, ...described };
  }

  /** Changes a file after it was signed. */
  tamper(name: string, version: number, change: (envelope: Envelope) => void): void {
    const envelope: Envelope = JSON.parse(Buffer.from(this.bytes(name, version)).toString());
    change(envelope);
    this.serve(name, version, Buffer.from(JSON.stringify(envelope)));
  }

  bytes(name: string, version?: number): Uint8Array {
    const bytes = version === undefined ? this.#latest.get(name) : this.published.get(name)?.get(version);
    if (bytes === undefined) throw new Error(`${name} ${version ?? ''} was not published`);
    return bytes;
  }

  /** Takes all that was published of a role away. */
  unpublish(name: string): void {
    this.published.delete(name);
    this.#latest.delete(name);
  }

  /** Serves `/metadata/` and `/targets/` until the test is over. */
  async start(): Promise<{ readonly metadataUrl: string; readonly targetsUrl: string }> {
    const server = createServer((request, response) => {
      if (this.endless !== undefined && request.url === `/metadata/${this.endless}.json`) {
        Readable.from(endlessBlanks()).pipe(response);
        return;
      }
      const found = this.#find(request.url ?? '');
      response.statusCode = found === undefined ? 404 : 200;
      response.end(found);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the server has no port');
    const base = `http://127.0.0.1:${address.port}`;
    return { metadataUrl: `${base}/metadata`, targetsUrl: `${base}/targets` };
  }

  #find(url: string): Uint8Array | undefined {
    const [, metadata, target] = /^\/(?:metadata\/(.+)\.json|targets\/(.+))$/.exec(url) ?? [];
    if (metadata !== undefined) {
      this.asked.push(metadata);
      const [, version, name = metadata] = /^(\d+)\.(.+)$/.exec(metadata) ?? [];
      const role = decodeURIComponent(name);
      return version === undefined ? this.#latest.get(role) : this.published.get(role)?.get(Number(version));
    }
    const [, folder = '', digest, name = ''] = /^(.*\/)?([0-9a-f]{64})\.(.+)$/.exec(decodeURI(target ?? '')) ?? [];
    this.askedTargets.push(`${folder}${name}`);
    // Whoever asks for a digest gets the file of that name, whatever is in it by now.
    return digest === undefined ? undefined : this.artifacts.get(`${folder}${name}`);
  }
}

function* endlessBlanks(): Generator<Uint8Array> {
  const blanks = new Uint8Array(4096).fill(0x20);
  for (;;) yield blanks;
}

/** A key that is the same in every run. */
export function ed25519Signer(number: number): Signer {
  const seed = createHash('sha256').update(`tuf simulator ${number}`).digest();
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  return signerOf(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }), 'ed25519', 'ed25519');
}

/** Other kinds of keys, made anew: OpenSSL takes no seed for them. */
export function otherSigner(keytype: 'rsa' | 'ecdsa'): Signer {
  return keytype === 'rsa'
    ? signerOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, 'rsa', 'rsassa-pss-sha256')
    : signerOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'ecdsa', 'ecdsa-sha2-nistp256');
}

function signerOf(privateKey: KeyObject, keytype: string, scheme: string): Signer {
  const publicKey = createPublicKey(privateKey);
  const text =
    keytype === 'ed25519'
      ? publicKey.export({ format: 'der', type: 'spki' }).subarray(12).toString('hex')
      : publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const key: KeyJson = { keytype, scheme, keyval: { public: text } };
  // 6: RSA_PKCS1_PSS_PADDING; the salt is as long as the digest.
  const options = scheme === 'rsassa-pss-sha256' ? { key: privateKey, padding: 6, saltLength: 32 } : privateKey;
  return {
    keyId: sha256(canonical(key)),
    key,
    sign: (bytes) => signBytes(keytype === 'ed25519' ? undefined : 'sha256', bytes, options).toString('hex'),
  };
}

function emptyRole(type: string, expires: Date): Signed {
  const roles = Object.fromEntries(TOP_ROLES.map((role) => [role, { keyids: [], threshold: 1 }]));
  return {
    _type: type,
    spec_version: '1.0.31',
    version: 1,
    expires: seconds(expires),
    keys: {},
    roles: type === 'root' ? roles : {},
    meta: {},
    targets: {},
    delegations: { keys: {}, roles: [] },
  };
}

/** What a role of this type has. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  root: ['keys', 'roles'],
  timestamp: ['meta'],
  snapshot: ['meta'],
  targets: ['targets', 'delegations'],
};

function withoutEmpty(role: Signed): Record<string, unknown> {
  const { _type: type } = role;
  const foreign = Object.values(FIELDS).flat();
  const own = FIELDS[type] ?? [];
  const kept = Object.entries(role).filter(([field]) => own.includes(field) || !foreign.includes(field));
  const signed = Object.fromEntries(kept);
  if (type === 'root') signed['consistent_snapshot'] = true;
  if (role.delegations.roles.length === 0) delete signed['delegations'];
  return structuredClone(signed);
}

/** The instant as TUF writes it. */
export function seconds(instant: Date): string {
  return `${instant.toISOString().slice(0, 19)}Z`;
}

/** OLPC canonical JSON: sorted keys, no blanks, only `"` and `\` escaped. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'string') return `"${value.replace(/["\\]/g, '\\$&')}"`;
  if (typeof value !== 'object' || value === null) return String(value);
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  const sorted = fields.toSorted(([left], [right]) => (left < right ? -1 : 1));
  return `{${sorted.map(([key, field]) => `${canonical(key)}:${canonical(field)}`).join(',')}}`;
}

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function entry<T>(table: Readonly<Record<string, T>>, name: string): T {
  const found = table[name];
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}
