/** The authority of an address (RFC 3986, section 3.2): which bytes are a host, and nobody's name and password. */

const AT = 0x40;

/** 1 for bytes of a host name: a DNS name or an IPv4 address; `_` as some name their machines. */
export const HOST_BYTE: Readonly<Uint8Array> = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[\w.-]/.test(String.fromCharCode(byte)) && byte < 0x80 ? 1 : 0,
);

/**
 * Where the host of the authority in `[start, end)` begins, behind a user name and password; it goes on to the end, with its port.
 *
 * -1 when it is none: `user:secret` is a name and a password whose `@` stands behind a slash of the password.
 */
export function hostStart(bytes: Uint8Array, start: number, end: number): number {
  const from = start + bytes.subarray(start, end).lastIndexOf(AT) + 1;
  return isHost(Buffer.from(bytes.subarray(from, end)).toString('latin1')) ? from : -1;
}

/** Where the authority that begins at `start` ends: at the path, the query or the fragment, or at `end`. */
export function authorityEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && !endsAuthority(bytes[at] ?? 0)) at++;
  return at;
}

/** True for `/`, `?`, `#` and the backslash, which browsers take for a slash. */
export function endsAuthority(byte: number): boolean {
  return byte === 0x2f || byte === 0x3f || byte === 0x23 || byte === 0x5c;
}

function isHost(text: string): boolean {
  return /^(?:[\w.-]{1,255}|\[[\da-f:.]{2,45}\])(?::\d{0,5})?$/i.test(text);
}
