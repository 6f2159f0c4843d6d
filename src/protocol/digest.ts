/** SHA-256, the one digest of tieup. */
import { createHash, hash } from 'node:crypto';

/** SHA-256 of `bytes` as 64 lower-case hex digits. One shot: about three times faster than a hash object for small input. */
export function sha256(bytes: Uint8Array | string): string {
  return hash('sha256', bytes, 'hex');
}

/** SHA-256 over chunks; `digest` may be called once. */
export function sha256Stream(): { update(chunk: Uint8Array): void; digest(): string } {
  const state = createHash('sha256');
  return { update: (chunk) => void state.update(chunk), digest: () => state.digest('hex') };
}

export const DIGEST = /^[0-9a-f]{64}$/;
