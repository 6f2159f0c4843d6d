/**
 * `SHA256SUMS` in the format of coreutils, so that anybody can check a tree with `sha256sum -c` and without tieup.
 *
 * A name with a backslash, line feed or carriage return is escaped and its line starts with a backslash
 * (coreutils manual, "cksum output modes"). What is read is stricter than coreutils: text mode, lower-case hex, sorted, unique.
 */
import { TieupError } from '../errors.ts';
import { byteOrder } from './byte-order.ts';

export interface SumLine {
  /** SHA-256, lower-case hex. */
  readonly digest: string;
  /** From the folder in which the sums are checked. */
  readonly path: string;
}

const LINE = /^(\\?)([0-9a-f]{64}) {2}(.+)$/;
const NEEDS_ESCAPE = /[\\\n\r]/;

/** One line for each entry, sorted by path in byte order. */
export function renderSums(entries: readonly SumLine[]): Uint8Array {
  const sorted = entries.toSorted((a, b) => byteOrder(a.path, b.path));
  return new TextEncoder().encode(sorted.map(renderLine).join(''));
}

function renderLine({ digest, path }: SumLine): string {
  if (!NEEDS_ESCAPE.test(path)) return `${digest}  ${path}\n`;
  const escaped = path.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return `\\${digest}  ${escaped}\n`;
}

/**
 * Reads what {@link renderSums} wrote; `file` names it in messages.
 * @throws TIEUP_E_VERIFY when a line is malformed, out of order, there twice, or the last one is cut off.
 */
export function parseSums(bytes: Uint8Array, file: string): readonly SumLine[] {
  const lines = decode(bytes, file).split('\n');
  if (lines.pop() !== '') throw malformed(file, lines.length + 1, 'the last line is cut off');
  const entries: SumLine[] = [];
  for (const [index, line] of lines.entries()) {
    const entry = parseLine(line);
    if (entry === undefined)
      throw malformed(file, index + 1, `${JSON.stringify(line.slice(0, 100))} is not a checksum line`);
    const previous = entries.at(-1);
    if (previous !== undefined && byteOrder(previous.path, entry.path) >= 0) {
      throw malformed(file, index + 1, `the path ${JSON.stringify(entry.path)} is out of order or there twice`);
    }
    entries.push(entry);
  }
  return entries;
}

function parseLine(line: string): SumLine | undefined {
  const [, escape, digest, name] = LINE.exec(line) ?? [];
  if (digest === undefined || name === undefined) return undefined;
  const path = escape === '' ? name : unescapeName(name);
  if (path === undefined) return undefined;
  // One path has one spelling: a needless or a missing escape is refused.
  return renderLine({ digest, path }) === `${line}\n` ? { digest, path } : undefined;
}

function unescapeName(name: string): string | undefined {
  if (/\\(?![\\nr])/.test(name.replaceAll('\\\\', ''))) return undefined;
  return name.replaceAll(/\\([\\nr])/g, (_, character: string) => {
    if (character === 'n') return '\n';
    return character === 'r' ? '\r' : '\\';
  });
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new TieupError('TIEUP_E_VERIFY', `${file} is not UTF-8`, { cause });
  }
}

function malformed(file: string, line: number, why: string): TieupError {
  return new TieupError('TIEUP_E_VERIFY', `${file}:${line}: ${why}`);
}
