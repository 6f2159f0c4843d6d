/** Base64 (RFC 4648, section 4) with one spelling per value. */

/**
 * The bytes of `text`; undefined when it is not padded base64 in its one canonical spelling, or has another `length` than asked for.
 * Decoders that are lenient give many texts the same bytes, and then a digest of the text means nothing.
 */
export function strictBase64(text: string, length?: number): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text || (length !== undefined && bytes.length !== length)) return undefined;
  return Uint8Array.from(bytes);
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
