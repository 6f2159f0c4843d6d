/** A request line, or what stands where one should be, split into method, target and protocol. */
import { FIELD, type Line } from './line.ts';

const BLANK = 0x20;
const QUESTION = 0x3f;
const SLASH = 0x2f;
const LONGEST_METHOD = 32;

/**
 * Splits the line's request into the fields method, target and protocol.
 *
 * TLS hellos, empty requests and other noise have a target (the bytes as they are) but no method and no protocol. A
 * request may hold blanks in its target: it ends where the protocol begins.
 */
export function splitRequest(line: Line): void {
  const start = line.start[FIELD.request] ?? 0;
  const end = line.end[FIELD.request] ?? 0;
  const { bytes } = line;
  let blank = start;
  const longest = Math.min(end, start + LONGEST_METHOD + 1);
  while (blank < longest && isLetter(bytes[blank] ?? 0)) blank++;
  const noMethod = blank === start || blank >= end || bytes[blank] !== BLANK;
  if (noMethod) {
    line.set(FIELD.method, 0, 0);
    line.set(FIELD.protocol, 0, 0);
    line.set(FIELD.target, start, end);
    return;
  }
  const protocol = protocolStart(bytes, blank, end);
  line.set(FIELD.method, start, blank);
  line.set(FIELD.protocol, protocol < 0 ? 0 : protocol, protocol < 0 ? 0 : end);
  const from = blank + 1;
  line.set(FIELD.target, from, Math.max(from, protocol < 0 ? end : protocol - 1));
}

/** Where the target's query begins (the byte after `?`), or `end` when it has none. */
export function queryStart(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) if (bytes[at] === QUESTION) return at + 1;
  return end;
}

/** Of a target in absolute form (RFC 9112, section 3.2.2): where host and path are. Undefined for any other target. */
export function absoluteForm(line: Line, start: number, end: number): AbsoluteForm | undefined {
  const { bytes } = line;
  let at = start;
  while (at < end && isLetter(bytes[at] ?? 0)) at++;
  const isAbsolute = at > start && line.latin1(at, Math.min(end, at + 3)) === '://';
  if (!isAbsolute) return undefined;
  const host = at + 3;
  at = host;
  while (at < end && bytes[at] !== SLASH && bytes[at] !== QUESTION) at++;
  return { host, path: at };
}

interface AbsoluteForm {
  readonly host: number;
  /** Where the authority ends; the path may be empty. */
  readonly path: number;
}

/** Where ` HTTP/x` at the end of the request begins, without the blank, or -1. */
function protocolStart(bytes: Uint8Array, from: number, end: number): number {
  // "HTTP/1.1", "HTTP/2.0", "HTTP/3": nothing else follows the last blank.
  for (let at = end - 6; at > from && at >= end - 8; at--) {
    if (
      bytes[at - 1] === BLANK &&
      bytes[at] === 0x48 &&
      bytes[at + 1] === 0x54 &&
      bytes[at + 2] === 0x54 &&
      bytes[at + 3] === 0x50 &&
      bytes[at + 4] === SLASH
    ) {
      return at;
    }
  }
  return -1;
}

function isLetter(byte: number): boolean {
  return (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
}
