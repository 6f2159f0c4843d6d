/** Filling slots: replacing byte ranges of an object, which is a valid page with the fallbacks in place. */
import { TieupError } from '../errors.ts';

/** Replaces `length` bytes at `offset` of the object by the object `digest`. */
export interface Splice {
  /** Bytes from the start of the page's object. */
  readonly offset: number;
  /** Bytes of the fallback that is replaced. */
  readonly length: number;
  /** SHA-256 of what comes in its place. */
  readonly digest: string;
  /** Bytes of what comes in its place. */
  readonly contentLength: number;
}

/**
 * The page with its slots filled; `contents` by digest, `splices` in order of offset.
 * @throws TIEUP_E_VERIFY when a splice does not lie in the page, or its content is not there in its length.
 */
export function splice(
  page: Uint8Array,
  splices: readonly Splice[],
  contents: ReadonlyMap<string, Uint8Array>,
): Uint8Array {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const { offset, length, digest, contentLength } of splices) {
    const content = contents.get(digest);
    if (offset < at || offset + length > page.length || content?.length !== contentLength) {
      throw new TieupError('TIEUP_E_VERIFY', `a slot at byte ${offset} does not fit its page of ${page.length} bytes`);
    }
    parts.push(page.subarray(at, offset), content);
    at = offset + length;
  }
  parts.push(page.subarray(at));
  return Buffer.concat(parts);
}

/** Bytes of the page once its slots are filled. */
export function splicedLength(length: number, splices: readonly Splice[]): number {
  return splices.reduce((sum, each) => sum + each.contentLength - each.length, length);
}
