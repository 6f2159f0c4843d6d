/**
 * Signs with an Ed25519 key that an ssh-agent holds (draft-ietf-sshm-ssh-agent): the key never leaves the agent, which may
 * be a card, a machine elsewhere, or ask its owner for every signature.
 *
 * The agent is not believed: what it returns is verified before anybody uses it. A note is no SSH login and cannot be taken
 * for one: what SSH signs begins with the length of a session id, 0x00000020, and no note has a NUL in it.
 */
import { connect } from 'node:net';
import { TieupError } from '../errors.ts';
import { publicKeyFault, verifyDocument } from '../protocol/ed25519.ts';
import { sshFingerprint } from './host-key.ts';

export interface AgentKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes, verified. @throws TIEUP_E_KEY when the agent refuses. */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

const REFERENCE = /^agent:\/\/(SHA256:[A-Za-z0-9+/]{43})$/;
const TYPE = 'ssh-ed25519';

const FAILURE = 5;
const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;
/** OpenSSH's agent sends no more either. */
const MAX_ANSWER = 256 * 1024;
const SIGNATURE_LENGTH = 64;

/** Whether a text says that a key is in an agent; the fingerprint may still be missing or wrong. */
export function isAgentReference(text: string): boolean {
  return text.trim().startsWith('agent://');
}

/**
 * The key that `agent://SHA256:…` names.
 * @param socket what SSH_AUTH_SOCK says
 * @throws TIEUP_E_KEY when there is no agent, when it does not hold the key, or when the key is none that can sign notes.
 */
export async function agentKey(reference: string, socket: string | undefined): Promise<AgentKey> {
  const [, fingerprint] = REFERENCE.exec(reference.trim()) ?? [];
  if (fingerprint === undefined) {
    throw new TieupError('TIEUP_E_KEY', `${JSON.stringify(reference.trim())} is not of the form agent://SHA256:…`, {
      hint: 'ssh-add -l shows the fingerprints of the keys that your agent holds',
    });
  }
  if (socket === undefined || socket === '') {
    throw new TieupError(
      'TIEUP_E_KEY',
      `the key ${fingerprint} is in an ssh-agent, but there is none: SSH_AUTH_SOCK is not set`,
      {
        hint: 'start one with eval "$(ssh-agent)", and load the key with ssh-add',
      },
    );
  }
  const blob = await findBlob(socket, fingerprint);
  const publicKey = publicKeyOf(blob, fingerprint);
  return { publicKey, sign: (message) => signWith(socket, { blob, fingerprint, publicKey }, message) };
}

async function findBlob(socket: string, fingerprint: string): Promise<Buffer> {
  const answer = await ask(socket, Buffer.of(REQUEST_IDENTITIES));
  const blobs = answer[0] === IDENTITIES_ANSWER ? parseIdentities(answer.subarray(1)) : undefined;
  if (blobs === undefined) throw odd(socket);
  const found = blobs.find((blob) => sshFingerprint(blob) === fingerprint);
  if (found !== undefined) return found;
  const held = blobs.length === 0 ? 'holds no key' : `holds ${blobs.map(sshFingerprint).join(', ')}`;
  throw new TieupError('TIEUP_E_KEY', `the ssh-agent does not hold the key ${fingerprint}`, {
    hint: `load it with ssh-add; the agent ${held}`,
  });
}

/** Undefined when the bytes are not what they should be. */
function parseIdentities(bytes: Buffer): readonly Buffer[] | undefined {
  if (bytes.length < 4) return undefined;
  const count = bytes.readUInt32BE(0);
  const blobs: Buffer[] = [];
  let rest = bytes.subarray(4);
  for (let index = 0; index < count; index += 1) {
    const blob = takeString(rest);
    const comment = blob && takeString(blob.rest);
    if (blob === undefined || comment === undefined) return undefined;
    blobs.push(blob.value);
    rest = comment.rest;
  }
  return rest.length === 0 ? blobs : undefined;
}

/** Of a public key in SSH's form (RFC 8709, 4). */
function publicKeyOf(blob: Buffer, fingerprint: string): Uint8Array {
  const type = takeString(blob);
  const name = type?.value.toString('latin1') ?? 'unknown';
  if (type === undefined || name !== TYPE) {
    throw new TieupError('TIEUP_E_KEY', `the key ${fingerprint} is of the type ${JSON.stringify(name)}, not ${TYPE}`, {
      hint: 'decisions are signed with Ed25519 alone: ssh-keygen -t ed25519 makes such a key',
    });
  }
  const key = takeString(type.rest);
  const fault = key === undefined || key.rest.length > 0 ? 'is malformed' : publicKeyFault(key.value);
  if (key === undefined || fault !== undefined)
    throw new TieupError('TIEUP_E_KEY', `the key ${fingerprint} ${fault ?? ''}`);
  return Uint8Array.from(key.value);
}

async function signWith(
  socket: string,
  { blob, fingerprint, publicKey }: { blob: Buffer; fingerprint: string; publicKey: Uint8Array },
  message: Uint8Array,
): Promise<Uint8Array> {
  const flags = Buffer.alloc(4);
  const answer = await ask(socket, Buffer.concat([Buffer.of(SIGN_REQUEST), field(blob), field(message), flags]));
  if (answer[0] === FAILURE) {
    throw new TieupError('TIEUP_E_KEY', `the ssh-agent refused to sign with the key ${fingerprint}`, {
      hint: 'it may be locked (ssh-add -X), or its owner said no (ssh-add -c)',
    });
  }
  const signature = answer[0] === SIGN_RESPONSE ? parseSignature(answer.subarray(1)) : undefined;
  if (signature === undefined) throw odd(socket);
  if (verifyDocument(publicKey, message, signature)) return signature;
  throw new TieupError('TIEUP_E_KEY', `the ssh-agent returned a signature that is not of the key ${fingerprint}`, {
    hint: 'nothing was signed; find out what answers at SSH_AUTH_SOCK',
  });
}

/** Undefined unless it is an Ed25519 signature (RFC 8709, 6). */
function parseSignature(bytes: Buffer): Uint8Array | undefined {
  const whole = takeString(bytes);
  const type = whole?.rest.length === 0 ? takeString(whole.value) : undefined;
  const signature = type?.value.toString('latin1') === TYPE ? takeString(type.rest) : undefined;
  if (signature?.rest.length !== 0 || signature.value.length !== SIGNATURE_LENGTH) return undefined;
  return Uint8Array.from(signature.value);
}

/** One request, one answer: its type and content. Waits as long as the owner of the key takes to say yes. */
function ask(socket: string, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const silent = (cause?: Error): void =>
      reject(
        new TieupError('TIEUP_E_KEY', `the ssh-agent at ${JSON.stringify(socket)} does not answer`, {
          hint: 'start one with eval "$(ssh-agent)", or name a key file',
          ...(cause === undefined ? {} : { cause }),
        }),
      );
    const connection = connect(socket);
    let received = Buffer.alloc(0);
    connection.on('error', silent);
    connection.on('close', () => silent());
    connection.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4) return;
      const length = received.readUInt32BE(0);
      if (length === 0 || length > MAX_ANSWER || received.length > 4 + length) reject(odd(socket));
      else if (received.length < 4 + length) return;
      else resolve(received.subarray(4));
      connection.destroy();
    });
    connection.write(field(request));
  });
}

function takeString(bytes: Buffer): { readonly value: Buffer; readonly rest: Buffer } | undefined {
  if (bytes.length < 4) return undefined;
  const end = 4 + bytes.readUInt32BE(0);
  return end > bytes.length ? undefined : { value: bytes.subarray(4, end), rest: bytes.subarray(end) };
}

function field(content: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}

function odd(socket: string): TieupError {
  return new TieupError('TIEUP_E_KEY', `what answers at ${JSON.stringify(socket)} is not an ssh-agent`);
}
