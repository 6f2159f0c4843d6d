/** A request line, or what stands where one should be, split into method, target and protocol. */
import { authorityEnd } from './authority.ts';
import { FIELD, type Line } from './line.ts';

const BLANK = 0x20;
const QUESTION = 0x3f;
const HASH = 0x23;
const SLASH = 0x2f;
/** Of a method: RFC 9110, section 5.6.2. */
const TOKEN = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[!#$%&'*+\-.^_`|~\dA-Za-z]/.test(String.fromCharCode(byte)) ? 1 : 0,
);
const NOISE_STOPS = Buffer.from(' ?=&@;:#');
const ODD_TARGET_STOPS = Buffer.from(' ?=&;#');
const LONGEST_METHOD = 32;

/**
 * Splits the line's request into the fields method, target and protocol.
 *
 * TLS hellos, empty requests and other noise have a target (the bytes as they are) but no method and no protocol. A
 * request may hold blanks in its target: it ends where the protocol begins. Without one (HTTP/0.9) it has a path or an address.
 */
export function splitRequest(line: Line): void {
  const start = line.start[FIELD.request] ?? 0;
  const end = line.end[FIELD.request] ?? 0;
  const { bytes } = line;
  let blank = start;
  const longest = Math.min(end, start + LONGEST_METHOD + 1);
  while (blank < longest && isLetter(bytes[blank] ?? 0)) blank++;
  const isOdd = blank < longest && bytes[blank] !== BLANK;
  if (isOdd) while (blank < longest && TOKEN[bytes[blank] ?? 0] === 1) blank++;
  const noMethod = blank === start || blank >= end || bytes[blank] !== BLANK;
  const protocol = noMethod ? -1 : protocolStart(bytes, blank, end);
  if (noMethod || (protocol < 0 && !isTarget(line, blank + 1, end, isOdd))) {
    line.set(FIELD.method, 0, 0);
    line.set(FIELD.protocol, 0, 0);
    line.set(FIELD.target, start, end);
    return;
  }
  line.set(FIELD.method, start, blank);
  line.set(FIELD.protocol, protocol < 0 ? 0 : protocol, protocol < 0 ? 0 : end);
  const from = blank + 1;
  line.set(FIELD.target, from, Math.max(from, protocol < 0 ? end : protocol - 1));
}

/** How far noise may be told: what follows may be a name, a password or a parameter. */
export function noiseEnd(bytes: Uint8Array, start: number, end: number): number {
  return firstOf(NOISE_STOPS, bytes, start, end);
}

/** The same for a target that is no path: of a request there may be a `host:port`. */
export function oddTargetEnd(bytes: Uint8Array, start: number, end: number): number {
  return firstOf(ODD_TARGET_STOPS, bytes, start, end);
}

function firstOf(stops: Uint8Array, bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && !stops.includes(bytes[at] ?? 0)) at++;
  return at;
}

/** Before a line is read: what was split of the last one's request is not this one's. */
export function forgetRequest(line: Line): void {
  line.set(FIELD.method, 0, 0);
  line.set(FIELD.target, 0, 0);
  line.set(FIELD.protocol, 0, 0);
}

/** Where the path of a target ends: at its query, or at a fragment, which no browser sends; otherwise at `end`. */
export function endOfPath(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) if (bytes[at] === QUESTION || bytes[at] === HASH) return at;
  return end;
}

/** Of a target in absolute form (RFC 9112, section 3.2.2): where host and path are. Undefined for any other target. */
export function absoluteForm(line: Line, start: number, end: number): AbsoluteForm | undefined {
  const { bytes } = line;
  let at = start;
  while (at < end && isSchemeByte(bytes[at] ?? 0)) at++;
  const isAbsolute = isLetter(bytes[start] ?? 0) && line.latin1(at, Math.min(end, at + 3)) === '://';
  if (!isAbsolute) return undefined;
  const host = at + 3;
  return { host, path: authorityEnd(bytes, host, end) };
}

/** What stands behind a method without a protocol is a target only when it looks like one; behind an odd method only when it is a path. */
function isTarget(line: Line, start: number, end: number, isOdd: boolean): boolean {
  return line.bytes[start] === SLASH || (!isOdd && absoluteForm(line, start, end) !== undefined);
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

/** RFC 3986, section 3.1. */
function isSchemeByte(byte: number): boolean {
  return isLetter(byte) || (byte >= 0x30 && byte <= 0x39) || byte === 0x2b || byte === 0x2d || byte === 0x2e;
}

function isLetter(byte: number): boolean {
  return (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
}
