/**
 * The two files with which a partnership starts: the main site's invitation and the partner's answer.
 *
 * Both are signed notes whose body is a type line and JSON. Each carries the keys that sign it, so a signature alone
 * proves only that nothing was altered on the way; who is behind the keys is settled by comparing the words of the
 * transcript by voice, and by the one-time secret, which only the invited partner has seen. The secret is the seed of a
 * key pair: the answer is signed with its private half, and the main site keeps the public half alone, so that nobody who
 * reads the main site's records can answer.
 */
import { hkdfSync } from 'node:crypto';
import { z } from 'zod';
import { TieupError } from '../errors.ts';
import { sha256 } from './digest.ts';
import { SEED_LENGTH } from './ed25519.ts';
import { isInstant } from './instant.ts';
import { MAX_KIT, type KitReference } from './kit.ts';
import { PARTNER_ID } from './names.ts';
import { noteSigner, openNote, type NoteSigner } from './note.ts';
import { parseTerms, renderTerms, type Terms } from './terms.ts';
import { parseVkey, renderVkey } from './vkey.ts';

export interface Invitation {
  readonly terms: Terms;
  /** The bytes of `1.root.json` of this partner's repository. */
  readonly root: Uint8Array;
  /** `vkey` line of the main site's document key, which signs the invitation. */
  readonly documentKey: string;
  /** `ssh-ed25519 AAAA… comment`: what the partner authorises for SFTP. */
  readonly sshKey: string;
  /** The kit that was sent with it; absent when there is none. */
  readonly kit?: KitReference | undefined;
  /** 32 random bytes in hex, good for one answer. */
  readonly secret: string;
  readonly created: string;
  /** After this instant an answer is refused. */
  readonly until: string;
}

export interface Answer {
  readonly partner: string;
  /** SHA-256 of the invitation's body. */
  readonly invitation: string;
  /** `vkey` lines; the accept key signs the answer. */
  readonly keys: { readonly accept: string; readonly site: string; readonly log: string };
  /** Where the main site finds `exchange/`: `sftp://user@host:port/path`, and the server's host keys. */
  readonly sftp: { readonly url: string; readonly hostKeys: readonly string[] };
  /** The partner site's address. */
  readonly url: string;
  readonly created: string;
}

export const INVITATION_TYPE = 'tieup-invitation/1';
export const ANSWER_TYPE = 'tieup-answer/1';
export const MAX_INVITATION = 1024 * 1024;

const time = z.string().refine(isInstant, { message: 'not an instant such as 2026-11-23T22:00:00Z' });
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const line = z
  .string()
  .min(1)
  .max(2000)
  .regex(/^[^\n\r]*$/);

/** One key and nothing before it: what stands there in `authorized_keys` are options, which are the partner's to choose. */
const sshPublicKey = line.regex(/^[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}(?: [^\p{Cc}]*)?$/u, {
  error: 'not an SSH public key such as ssh-ed25519 AAAA…',
});

const invitationSchema = z.strictObject({
  terms: z.looseObject({}),
  root: z.base64(),
  documentKey: line,
  sshKey: sshPublicKey,
  kit: z.strictObject({ digest, length: z.int().min(1).max(MAX_KIT) }).optional(),
  secret: digest,
  created: time,
  until: time,
});

const answerSchema = z.strictObject({
  partner: z.string().regex(PARTNER_ID),
  invitation: digest,
  keys: z.strictObject({ accept: line, site: line, log: line }),
  sftp: z.strictObject({ url: line, hostKeys: z.array(line).min(1).max(20) }),
  url: z.url({ protocol: /^https?$/ }).max(2000),
  created: time,
});

/** The body of the note to sign. */
export function renderInvitation(invitation: Invitation): string {
  const { terms, root, ...rest } = invitation;
  const readableTerms: unknown = JSON.parse(new TextDecoder().decode(renderTerms(terms)));
  return renderBody(INVITATION_TYPE, { terms: readableTerms, ...rest, root: Buffer.from(root).toString('base64') });
}

/** @throws TIEUP_E_VERIFY when the body is not an invitation. */
export function parseInvitation(text: string): Invitation {
  const decoded = invitationSchema.safeParse(parseBody(INVITATION_TYPE, text));
  if (!decoded.success) throw malformed('invitation', z.prettifyError(decoded.error));
  const { terms, root, ...rest } = decoded.data;
  return {
    ...rest,
    terms: parseTerms(new TextEncoder().encode(JSON.stringify(terms))),
    root: Buffer.from(root, 'base64'),
  };
}

/** `<partner>/invitation`: signs the answer beside the accept key, which shows that its writer has seen the secret. */
export function answerSigner({ terms, secret }: Pick<Invitation, 'terms' | 'secret'>): NoteSigner {
  const { partner } = terms;
  const info = `tieup/v1/invitation/${partner}`;
  const seed = hkdfSync('sha256', Buffer.from(secret, 'hex'), new Uint8Array(0), info, SEED_LENGTH);
  return noteSigner(`${partner}/invitation`, new Uint8Array(seed));
}

/** What the main site keeps of the one-time secret, a vkey line: it can check an answer and cannot make one. */
export function answerKey(invitation: Pick<Invitation, 'terms' | 'secret'>): string {
  const { name, publicKey } = answerSigner(invitation);
  return renderVkey(name, publicKey);
}

/** The body of the note that the accept key and {@link answerSigner} sign. */
export function renderAnswer(answer: Answer): string {
  return renderBody(ANSWER_TYPE, answer);
}

/** @throws TIEUP_E_VERIFY when the body is not an answer. */
export function parseAnswer(text: string): Answer {
  const decoded = answerSchema.safeParse(parseBody(ANSWER_TYPE, text));
  if (!decoded.success) throw malformed('answer', z.prettifyError(decoded.error));
  return decoded.data;
}

/** Refuses an answer whose writer did not know the secret behind `key`, an {@link answerKey}. @throws TIEUP_E_VERIFY. */
export function assertKnowsSecret(answer: Uint8Array, key: string): void {
  openNote(answer, [parseVkey(key)], { type: ANSWER_TYPE });
}

/** Both sides show the words of this digest: equal words mean that nobody stood between. */
export function transcriptDigest(invitationBody: string, answerBody: string): string {
  return transcriptOf(sha256(invitationBody), answerBody);
}

/** The same from the invitation's digest, which is all that the main site keeps. */
export function transcriptOf(invitationDigest: string, answerBody: string): string {
  return sha256(`tieup-transcript/1\n${invitationDigest}\n${sha256(answerBody)}\n`);
}

function renderBody(type: string, value: object): string {
  return `${type}\n${JSON.stringify(value, undefined, 2)}\n`;
}

function parseBody(type: string, text: string): unknown {
  if (!text.startsWith(`${type}\n`)) throw malformed(type, `it does not start with ${type}`);
  try {
    return JSON.parse(text.slice(type.length + 1));
  } catch (cause) {
    throw new TieupError('TIEUP_E_VERIFY', `the ${type} cannot be read as JSON`, { cause });
  }
}

function malformed(what: string, why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the ${what} is malformed: ${why}`);
}
