/** Percent escapes (RFC 3986, section 2.1), decoded once. */

const PERCENT = 0x25;
const NO_DIGIT = 0xff;
const HEX = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(byte).toLowerCase());
  return digit < 0 ? NO_DIGIT : digit;
});

/** Decodes one byte a character; what is no escape stays. Gives the same string when there is none. */
export function decodePercent(text: string): string {
  const first = text.indexOf('%');
  if (first < 0) return text;
  const bytes = Buffer.from(text, 'latin1');
  let to = first;
  for (let at = first; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    const decoded = byte === PERCENT ? percentByte(bytes, at, bytes.length) : -1;
    bytes[to++] = decoded < 0 ? byte : decoded;
    if (decoded >= 0) at += 2;
  }
  return to === bytes.length ? text : bytes.toString('latin1', 0, to);
}

/** The byte for the escape whose `%` is at `at`; -1 when it is none. */
export function percentByte(bytes: Uint8Array, at: number, end: number): number {
  if (at + 2 >= end) return -1;
  const high = HEX[bytes[at + 1] ?? 0] ?? NO_DIGIT;
  const low = HEX[bytes[at + 2] ?? 0] ?? NO_DIGIT;
  return high === NO_DIGIT || low === NO_DIGIT ? -1 : (high << 4) | low;
}
