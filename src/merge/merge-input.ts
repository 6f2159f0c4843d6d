/** What a merge is planned from: everything that was found out about the two sites before anything is decided. */
import type { ReleaseFile, SlotRange } from '../protocol/release.ts';
import type { Choices, SharedFile, SlotContent } from './choices.ts';
import type { Ledger, LedgerEntry } from './ledger.ts';

export interface MergeInput {
  /** The verified release; null when no tie-up page shall be live. */
  readonly release: { readonly files: readonly TieUpFile[] } | null;
  /** `/with-main/`: new names which the manager chooses must lie under it. */
  readonly mount: string;
  /** The files of the original folder; `in-place` when original pages already live in the web root. */
  readonly originals: readonly OriginalFile[] | 'in-place';
  readonly how: 'overwrite' | 'link';
  readonly slots: readonly SlotContent[];
  /** Files outside the mount that the manager wants from tieup. */
  readonly shared?: readonly SharedFile[] | undefined;
  readonly ledger: Ledger;
  /** Files of tieup's own in the live tree that stay beside the release; see earlier-assets.ts. */
  readonly earlier?: readonly LedgerEntry[] | undefined;
  /** What is in the live tree, by path; links are reported, never followed. */
  readonly live: ReadonlyMap<string, LiveFile>;
  /** Folders in the live tree which tieup made. */
  readonly folders: ReadonlySet<string>;
  readonly choices: Choices;
}

/** What a merge needs to know of a file of the release; `page` is absent for assets and redirects. */
export interface TieUpFile extends Pick<ReleaseFile, 'path' | 'length' | 'digest' | 'since'> {
  readonly page?: { readonly slots: readonly SlotRange[] } | undefined;
}

export interface OriginalFile {
  readonly path: string;
  /** Only files can be copied; `unnamable`: a name that tieup cannot carry over (a backslash, bytes that are not UTF-8). */
  readonly kind: 'file' | 'link' | 'other' | 'unnamable';
  /** Bytes. */
  readonly length: number;
  /** SHA-256; absent unless a file. */
  readonly digest?: string | undefined;
}

export interface LiveFile {
  readonly kind: 'file' | 'folder' | 'link' | 'other' | 'unnamable';
  /** Bytes; 0 unless a file. */
  readonly length: number;
  /** SHA-256; absent where nothing depends on it. */
  readonly digest?: string | undefined;
}
