/**
 * The ledger: which files of the live tree are tieup's own. What is not in it belongs to the partner and is never touched.
 *
 *     tieup-ledger/1 <SHA-256 of the release's N.targets.json | ->
 *     <sha256> <length> <release> <percent-encoded path>
 *
 * Lines are sorted by path in byte order; release 0 marks a copy of an original page which tieup itself put there.
 */
import { TieupError } from '../errors.ts';
import { byteOrder } from '../protocol/byte-order.ts';
import { DIGEST } from '../protocol/digest.ts';

export interface LedgerEntry {
  /** From the web root, without a leading slash. */
  readonly path: string;
  /** Bytes. */
  readonly length: number;
  /** SHA-256, lower-case hex, of the live bytes (slots filled). */
  readonly digest: string;
  /** The release in which these bytes first stood at this path; 0 for a copy of an original page. */
  readonly release: number;
}

export interface Ledger {
  /** SHA-256 of `N.targets.json`; null when no release is live. */
  readonly releaseDigest: string | null;
  readonly entries: ReadonlyMap<string, LedgerEntry>;
}

/** Without a ledger tieup owns nothing. */
export const EMPTY_LEDGER: Ledger = { releaseDigest: null, entries: new Map() };

/** Bound for reading a ledger. */
export const MAX_LEDGER = 64 * 1024 * 1024;

const HEAD = /^tieup-ledger\/1 ([0-9a-f]{64}|-)$/;
const COUNT = /^(?:0|[1-9]\d{0,15})$/;

export function renderLedger(releaseDigest: string | null, entries: Iterable<LedgerEntry>): Uint8Array {
  const sorted = [...entries].sort((a, b) => byteOrder(a.path, b.path));
  const lines = sorted.map(
    (entry) => `${entry.digest} ${entry.length} ${entry.release} ${percentEncode(entry.path)}\n`,
  );
  return new TextEncoder().encode(`tieup-ledger/1 ${releaseDigest ?? '-'}\n${lines.join('')}`);
}

/**
 * Reads what {@link renderLedger} wrote; `file` names it in messages.
 * @throws TIEUP_E_VERIFY when it is anything else: a ledger that was edited or cut off must not decide what may be deleted.
 */
export function parseLedger(bytes: Uint8Array, file: string): Ledger {
  const lines = decode(bytes, file).split('\n');
  if (lines.pop() !== '') throw malformed(file, lines.length + 1, 'the last line is cut off');
  const head = HEAD.exec(lines[0] ?? '')?.[1];
  if (head === undefined) throw malformed(file, 1, 'it does not start with "tieup-ledger/1" and a digest');
  const entries = new Map<string, LedgerEntry>();
  let previous: string | undefined;
  for (const [index, line] of lines.entries()) {
    if (index === 0) continue;
    const entry = parseLine(line);
    if (entry === undefined)
      throw malformed(file, index + 1, `${JSON.stringify(line.slice(0, 100))} is not a ledger line`);
    if (previous !== undefined && byteOrder(previous, entry.path) >= 0) {
      throw malformed(file, index + 1, `the path ${JSON.stringify(entry.path)} is out of order or there twice`);
    }
    previous = entry.path;
    entries.set(entry.path, entry);
  }
  return { releaseDigest: head === '-' ? null : head, entries };
}

function parseLine(line: string): LedgerEntry | undefined {
  const [digest, length, release, encoded, ...more] = line.split(' ');
  if (digest === undefined || length === undefined || release === undefined || encoded === undefined) return undefined;
  if (more.length > 0 || !DIGEST.test(digest) || !COUNT.test(length) || !COUNT.test(release)) return undefined;
  const path = percentDecode(encoded);
  if (path === undefined || path === '') return undefined;
  return { path, length: Number(length), digest, release: Number(release) };
}

/** Every byte but the unreserved ones of RFC 3986 and `/` as `%XX`, upper case: one path has one spelling. */
export function percentEncode(path: string): string {
  return encodeURIComponent(path)
    .replaceAll('%2F', '/')
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The path that {@link percentEncode} spelt so; undefined for any other spelling. */
export function percentDecode(encoded: string): string | undefined {
  let path: string;
  try {
    path = decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
  return percentEncode(path) === encoded ? path : undefined;
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new TieupError('TIEUP_E_VERIFY', `${file} is not UTF-8`, { cause });
  }
}

function malformed(file: string, line: number, why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `${file}:${line}: ${why}`, {
    hint: 'restore the state folder from a backup; without its ledger tieup cannot tell its files from yours',
  });
}
