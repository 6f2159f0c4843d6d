/** Percent escapes (RFC 3986, section 2.1), decoded once. */

const PERCENT = 0x25;

/** Decodes one byte a character; what is no escape stays. Gives the same string when there is none. */
export function decodePercent(text: string): string {
  const first = text.indexOf('%');
  if (first < 0) return text;
  const bytes = Buffer.from(text, 'latin1');
  let to = first;
  for (let at = first; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    const high = byte === PERCENT ? hexDigit(bytes[at + 1]) : -1;
    const low = high < 0 ? -1 : hexDigit(bytes[at + 2]);
    bytes[to++] = low < 0 ? byte : (high << 4) | low;
    if (low >= 0) at += 2;
  }
  return to === bytes.length ? text : bytes.toString('latin1', 0, to);
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
