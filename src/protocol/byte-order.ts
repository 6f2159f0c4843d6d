/**
 * Orders two strings as their UTF-8 bytes are ordered, without encoding them.
 *
 * JavaScript compares UTF-16 code units, which puts characters beyond U+FFFF (surrogates, 0xD800–0xDFFF) before U+E000–U+FFFF;
 * every sorted list that both sides must agree on is sorted by bytes, as `LC_ALL=C sort` does it.
 */
export function byteOrder(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let at = 0; at < end; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left === right) continue;
    return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Surrogates above everything else, the rest as it is. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
