/** Client addresses: what of one may be told, and the bytes by which a visitor is known for a day. */

/** How an address leaves the partner: cut to /24 (IPv4) or /48 (IPv6; /40 of 6to4), whole, or not at all. */
export type AddressPolicy = 'truncate' | 'full' | 'drop';

/**
 * 4 bytes of an IPv4 address, 16 of an IPv6 one; undefined for anything else.
 *
 * An IPv4-mapped address (`::ffff:192.0.2.1`, RFC 4291, section 2.5.5.2) is the IPv4 address: dual-stack servers write it
 * so. A port is left aside, as load balancers write it.
 */
export function parseAddress(text: string): Uint8Array | undefined {
  const v4 = parseV4(text.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1'));
  if (v4 !== undefined) return v4;
  const v6 = parseV6(text.replace(/^\[([^\]]*)\](?::\d+)?$/, '$1').replace(/%.*$/, ''));
  const isMapped =
    v6 !== undefined && v6.subarray(0, 10).every((byte) => byte === 0) && v6[10] === 255 && v6[11] === 255;
  return isMapped ? v6.slice(12) : v6;
}

/** The address as the policy lets it leave; empty when nothing of it may, or when it is no address and would have to be cut. */
export function shownAddress(text: string, policy: AddressPolicy): string {
  if (policy === 'drop') return '';
  if (policy === 'full') return text;
  const address = parseAddress(text);
  if (address === undefined) return '';
  if (address.length === 4) return `${address.subarray(0, 3).join('.')}.0`;
  // 6to4 (RFC 3056): the second to the sixth byte of `2002::/16` are an IPv4 address, which keeps its first 24 bits here too.
  if (address[0] === 0x20 && address[1] === 0x02) address[5] = 0;
  const groups = [0, 2, 4].map((at) => (((address[at] ?? 0) << 8) | (address[at + 1] ?? 0)).toString(16));
  // RFC 5952: the longest run of zeros, here the one at the end, is `::`.
  while (groups.at(-1) === '0') groups.pop();
  return `${groups.join(':')}::`;
}

function parseV4(text: string): Uint8Array | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  return parts === undefined || parts.some((part) => part > 255) ? undefined : Uint8Array.from(parts);
}

function parseV6(text: string): Uint8Array | undefined {
  if (!text.includes(':') || !/^[\da-f:.]{2,45}$/i.test(text)) return undefined;
  const v4 = text.includes('.') ? parseV4(text.slice(text.lastIndexOf(':') + 1)) : undefined;
  if (text.includes('.') && v4 === undefined) return undefined;
  const head = v4 === undefined ? text : text.slice(0, text.lastIndexOf(':') + 1) + v4Groups(v4);
  const [left = '', right, more] = head.split('::');
  if (more !== undefined) return undefined;
  const before = left === '' ? [] : left.split(':');
  const after = right === undefined || right === '' ? [] : right.split(':');
  const missing = 8 - before.length - after.length;
  if (right === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...before, ...Array.from({ length: missing }, () => '0'), ...after];
  if (!groups.every((group) => /^[\da-f]{1,4}$/i.test(group))) return undefined;
  return Uint8Array.from(
    groups.map((group) => Number.parseInt(group, 16)).flatMap((group) => [group >> 8, group & 255]),
  );
}

function v4Groups(v4: Uint8Array): string {
  const [a = 0, b = 0, c = 0, d = 0] = v4;
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}
