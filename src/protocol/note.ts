/**
 * C2SP signed notes (https://c2sp.org/signed-note): the form of every document that tieup signs.
 *
 * Stricter than the specification where people read the text (no control character but the line feed) and where a known
 * key is claimed: a signature of a known key that does not verify refuses the note, instead of being passed over.
 */
import { TieupError } from '../errors.ts';
import { base64, strictBase64 } from './base64.ts';
import { publicKeyOf, signDocument, verifyDocument } from './ed25519.ts';
import { keyIdHex, nameFault, type VerifierKey, verifierKey } from './vkey.ts';

export interface NoteSigner {
  readonly name: string;
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

/** Signs as a {@link NoteSigner} does, in its own time: an agent that holds the key may ask a person first. */
export interface NoteKey {
  readonly name: string;
  readonly publicKey: Uint8Array;
  readonly sign: (message: Uint8Array) => Uint8Array | Promise<Uint8Array>;
}

/** A note whose signatures were verified; made by {@link openNote} alone. */
export interface OpenedNote {
  /** With its final line end: exactly what was signed. */
  readonly text: string;
  /** Without line ends; the first is the type and version. */
  readonly lines: readonly string[];
  /** Whose signatures were verified, in the order of the note. */
  readonly signers: readonly VerifierKey[];
}

const MAX_NOTE_BYTES = 1024 * 1024;
const MAX_SIGNATURES = 100;
const KEY_ID_LENGTH = 4;
/** U+2014 EM DASH and a blank, then the name and the base64 of key id and signature. */
const SIGNATURE_LINE = /^— ([^ ]+) ([A-Za-z0-9+/]+={0,2})$/;
const FORBIDDEN = /(?!\n)\p{Cc}/u;

/** @throws TIEUP_E_KEY when the name or the seed cannot be used. */
export function noteSigner(name: string, seed: Uint8Array): NoteSigner {
  const { publicKey } = verifierKey(name, publicKeyOf(seed));
  return { name, publicKey, sign: (message) => signDocument(seed, message) };
}

/**
 * The note as bytes: text, blank line, one signature line per signer in the order given.
 * @throws TIEUP_E_FAILED when the text cannot be signed or a key signs twice.
 */
export function signNote(text: string, signers: readonly NoteSigner[]): Uint8Array {
  const fault = textFault(text);
  if (fault !== undefined) throw new TieupError('TIEUP_E_FAILED', `the note cannot be signed: its text ${fault}`);
  if (signers.length === 0 || signers.length > MAX_SIGNATURES) {
    throw new TieupError('TIEUP_E_FAILED', `a note has 1 to ${MAX_SIGNATURES} signatures, not ${signers.length}`);
  }
  const message = new TextEncoder().encode(text);
  const lines = signers.map((signer) => {
    const { keyId } = verifierKey(signer.name, signer.publicKey);
    return signatureLine({ name: signer.name, keyId, signature: signer.sign(message) });
  });
  if (new Set(lines).size !== lines.length) throw new TieupError('TIEUP_E_FAILED', 'a key signs the note twice');
  const note = new TextEncoder().encode(`${text}\n${lines.join('')}`);
  if (note.length > MAX_NOTE_BYTES) throw new TieupError('TIEUP_E_FAILED', `the note exceeds ${MAX_NOTE_BYTES} bytes`);
  return note;
}

/** What {@link signNote} returns, with the signatures of keys that may have to be waited for. */
export async function signNoteWith(text: string, keys: readonly NoteKey[]): Promise<Uint8Array> {
  const signers: NoteSigner[] = [];
  for (const key of keys) signers.push(await signerOf(text, key));
  return signNote(text, signers);
}

/** What {@link addSignature} returns, with the signature of a key that may have to be waited for. */
export async function addSignatureWith(note: Uint8Array, key: NoteKey): Promise<Uint8Array> {
  return addSignature(note, await signerOf(parseNote(note).text, key));
}

/** Asks for the signature under `text` now, and gives it out under that text alone. */
async function signerOf(text: string, { name, publicKey, sign }: NoteKey): Promise<NoteSigner> {
  const message = new TextEncoder().encode(text);
  const signature = await sign(message);
  return {
    name,
    publicKey,
    sign(other) {
      if (Buffer.compare(other, message) === 0) return signature;
      throw new TieupError('TIEUP_E_FAILED', 'the signature is of another text');
    },
  };
}

/**
 * The note with one more signature; those that it has stay. Unchanged when this key has signed it already: what was
 * interrupted is done again, and a note that a key has signed twice is refused by everybody.
 * @throws TIEUP_E_VERIFY when it is malformed.
 */
export function addSignature(note: Uint8Array, signer: NoteSigner): Uint8Array {
  const { text, signatures } = parseNote(note);
  const signed = signNote(text, [signer]);
  const added = parseNote(signed).signatures.map(signatureLine);
  if (signatures.map(signatureLine).some((line) => added.includes(line))) return note;
  return Buffer.concat([note, signed.subarray(Buffer.byteLength(text) + 1)]);
}

/**
 * Verifies a note: at least one of `keys` has signed, and every signature that claims one of them is valid.
 * Signatures of other keys are passed over, as the specification wants (the same name with another key id is another key).
 * @throws TIEUP_E_VERIFY when the note is malformed, not signed by a known key, or not of the `type` asked for.
 */
export function openNote(
  bytes: Uint8Array,
  keys: readonly VerifierKey[],
  options: { readonly type?: string } = {},
): OpenedNote {
  const { text, signatures } = parseNote(bytes);
  const message = new TextEncoder().encode(text);
  const signers: VerifierKey[] = [];
  for (const { name, keyId, signature } of signatures) {
    const key = findKey(keys, name, keyId);
    if (key === undefined) continue;
    const label = `${name}+${keyIdHex(keyId)}`;
    if (signers.includes(key)) throw refused(`the key ${JSON.stringify(label)} has signed it twice`);
    if (!verifyDocument(key.publicKey, message, signature)) {
      throw refused(`the signature of ${JSON.stringify(label)} is not valid`);
    }
    signers.push(key);
  }
  if (signers.length === 0) {
    const known = keys.map((key) => JSON.stringify(`${key.name}+${keyIdHex(key.keyId)}`)).join(', ');
    throw refused(`none of the known keys (${known}) has signed it`);
  }
  const lines = text.slice(0, -1).split('\n');
  if (options.type !== undefined && lines[0] !== options.type) {
    throw refused(`it is of the type ${JSON.stringify(lines[0])}, not ${JSON.stringify(options.type)}`);
  }
  return { text, lines, signers };
}

/** One line below the text of a note; of what kind the signature is, only its key id says. */
export interface SignatureLine {
  readonly name: string;
  readonly keyId: number;
  readonly signature: Uint8Array;
}

/** With its line end. */
export function signatureLine({ name, keyId, signature }: SignatureLine): string {
  const id = Buffer.alloc(KEY_ID_LENGTH);
  id.writeUInt32BE(keyId);
  return `— ${name} ${base64(Buffer.concat([id, signature]))}\n`;
}

/** The parts of a note, *unverified*. @throws TIEUP_E_VERIFY when it is malformed. */
export function parseNote(bytes: Uint8Array): { readonly text: string; readonly signatures: readonly SignatureLine[] } {
  if (bytes.length > MAX_NOTE_BYTES) throw refused(`it has more than ${MAX_NOTE_BYTES} bytes`);
  const note = decodeUtf8(bytes);
  // The text may contain blank lines; the last one is the separator.
  const separator = note.lastIndexOf('\n\n');
  if (separator === -1) {
    throw refused(note.includes('\r') ? 'its lines end with CRLF' : 'it has no blank line before its signatures');
  }
  const text = note.slice(0, separator + 1);
  const fault = textFault(text);
  if (fault !== undefined) throw refused(`its text ${fault}`);
  if (!note.endsWith('\n')) throw refused('it does not end with a line end');
  const lines = note.slice(separator + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw refused(`it has more than ${MAX_SIGNATURES} signatures`);
  const firstLine = text.split('\n').length + 1;
  return { text, signatures: lines.map((line, index) => parseSignature(line, firstLine + index)) };
}

function parseSignature(line: string, number: number): SignatureLine {
  const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? [];
  if (name === undefined || encoded === undefined || nameFault(name) !== undefined) {
    throw refused(`line ${number} is not a signature`);
  }
  const bytes = strictBase64(encoded);
  if (bytes === undefined) throw refused(`the base64 on line ${number} is not strict`);
  if (bytes.length <= KEY_ID_LENGTH) throw refused(`the signature on line ${number} is too short`);
  const keyId = Buffer.from(bytes.subarray(0, KEY_ID_LENGTH)).readUInt32BE(0);
  return { name, keyId, signature: bytes.slice(KEY_ID_LENGTH) };
}

/** The key of that name and id. Ids have 32 bits and can be made to collide, so two keys for one id are not guessed between. */
function findKey(keys: readonly VerifierKey[], name: string, keyId: number): VerifierKey | undefined {
  const [key, ...others] = keys.filter((candidate) => candidate.name === name && candidate.keyId === keyId);
  if (key === undefined) return undefined;
  if (others.some((other) => Buffer.compare(other.publicKey, key.publicKey) !== 0)) {
    throw refused(`two known keys are called ${JSON.stringify(`${name}+${keyIdHex(keyId)}`)}`);
  }
  return key;
}

function textFault(text: string): string | undefined {
  if (!text.isWellFormed()) return 'is not valid Unicode';
  if (!text.endsWith('\n')) return 'does not end with a line end';
  if (text === '\n') return 'is empty';
  if (text.includes('\r')) return 'contains a carriage return: lines end with LF alone';
  if (FORBIDDEN.test(text)) return 'contains a control character';
  return undefined;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new TieupError('TIEUP_E_VERIFY', 'the note is refused: it is not UTF-8', { cause });
  }
}

function refused(why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the note is refused: ${why}`);
}

/**
 * The text that a note claims to carry, unverified: only to find in it the key with which `openNote` then has to open it,
 * where two parties do not know each other's keys yet. What the text says counts after that alone.
 */
export function claimedText(bytes: Uint8Array): string {
  const note = new TextDecoder().decode(bytes);
  return note.slice(0, note.lastIndexOf('\n\n') + 1);
}
