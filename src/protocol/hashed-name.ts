/**
 * Names with a hash of the content in them, `site.3f9a1c2b.css`: whatever changes has another name, so that browsers may keep it for
 * ever. Such a name says by itself whether it belongs to a content.
 */

const HASH_LENGTH = 8;
/** Bytes that a hash adds to a name. */
export const HASH_ROOM = HASH_LENGTH + 1;
const HASHED = /^(.*[^/])\.([0-9a-f]{8})(\.[^./]+)$/s;

/** `site.css` → `site.3f9a1c2b.css`. @param digest SHA-256 of the content, lower-case hex. */
export function hashedName(path: string, digest: string): string {
  return path.replace(/\.[^.]*$/, (extension) => `.${digest.slice(0, HASH_LENGTH)}${extension}`);
}

/** The name without the hash; undefined for a name in which that of this very content does not stand. */
export function plainName(path: string, digest: string): string | undefined {
  const [, stem, hash, extension] = HASHED.exec(path) ?? [];
  return hash === undefined || !digest.startsWith(hash) ? undefined : `${stem}${extension}`;
}
