/** What publishing works on: three trees, and where in them things lie. */
import type { FileTree } from '../io/file-tree.ts';
import type { ObjectStore } from './objects.ts';

export interface Ports {
  /** The folder of original pages; undefined when they already live in the web root ("in place"). */
  readonly original: FileTree | undefined;
  /** The parent folder of the web root. */
  readonly web: FileTree;
  /** tieup's own: ledgers, journal, objects. */
  readonly state: FileTree;
  /** Verified content, where it is not in `state`. */
  readonly objects?: ObjectStore;
  /**
   * True where more than one machine publishes with the same `state` and objects of its own: then all that it takes to finish
   * or to undo a publication lies in `state` before anything changes.
   */
  readonly isShared?: boolean;
}

export interface Layout {
  readonly how: 'overwrite' | 'link';
  /** The web root in `web`: `public`. In link mode a link to a tree. */
  readonly publicName: string;
  /** The folder of published trees in `web`: `published`. Link mode alone. */
  readonly treesName: string;
  /** `/with-main/`. */
  readonly mount: string;
  /** For how many releases trees (in link mode) and objects are kept, so that a rollback finds them; 5 unless given. */
  readonly keep?: number;
}

export const DEFAULT_KEEP = 5;

/** The tree of publication `number` in `web`; in overwrite mode there is only one. */
export function treePathOf(layout: Layout, number: number): string {
  return layout.how === 'link' ? `${layout.treesName}/${number}` : layout.publicName;
}

/** `path` in the folder `base` of a tree; `base` itself for the empty path. */
export function within(base: string, path: string): string {
  if (path === '') return base;
  return base === '' ? path : `${base}/${path}`;
}
