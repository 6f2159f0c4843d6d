/**
 * What the manager chose about single paths, and the digest by which a decision names those choices and the slots.
 */
import { byteOrder } from '../protocol/byte-order.ts';
import { sha256 } from '../protocol/digest.ts';
import { percentEncode } from './ledger.ts';

/**
 * - `keep-mine`: what stands at the path stays; the tie-up page is left out.
 * - `take-theirs`: the tie-up page takes the place (the original in `original/` stays, but is not copied).
 * - `rename`: the tie-up page is published at another path under the mount.
 */
export type PathChoice = 'keep-mine' | 'take-theirs' | { readonly rename: string };

export interface Choices {
  /** Paths of the release that are not published. */
  readonly withheld: readonly string[];
  /** By path from the web root; they stay in force until they are taken back. */
  readonly paths: Readonly<Record<string, PathChoice>>;
}

export const NO_CHOICES: Choices = { withheld: [], paths: {} };

/** What fills one slot of one page; the bytes are an object like any other. */
export interface SlotContent {
  /** The path of the page in the release: `with-main/contact.html`. */
  readonly page: string;
  readonly slot: string;
  /** SHA-256 of the rendered, sanitised HTML. */
  readonly digest: string;
  /** Bytes. */
  readonly length: number;
}

/** A file outside the mount that the manager wants from tieup; the bytes are an object like any other. */
export interface SharedFile {
  /** From the web root. */
  readonly path: string;
  /** SHA-256. */
  readonly digest: string;
  /** Bytes. */
  readonly length: number;
}

/**
 * The digest in the line `merge` of a decision: SHA-256 of this text, LF line ends, the lines after the first sorted by bytes
 * and each there once; paths percent-encoded as in the ledger. `slots` are those that are in use.
 *
 *     tieup-merge/1
 *     keep-mine <path>
 *     rename <path> <new path>
 *     shared <path> <sha256>
 *     slot <page> <slot> <sha256>
 *     take-theirs <path>
 *     withheld <path>
 */
export function mergeDigest(
  choices: Choices,
  slots: readonly SlotContent[],
  shared: readonly SharedFile[] = [],
): string {
  const lines = new Set<string>();
  for (const { path, digest } of shared) lines.add(`shared ${percentEncode(path)} ${digest}`);
  for (const path of choices.withheld) lines.add(`withheld ${percentEncode(path)}`);
  for (const [path, choice] of Object.entries(choices.paths)) {
    if (typeof choice === 'string') lines.add(`${choice} ${percentEncode(path)}`);
    else lines.add(`rename ${percentEncode(path)} ${percentEncode(choice.rename)}`);
  }
  for (const { page, slot, digest } of slots) lines.add(`slot ${percentEncode(page)} ${percentEncode(slot)} ${digest}`);
  return sha256(['tieup-merge/1', ...[...lines].sort(byteOrder), ''].join('\n'));
}

/** The choice for `path`; a path such as `constructor` finds nothing by accident. */
export function choiceFor(choices: Choices, path: string): PathChoice | undefined {
  return Object.hasOwn(choices.paths, path) ? choices.paths[path] : undefined;
}
