/**
 * The kit: what a new partner is given to build original pages of its own in the main site's spirit, in one file that travels
 * beside the invitation. The invitation signs its length and digest; the head below tells what is in it.
 *
 *     tieup-kit/1 <files>
 *     <sha256> <length> <path>
 *     (an empty line, then the bytes of the files in that order; nothing follows)
 *
 * Lines are sorted by path in byte order. A kit is unpacked into a web site's folder and copied from there, so its paths obey
 * the rules of published ones: no dotfile, nothing that a server executes, no way out of the folder.
 */
import { TieupError } from '../errors.ts';
import { byteOrder } from './byte-order.ts';
import { sha256 } from './digest.ts';
import { checkPaths } from './names.ts';

export interface KitFile {
  /** From the folder of the kit: `pages/sample.html`. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** How an invitation names its kit. */
export interface KitReference {
  /** SHA-256 of the whole file, lower-case hex. */
  readonly digest: string;
  /** Bytes. */
  readonly length: number;
}

/** Bytes of a whole kit: templates, styles, a logo, not a photo archive. */
export const MAX_KIT = 32 * 1024 * 1024;
export const MAX_KIT_FILES = 2000;

const HEAD = /^tieup-kit\/1 (0|[1-9]\d{0,8})$/;
const LINE = /^([0-9a-f]{64}) (0|[1-9]\d{0,9}) (.+)$/;
/** A digest, a length, a path of 1,024 bytes and what stands between them. */
const MAX_LINE = 64 + 1 + 10 + 1 + 1024 + 1;

/** @throws TIEUP_E_CONTENT with every path that cannot be in a kit, and when there are too many files or bytes. */
export function renderKit(files: readonly KitFile[]): Uint8Array {
  const problems = kitPathProblems(files.map(({ path }) => path));
  if (problems.length > 0)
    throw new TieupError('TIEUP_E_CONTENT', 'the kit has files that cannot be sent', { problems });
  const sorted = files.toSorted((a, b) => byteOrder(a.path, b.path));
  const lines = sorted.map(({ path, bytes }) => `${sha256(bytes)} ${bytes.length} ${path}\n`);
  const head = Buffer.from(`tieup-kit/1 ${sorted.length}\n${lines.join('')}\n`);
  const kit = Buffer.concat([head, ...sorted.map(({ bytes }) => bytes)]);
  if (sorted.length > MAX_KIT_FILES || kit.length > MAX_KIT) {
    throw new TieupError('TIEUP_E_CONTENT', `the kit has ${sorted.length} files and ${kit.length} bytes`, {
      hint: `at most ${MAX_KIT_FILES} files and ${MAX_KIT} bytes can be sent; put large pictures on your site and link to them`,
    });
  }
  return Uint8Array.from(kit);
}

/** What the invitation says of a kit. */
export function describeKit(bytes: Uint8Array): KitReference {
  return { digest: sha256(bytes), length: bytes.length };
}

/**
 * Reads a kit whose bytes are those that the invitation names.
 * @throws TIEUP_E_VERIFY when anything is altered, missing or too much; TIEUP_E_UNSAFE_PATH with every path that cannot be
 * unpacked.
 */
export function openKit(bytes: Uint8Array, expected: KitReference): readonly KitFile[] {
  if (bytes.length !== expected.length || sha256(bytes) !== expected.digest) {
    throw new TieupError('TIEUP_E_VERIFY', 'the kit is not the one that the invitation names', {
      hint: 'ask the main site to send both files again',
    });
  }
  const { lines, end } = readHead(bytes);
  const files: KitFile[] = [];
  let at = end;
  for (const [index, line] of lines.entries()) {
    const [, digest, digits, path] = LINE.exec(line) ?? [];
    if (digest === undefined || digits === undefined || path === undefined)
      throw malformed(`line ${index + 2} is not a digest, a length and a path`);
    const previous = files.at(-1);
    if (previous !== undefined && byteOrder(previous.path, path) >= 0)
      throw malformed(`the path ${JSON.stringify(path)} is out of order or there twice`);
    const content = bytes.slice(at, at + Number(digits));
    if (content.length !== Number(digits) || sha256(content) !== digest)
      throw malformed(`the file ${JSON.stringify(path)} is not what its line says`);
    files.push({ path, bytes: content });
    at += content.length;
  }
  if (at !== bytes.length) throw malformed(`${bytes.length - at} bytes follow its last file`);
  const problems = kitPathProblems(files.map(({ path }) => path));
  if (problems.length > 0)
    throw new TieupError('TIEUP_E_UNSAFE_PATH', 'the kit has paths that must not be unpacked', { problems });
  return files;
}

function kitPathProblems(paths: readonly string[]) {
  return checkPaths(paths, '/');
}

/** The lines after the first, and where the content begins. */
function readHead(bytes: Uint8Array): { readonly lines: readonly string[]; readonly end: number } {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MAX_LINE * (MAX_KIT_FILES + 1)));
  const length = start.indexOf('\n\n');
  if (length === -1) throw malformed('its head has no end');
  const [first = '', ...lines] = decode(start.subarray(0, length)).split('\n');
  const count = HEAD.exec(first)?.[1];
  if (count === undefined) throw malformed('it does not start with "tieup-kit/1" and a number of files');
  if (Number(count) !== lines.length || lines.length > MAX_KIT_FILES)
    throw malformed(`it claims ${count} files and lists ${lines.length}`);
  return { lines, end: length + 2 };
}

function decode(head: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(head);
  } catch (cause) {
    throw new TieupError('TIEUP_E_VERIFY', 'the kit is malformed: its head is not UTF-8', { cause });
  }
}

function malformed(why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `the kit is malformed: ${why}`);
}
