/**
 * What the manager chose about single paths, and the digest by which a decision names those choices and the slots.
 */
import { TieupError } from '../errors.ts';
import { byteOrder } from '../protocol/byte-order.ts';
import { sha256 } from '../protocol/digest.ts';
import { percentDecode, percentEncode } from './ledger.ts';

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
  return sha256(renderMerge(choices, slots, shared));
}

/** The text of which {@link mergeDigest} is the digest: whoever has it, and the decision, knows what was decided on. */
export function renderMerge(
  choices: Choices,
  slots: readonly Omit<SlotContent, 'length'>[],
  shared: readonly Omit<SharedFile, 'length'>[] = [],
): string {
  const lines = new Set<string>();
  for (const { path, digest } of shared) lines.add(`shared ${percentEncode(path)} ${digest}`);
  for (const path of choices.withheld) lines.add(`withheld ${percentEncode(path)}`);
  for (const [path, choice] of Object.entries(choices.paths)) {
    if (typeof choice === 'string') lines.add(`${choice} ${percentEncode(path)}`);
    else lines.add(`rename ${percentEncode(path)} ${percentEncode(choice.rename)}`);
  }
  for (const { page, slot, digest } of slots) lines.add(`slot ${percentEncode(page)} ${percentEncode(slot)} ${digest}`);
  return [HEAD, ...[...lines].sort(byteOrder), ''].join('\n');
}

export interface MergeText {
  readonly choices: Choices;
  readonly slots: readonly Omit<SlotContent, 'length'>[];
  readonly shared: readonly Omit<SharedFile, 'length'>[];
}

const HEAD = 'tieup-merge/1';
const DIGEST = /^[0-9a-f]{64}$/;

/** The reverse of {@link renderMerge}. @throws TIEUP_E_VERIFY for every text that it does not write. */
export function parseMerge(text: string): MergeText {
  const withheld: string[] = [];
  const paths: Record<string, PathChoice> = Object.create(null);
  const slots: Omit<SlotContent, 'length'>[] = [];
  const shared: Omit<SharedFile, 'length'>[] = [];
  for (const line of text.split('\n').slice(1, -1)) {
    const [kind, first = '', second = '', third = ''] = line.split(' ');
    const path = percentDecode(first) ?? '';
    if (kind === 'withheld') withheld.push(path);
    else if (kind === 'keep-mine' || kind === 'take-theirs') paths[path] = kind;
    else if (kind === 'rename') paths[path] = { rename: percentDecode(second) ?? '' };
    else if (kind === 'shared' && DIGEST.test(second)) shared.push({ path, digest: second });
    else if (kind === 'slot' && DIGEST.test(third))
      slots.push({ page: path, slot: percentDecode(second) ?? '', digest: third });
  }
  const found = { choices: { withheld, paths: { ...paths } }, slots, shared };
  if (renderMerge(found.choices, slots, shared) === text) return found;
  throw new TieupError('TIEUP_E_VERIFY', 'the list of what a decision was made on is malformed');
}

/** The choice for `path`; a path such as `constructor` finds nothing by accident. */
export function choiceFor(choices: Choices, path: string): PathChoice | undefined {
  return Object.hasOwn(choices.paths, path) ? choices.paths[path] : undefined;
}
